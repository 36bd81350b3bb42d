/* The start: which page is at which address. A section has its line here, its place in `pages/frame.rs` and its files in
 * `pages/modules.rs`. */

import { onSessionEnd, onStepUp } from "./api.js";
import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { me } from "./me.js";
import { route, start } from "./router.js";
import { text } from "./text.js";

route("/console/users", () => import("./users.js"));
route("/console/users/import", () => import("./users-import.js"));
route("/console/users/:id/:tab?", () => import("./user.js"));
route("/console/groups", () => import("./groups.js"));
route("/console/groups/:id/:tab?", () => import("./group.js"));
route("/console/roles", () => import("./roles.js"));
route("/console/roles/:id/:tab?", () => import("./role.js"));
route("/console/policies", () => import("./policies.js"));
route("/console/policies/new", () => import("./policy-new.js"));
route("/console/policies/explain", () => import("./explain.js"));
route("/console/policies/:id/:tab?", () => import("./policy.js"));
route("/console/sessions/:tab?", () => import("./sessions.js"));
route("/console/tenants", () => import("./tenants.js"));
route("/console/tenants/:id/:tab?", () => import("./tenant.js"));
route("/console/audit", () => import("./audit.js"));
route("/console/audit/decisions", () => import("./decisions.js"));
route("/console/audit/batches", () => import("./audit-batches.js"));
route("/console/audit/entries/:id", () => import("./audit-entry.js"));

let asked = false;

/* One dialog, whose only way on is a link: the page comes back after signing in. */
function ask(title, lead, href) {
  if (asked) return;
  asked = true;
  openDialog({
    title,
    body: [h("p", {}, lead), h("div", { class: "dialog-actions" }, h("a", { class: "button button-primary", id: "sign-in-again", href, autofocus: true }, text.problem.signIn))],
    onClose: () => { asked = false; },
  });
}

function signIn(extra = {}) {
  const query = new URLSearchParams({ tenant: me.tenantSlug, return_to: location.pathname + location.search, ...extra });
  return `/console/sign-in?${query}`;
}

onSessionEnd(() => ask(text.problem.sessionTitle, text.problem.sessionLead, signIn()));
onStepUp((problem) => {
  const acr = /acr_values="([^"]*)"/.exec(problem.challenge)?.[1];
  const age = /max_age="?(\d+)/.exec(problem.challenge)?.[1];
  ask(text.problem.stepUpTitle, text.problem.stepUpLead, signIn({ ...(acr && { acr_values: acr }), ...(age && { max_age: age }) }));
});

start();
