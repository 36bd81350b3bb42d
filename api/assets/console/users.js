/* The people of the tenant: searching, adding, taking away in a file. */

import { all, download, get, send } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, time } from "./dom.js";
import { makeForm } from "./form.js";
import { guarded, may } from "./me.js";
import { badge, button, buttonLink, nameOf, page, statusBadge } from "./parts.js";
import { go } from "./router.js";
import { attempt, say } from "./status.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text.js";

const STATUSES = ["active", "pending", "inactive", "hold", "suspended", "banned"];

export async function show(view) {
  const choices = await Promise.all([optional("role.read", "/v1/roles", view), optional("group.read", "/v1/groups", view)]);
  const [roles, groups] = choices.map((list) => list.map((item) => [item.id, item.name]));
  const filters = makeFilters({
    view,
    fields: [
      { name: "search", label: text.users.search, type: "search", placeholder: text.users.search },
      { name: "status", label: text.common.status, options: STATUSES.map((status) => [status, text.status[status]]) },
      roles.length > 0 && { name: "role", label: text.users.role, options: roles },
      groups.length > 0 && { name: "group", label: text.users.group, options: groups },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.users.title,
    columns: [
      { label: text.users.name, kind: "main", cell: person },
      { label: text.common.status, kind: "narrow", cell: (user) => statusBadge(user.status) },
      { label: text.users.roles, cell: (user) => user.roles.length > 0 && h("span", { class: "aside" }, user.roles.map((role) => role.name).join(", ")) },
      { label: text.users.since, kind: "narrow", cell: (user) => h("span", { class: "aside" }, time(user.created_at, true)) },
    ],
    key: (user) => user.id,
    load: (cursor, signal) => get("/v1/users", { query: { ...filters.values(), cursor }, signal }),
    empty: text.users.none,
    signal: view.signal,
  });
  page(view, {
    title: text.users.title,
    lead: text.users.lead,
    actions: [
      may("account.export") && button(text.users.export, { icon: "download", id: "export-users", on: { click: () => exportThem(filters.values()) } }),
      may("account.create") && buttonLink(text.users.import, "/console/users/import", { icon: "upload" }),
      guarded("account.create", button(text.users.new, { primary: true, icon: "plus", id: "new-user", on: { click: create } })),
    ],
  }, filters.element, list.element);
  await list.reload();
}

/* What a choice is made from, where it may be seen. */
async function optional(permission, path, view) {
  if (!may(permission)) return [];
  try {
    return await all(path, { signal: view.signal });
  } catch (error) {
    if (view.signal.aborted) throw error;
    return [];
  }
}

function person(user) {
  return h("div", { class: "person" },
    h("span", { class: "monogram monogram-person", "aria-hidden": "true" }, [...nameOf(user)][0] ?? "?"),
    h("div", {},
      h("a", { href: `/console/users/${user.id}` }, nameOf(user)), user.home_tenant_id && [" ", badge(text.users.guest)],
      user.email && nameOf(user) !== user.email && h("span", { class: "aside block" }, user.email)));
}

function exportThem(filters) {
  const save = (format, name) => attempt(async () => {
    dialog.close();
    await download("/v1/users/export", { query: { ...filters, format }, name });
  });
  const dialog = openDialog({
    title: text.users.export,
    body: h("div", { class: "dialog-actions" },
      button(text.users.exportJson, { on: { click: () => save("ndjson", "users.ndjson") } }),
      button(text.users.exportCsv, { primary: true, on: { click: () => save("csv", "users.csv") } })),
  });
}

function create() {
  const form = makeForm({
    fields: [
      { name: "email", label: text.users.email, type: "email", required: true },
      { name: "first_name", label: text.users.firstName },
      { name: "last_name", label: text.users.lastName },
      { name: "phone", label: text.users.phone, type: "tel", hint: text.users.phoneHint },
      { name: "password", label: text.users.password, type: "password", hint: text.users.passwordHint, autocomplete: "new-password" },
      { name: "status", label: text.users.initial, type: "select", options: [["active", text.users.initialActive], ["pending", text.users.initialPending]] },
    ],
    submit: text.common.add,
    onCancel: () => dialog.close(),
    onSubmit: async (values, { key }) => {
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
      const { data } = await send("POST", "/v1/users", body, { key });
      dialog.close();
      go(`/console/users/${data.id}`);
      say(fill(text.users.created, { name: nameOf(data) }));
    },
  });
  const dialog = openDialog({ title: text.users.createTitle, body: form.element });
}
