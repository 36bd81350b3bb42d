// Conveniences of the hosted pages. Everything works without this file.

for (const button of document.querySelectorAll("[data-reveal]")) {
  const input = document.getElementById(button.dataset.reveal);
  const show = (shown) => {
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  button.hidden = false;
  button.addEventListener("click", () => show(input.type === "password"));
  // Sent as a password again, so that browsers and password managers recognise it as one.
  input.form.addEventListener("submit", () => show(false));
}

for (const form of document.querySelectorAll("form")) {
  const mark = (busy) => {
    form.dataset.busy = String(busy);
    for (const button of form.querySelectorAll("button[type=submit]")) {
      // Not `disabled`: the pressed button's own value would not be sent.
      button.setAttribute("aria-disabled", String(busy));
    }
  };
  form.addEventListener("submit", (event) => {
    if (form.dataset.busy === "true") {
      event.preventDefault();
    } else {
      mark(true);
      // The page may stay: the person stopped it, or the answer opened an app.
      setTimeout(() => mark(false), 10_000);
    }
  });
  // Back from the next page, restored from the browser's memory: the form may be sent again.
  window.addEventListener("pageshow", () => mark(false));
}
