/* What was decided: who was allowed or refused what, by which policy, and what was known then. */

import { get } from "./api.js";
import { auditTabs, query } from "./audit.js";
import { openDialog } from "./dialog.js";
import { h, time } from "./dom.js";
import { may, me } from "./me.js";
import { asideTime, button, copyable, facts, page, statusBadge } from "./parts.js";
import { named } from "./policy-names.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

/* What fits into an address. */
const LONGEST = 1800;

export async function show(view) {
  const filters = makeFilters({
    view,
    fields: [
      { name: "decision", label: text.decisions.decision, options: [["allow", text.policies.allowed], ["deny", text.policies.denied]] },
      { name: "resource", label: text.policies.resource, placeholder: "booking" },
      { name: "action", label: text.policies.action, placeholder: "cancel" },
      { name: "subject", label: text.decisions.subject, placeholder: text.audit.idHint },
      { name: "resource_id", label: text.decisions.resourceId, placeholder: text.audit.idHint },
      { name: "policy", label: text.decisions.policyId, placeholder: text.audit.idHint },
      { name: "from", label: text.audit.from, type: "datetime-local" },
      { name: "to", label: text.audit.to, type: "datetime-local" },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.audit.decisions,
    columns: [
      {
        label: text.decisions.asked, kind: "main",
        cell: (one) => h("div", {}, h("code", {}, `${one.resource}.${one.action}`), one.resource_id && h("span", { class: "aside block" }, one.resource_id)),
      },
      { label: text.decisions.decision, kind: "narrow", cell: (one) => statusBadge(one.decision) },
      { label: text.decisions.who, cell: (one) => named(one.subject.kind, one.subject.id, view.signal, { href: `/console/audit/decisions?subject=${encodeURIComponent(one.subject.id)}` }) },
      { label: text.decisions.why, cell: (one) => h("div", {}, one.policy ? [policy(one.policy), h("span", { class: "aside block" }, one.reason)] : one.reason) },
      { label: text.audit.when, cell: (one) => h("span", { class: "aside" }, time(one.created_at)) },
      { label: text.common.actions, kind: "actions", cell: (one) => button(text.decisions.details, { small: true, on: { click: () => details(view, one) } }) },
    ],
    key: (one) => one.id,
    load: (cursor, signal) => get("/v1/access/logs", { query: { ...query(filters.values()), cursor }, signal }),
    empty: text.decisions.none,
    signal: view.signal,
  });
  page(view, { title: text.audit.decisions, lead: text.decisions.lead }, auditTabs("decisions"), filters.element, list.element);
  await list.reload();
}

function policy({ id, name, version }) {
  const label = name ?? id;
  const words = version ? fill(text.decisions.version, { name: label, version }) : label;
  return may("policy.read") ? h("a", { href: `/console/policies/${encodeURIComponent(id)}${version ? `/versions?version=${version}` : ""}` }, words) : words;
}

function details(view, one) {
  const known = typeof one.context === "object" && one.context !== null ? Object.entries(one.context) : [];
  const again = may("access.explain") || one.subject.id === me.subject ? explainLink(one) : null;
  const dialog = openDialog({
    title: `${one.resource}.${one.action}`,
    wide: true,
    body: [
      h("p", {}, statusBadge(one.decision), " ", one.reason),
      facts([
        [text.decisions.who, named(one.subject.kind, one.subject.id, view.signal, { whole: true })],
        [text.decisions.about, one.resource_id && copyable(one.resource_id)],
        [text.decisions.policy, one.policy && policy(one.policy)],
        [text.audit.when, asideTime(one.created_at)],
        [text.entry.client, h("code", {}, one.client_id)],
        [text.entry.address, one.address && h("code", {}, one.address)],
        [text.entry.request, one.request_id && copyable(one.request_id)],
      ]),
      h("h3", {}, text.decisions.context),
      h("div", { class: "table-box" }, h("table", { class: "table changes" }, h("caption", { class: "visually-hidden" }, text.decisions.context),
        h("tbody", {}, known.map(([name, value]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, name)), h("td", {}, typeof value === "string" ? value : JSON.stringify(value))))))),
      h("div", { class: "dialog-actions" }, again && h("a", { class: "button button-primary", id: "explain-decision", href: again }, text.decisions.explain)),
    ],
  });
  dialog.element.addEventListener("click", (event) => event.target.closest?.("a[href]") && dialog.close());
}

/* The same question again, with what was known then of the thing and the surroundings. What is known of people is what is
 * known now. */
function explainLink({ subject, resource, action, context }) {
  const own = Object.entries(context ?? {});
  const pick = (prefixes) => Object.fromEntries(own.filter(([name]) => prefixes.some((prefix) => name.startsWith(prefix))));
  const asked = new URLSearchParams({ resource, action });
  if (subject.kind === "user") asked.set("subject", subject.id);
  else asked.set("facts", JSON.stringify(pick(["client."])));
  const attributes = JSON.stringify(pick([`${resource}.`, "env."]));
  if (attributes.length < LONGEST) asked.set("attributes", attributes);
  return `/console/policies/explain?${asked}`;
}
