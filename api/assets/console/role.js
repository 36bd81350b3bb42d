/* One role: what it allows, what it inherits, who has it. */

import { all, get, send } from "./api.js";
import { confirm } from "./dialog.js";
import { h } from "./dom.js";
import { changes, makeForm } from "./form.js";
import { guarded, may } from "./me.js";
import { asideTime, badge, button, copyable, facts, nameOf, none, page, panel, statusBadge, tabs } from "./parts.js";
import { go, reload } from "./router.js";
import { checkList, permissions, permissionTree } from "./roles.js";
import { attempt, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text.js";
import { saveOver } from "./user.js";

export async function show(view) {
  const { id, tab } = view.params;
  const path = `/v1/roles/${encodeURIComponent(id)}`;
  const { data: role, etag } = await get(path, { signal: view.signal });
  const here = `/console/roles/${id}`;
  const part = tab === "holders" ? "holders" : "role";
  const content = part === "holders" ? await holders(view, role) : await editor(view, { path, role, etag });
  page(view, {
    title: role.name,
    lead: role.description ?? text.roles.families[role.role_family],
    badge: role.is_system && badge(text.roles.systemBadge),
    back: { href: "/console/roles", label: text.roles.title },
    actions: [!role.is_system && guarded("role.delete", button(text.common.delete, { id: "delete-role", on: { click: () => remove(path, role) } }))],
  },
  role.is_system && h("p", { class: "callout" }, text.roles.systemLead),
  tabs([
    { id: "role", label: text.roles.allows, href: here },
    { id: "holders", label: text.roles.holders, href: `${here}/holders`, hidden: !may("account.read") },
  ], part),
  content);
}

async function editor(view, { path, role, etag }) {
  const [names, roles] = await Promise.all([permissions(view.signal), all("/v1/roles", { signal: view.signal })]);
  const others = roles.filter((other) => other.id !== role.id);
  const nameOfRole = (id) => roles.find((other) => other.id === id)?.name ?? id;
  const known = panel(text.roles.about, facts([
    [text.common.id, copyable(role.id)],
    [text.roles.family, text.roles.families[role.role_family] ?? role.role_family],
    [text.roles.inherits, role.inherits.length > 0 && h("ul", {}, role.inherits.map((id) => h("li", {}, h("a", { href: `/console/roles/${id}` }, nameOfRole(id)))))],
    [text.common.created, asideTime(role.created_at)],
    [text.common.changed, asideTime(role.updated_at)],
  ]));
  if (role.is_system || !may("role.update")) {
    const shown = role.permissions.length > 0 ? permissionTree(names, role.permissions, { disabled: true }).element : none(text.roles.nothing);
    return h("div", { class: "columns" }, panel(text.roles.permissions, shown), known);
  }
  const form = makeForm({
    fields: [
      { name: "description", label: text.common.description },
      { name: "permissions", label: text.roles.permissions, type: "own", control: permissionTree(names, role.permissions) },
      { name: "inherits", label: text.roles.inherits, type: "own", hint: text.roles.inheritsHint, control: checkList(others.map((other) => [other.id, other.name]), role.inherits) },
    ],
    values: role,
    onSubmit: async (values, { key }) => {
      const before = { ...role, permissions: [...role.permissions].sort(), inherits: [...role.inherits].sort() };
      const wanted = changes(before, values);
      if (Object.keys(wanted).length === 0) {
        say(text.common.nothingChanged);
        return;
      }
      const saved = await saveOver(path, wanted, etag, key);
      if (!saved) return;
      reload();
      say(text.common.saved);
    },
  });
  return h("div", { class: "columns" }, panel(null, form.element), known);
}

async function holders(view, role) {
  const list = makeList({
    caption: text.roles.holders,
    columns: [
      { label: text.users.name, kind: "main", cell: (user) => h("div", {}, h("a", { href: `/console/users/${user.id}` }, nameOf(user)), user.email && nameOf(user) !== user.email && h("span", { class: "aside block" }, user.email)) },
      { label: text.common.status, kind: "narrow", cell: (user) => statusBadge(user.status) },
    ],
    key: (user) => user.id,
    load: (cursor, signal) => get("/v1/users", { query: { role: role.id, cursor }, signal }),
    empty: text.roles.noHolders,
    signal: view.signal,
  });
  await list.reload();
  return [h("p", { class: "lead" }, text.roles.holdersLead), list.element];
}

async function remove(path, role) {
  const really = await confirm({
    title: fill(text.roles.deleteTitle, { name: role.name }), body: h("p", {}, text.roles.deleteLead), action: text.common.delete, danger: true,
  });
  if (!really) return;
  await attempt(async () => {
    await send("DELETE", path, null);
    go("/console/roles");
    say(fill(text.roles.deleted, { name: role.name }));
  });
}
