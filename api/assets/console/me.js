/* Who is signed in, and what the page may offer them. The server has the last word on every request.
 *
 *   me.subject, me.tenantId, me.isPlatform
 *   may("account.create")                     whether they may do that to something at least
 *   guarded("account.create", button)         the button, switched off with the reason where they may not
 */

import { text, fill } from "./text.js";

const meta = (name) => document.querySelector(`meta[name="console-${name}"]`)?.content ?? "";
const permissions = new Set(meta("permissions").split(" ").filter(Boolean));

export const me = Object.freeze({
  subject: meta("subject"),
  tenantId: meta("tenant"),
  tenantSlug: meta("tenant-slug"),
  isPlatform: meta("platform") === "true",
  csrf: meta("csrf"),
});

export function may(permission) {
  return permissions.has(permission);
}

/* Keeps a control in its place and says why it does nothing: what is missing can be asked for. */
export function guarded(permission, control) {
  if (may(permission)) return control;
  control.setAttribute("aria-disabled", "true");
  control.title = fill(text.problem.needs, { permission });
  control.addEventListener("click", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  return control;
}
