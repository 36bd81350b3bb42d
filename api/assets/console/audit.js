/* Who did what. */

import { all, download, get } from "./api.js";
import { h, time, uid } from "./dom.js";
import { guarded, may } from "./me.js";
import { button, page, tabs } from "./parts.js";
import { named } from "./policy-names.js";
import { attempt } from "./status.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

/* The parts of the section, as far as somebody may see them. */
export function auditTabs(current) {
  return tabs([
    { id: "entries", label: text.audit.entries, href: "/console/audit", hidden: !may("audit.read") },
    { id: "decisions", label: text.audit.decisions, href: "/console/audit/decisions", hidden: !may("access_log.read") },
    { id: "batches", label: text.audit.seals, href: "/console/audit/batches", hidden: !may("audit.read") },
  ], current);
}

/* A time of the reader as the API wants it. */
export const exact = (local) => {
  const date = new Date(local);
  return local && !Number.isNaN(date.getTime()) ? date.toISOString() : null;
};

export const query = ({ from, to, ...values }) => ({ ...values, from: exact(from), to: exact(to) });

export async function show(view) {
  // Whoever may see the log of decisions alone begins there.
  if (!may("audit.read") && may("access_log.read")) {
    const decisions = await import("./decisions.js");
    await decisions.show(view);
    return;
  }
  const listId = uid("actions");
  const names = h("datalist", { id: listId });
  if (may("permission.read")) {
    all("/v1/permissions", { signal: view.signal, most: 2000 }).then((permissions) => permissions.forEach(({ name }) => names.append(h("option", { value: name })))).catch(() => {});
  }
  const filters = makeFilters({
    view,
    fields: [
      { name: "action", label: text.audit.action, placeholder: "policy.update", attributes: { list: listId } },
      { name: "actor", label: text.audit.actor, placeholder: text.audit.idHint },
      { name: "target_kind", label: text.audit.targetKind, placeholder: "account" },
      { name: "target_id", label: text.audit.targetId, placeholder: text.audit.idHint },
      { name: "request_id", label: text.audit.request },
      { name: "from", label: text.audit.from, type: "datetime-local" },
      { name: "to", label: text.audit.to, type: "datetime-local" },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.audit.title,
    columns: [
      { label: text.audit.what, kind: "main", cell: (entry) => h("a", { href: `/console/audit/entries/${entry.id}` }, h("code", {}, entry.action)) },
      { label: text.audit.who, cell: (entry) => actor(view, entry.actor) },
      { label: text.audit.target, cell: (entry) => target(view, entry.target) },
      { label: text.audit.changes, cell: (entry) => h("span", { class: "aside" }, summary(entry.changes)) },
      { label: text.audit.when, cell: (entry) => h("span", { class: "aside" }, time(entry.occurred_at)) },
    ],
    key: (entry) => entry.id,
    load: (cursor, signal) => get("/v1/audit/entries", { query: { ...query(filters.values()), cursor }, signal }),
    empty: text.audit.none,
    signal: view.signal,
  });
  const save = (format) => attempt(() => download("/v1/audit/export", { query: { ...query(filters.values()), format }, name: `audit.${format}` }));
  page(view, {
    title: text.audit.title,
    lead: text.audit.lead,
    actions: [
      guarded("audit.export", button(text.audit.exportCsv, { icon: "download", id: "export-csv", on: { click: () => save("csv") } })),
      guarded("audit.export", button(text.audit.exportJson, { icon: "download", id: "export-ndjson", on: { click: () => save("ndjson") } })),
    ],
  }, auditTabs("entries"), filters.element, names, list.element);
  await list.reload();
}

/* Which fields changed, the first few. */
function summary(changes) {
  if (typeof changes !== "object" || changes === null) return "";
  const fields = Object.keys(changes).map((pointer) => pointer.slice(1)).filter((field) => !["version", "updated_at", "created_at", "id"].includes(field));
  if (fields.length === 0) return text.audit.nothing;
  return fields.length > 3 ? fill(text.audit.andMore, { fields: fields.slice(0, 3).join(", "), more: fields.length - 3 }) : fields.join(", ");
}

/* The bare names: what is pressed in a list narrows the list. */
export function actor(view, { kind, id, acting_party: party }) {
  const here = (value) => `/console/audit?actor=${encodeURIComponent(value)}`;
  return [
    kind === "system" ? h("span", {}, text.audit.system, " ", h("code", {}, id)) : named(kind, id, view.signal, { href: here(id) }),
    party && h("span", { class: "aside block" }, text.audit.actedBy, " ", named(party.kind, party.id, view.signal, { href: here(party.id) })),
  ];
}

/* A thing of a kind whose names are known has its name, and everything else its id. */
export function target(view, { kind, id }) {
  const href = `/console/audit?target_kind=${encodeURIComponent(kind)}&target_id=${encodeURIComponent(id)}`;
  return h("div", {}, kind, h("span", { class: "block" }, named(kind, id, view.signal, { href })));
}
