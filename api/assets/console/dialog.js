/* Dialogs: the browser's own, so that focus stays in them, Escape closes them, and focus goes back afterwards.
 *
 *   const dialog = openDialog({ title, body: [nodes], onClose });   dialog.close(value)
 *   if (await confirm({ title, body, action: "Delete", danger: true })) …
 *   const choice = await conflict();          "theirs", "mine" or null, after a 412
 */

import { h, icon, uid } from "./dom.js";
import { text } from "./text.js";

export function openDialog({ title, body, wide = false, onClose }) {
  const id = uid("dialog");
  const heading = h("h2", { id }, title);
  const close = h("button", { type: "button", class: "dialog-close", "aria-label": text.common.close }, icon("close"));
  const element = h("dialog", { class: wide ? "dialog dialog-wide" : "dialog", "aria-labelledby": id },
    h("header", { class: "dialog-head" }, heading, close),
    h("div", { class: "dialog-body" }, body));
  const opener = document.activeElement;
  const handle = {
    element,
    value: null,
    close(value = null) {
      handle.value = value;
      element.close();
    },
  };
  close.addEventListener("click", () => handle.close());
  element.addEventListener("close", () => {
    element.remove();
    if (opener?.isConnected) opener.focus();
    onClose?.(handle.value);
  });
  document.body.append(element);
  element.showModal();
  element.querySelector("[autofocus], .dialog-body input:not([type=hidden]), .dialog-body select, .dialog-body textarea, .dialog-actions button")?.focus();
  return handle;
}

/* Asks before something is done. Gives whether it is to be done. */
export function confirm({ title, body, action, danger = false }) {
  return new Promise((resolve) => {
    const yes = h("button", { type: "button", class: danger ? "button button-danger" : "button button-primary", id: "confirm-yes" }, action);
    const no = h("button", { type: "button", class: "button", autofocus: danger }, text.common.cancel);
    const dialog = openDialog({
      title,
      body: [h("div", { class: "prose" }, body), h("div", { class: "dialog-actions" }, no, yes)],
      onClose: (value) => resolve(value === true),
    });
    yes.addEventListener("click", () => dialog.close(true));
    no.addEventListener("click", () => dialog.close(false));
  });
}

/* Somebody changed it meanwhile: which of the two is to stay? */
export function conflict() {
  return new Promise((resolve) => {
    const choice = (value, label, kind = "") => {
      const button = h("button", { type: "button", class: `button ${kind}`, id: `keep-${value}` }, label);
      button.addEventListener("click", () => dialog.close(value));
      return button;
    };
    const cancel = h("button", { type: "button", class: "button" }, text.conflict.goOn);
    const dialog = openDialog({
      title: text.conflict.title,
      body: [
        h("div", { class: "prose" }, h("p", {}, text.conflict.lead)),
        h("div", { class: "dialog-actions" }, cancel, choice("mine", text.conflict.mine), choice("theirs", text.conflict.theirs, "button-primary")),
      ],
      onClose: (value) => resolve(value),
    });
    cancel.addEventListener("click", () => dialog.close(null));
  });
}
