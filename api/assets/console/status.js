/* What is said to the person.
 *
 *   say("Saved.")                             in the corner, and read aloud politely
 *   problemView(problem, { retry })           an element: what went wrong, what is missing, when to try again
 *   await attempt(() => send(...))            says what goes wrong in the corner; gives undefined then
 */

import { Problem, isAbort } from "./api.js";
import { h, icon, clear } from "./dom.js";
import { text, fill } from "./text.js";

const region = () => document.getElementById("status");
let timer;

/* `kind` is "ok" or "bad"; what is bad stays until it is closed. */
export function say(message, kind = "ok") {
  const box = region();
  if (!box) return;
  clearTimeout(timer);
  const close = h("button", { type: "button", class: "status-close", "aria-label": text.common.close, on: { click: hush } }, icon("close"));
  clear(box, h("div", { class: `notice notice-${kind}` }, icon(kind === "ok" ? "ok" : "warn"), h("p", {}, message), close));
  if (kind === "ok") timer = setTimeout(hush, 6000);
}

export function hush() {
  clearTimeout(timer);
  region()?.replaceChildren();
}

/* A problem in a sentence. */
export function sentence(problem) {
  if (!(problem instanceof Problem)) return text.problem.unknown;
  if (problem.status === 403 && problem.needed) return fill(text.problem.mayNot, { permission: problem.needed });
  const first = problem.errors[0];
  const more = first ? first.detail : problem.detail;
  return more ? `${problem.title}: ${more}` : problem.title;
}

export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (isAbort(error)) return undefined;
    report(error);
    return undefined;
  }
}

export function report(error) {
  if (isAbort(error)) return;
  if (!(error instanceof Problem)) console.error(error);
  say(sentence(error), "bad");
}

/* Everything there is to say about a problem. With `retry`, a button that waits as long as the server asks for. */
export function problemView(problem, { retry, ignoreErrors = false } = {}) {
  if (!(problem instanceof Problem)) {
    console.error(problem);
    problem = new Problem(500, { title: text.problem.unknown });
  }
  const refused = problem.status === 403 && problem.needed;
  const errors = ignoreErrors ? [] : problem.errors;
  const box = h("div", { class: "alert", role: "alert", "data-status": problem.status },
    icon("warn"),
    h("div", {},
      h("p", { class: "alert-title" }, refused ? fill(text.problem.mayNot, { permission: problem.needed }) : problem.title),
      !refused && problem.detail && h("p", {}, problem.detail),
      refused && h("p", {}, text.problem.askAdministrator),
      errors.length > 0 && h("ul", { class: "alert-list" }, errors.map((error) =>
        h("li", {}, error.pointer && h("code", {}, error.pointer), error.pointer && " ", error.detail))),
      problem.request && problem.status !== 422 && h("p", { class: "aside" }, text.problem.request, " ", h("code", {}, problem.request)),
      retry && retryButton(problem, retry)));
  return box;
}

function retryButton(problem, retry) {
  const button = h("button", { type: "button", class: "button button-small", on: { click: () => retry() } }, text.common.tryAgain);
  let left = [429, 503].includes(problem.status) ? problem.retryAfter ?? 0 : 0;
  const show = () => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? fill(text.problem.tryAgainIn, { seconds: left }) : text.common.tryAgain;
  };
  show();
  if (left > 0) {
    const ticking = setInterval(() => {
      left -= 1;
      show();
      if (left <= 0 || !button.isConnected) clearInterval(ticking);
    }, 1000);
  }
  return h("p", { class: "alert-actions" }, button);
}
