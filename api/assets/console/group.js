/* One group: its members, its roles, its parts. */

import { all, get, send } from "./api.js";
import { confirm, openDialog } from "./dialog.js";
import { h, clear, time, uid } from "./dom.js";
import { changes, makeForm } from "./form.js";
import { createGroup, groupList } from "./groups.js";
import { guarded, may } from "./me.js";
import { asideTime, button, copyable, facts, nameOf, none, page, panel, tabs } from "./parts.js";
import { go, reload } from "./router.js";
import { attempt, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text.js";
import { saveOver } from "./user.js";

export async function show(view) {
  const { id, tab = "members" } = view.params;
  const path = `/v1/groups/${encodeURIComponent(id)}`;
  const { data: group, etag } = await get(path, { signal: view.signal });
  const here = `/console/groups/${id}`;
  const parts = { members, roles, parts: subgroups, settings };
  const part = parts[tab] ? tab : "members";
  const content = await parts[part](view, { path, group, etag });
  page(view, {
    title: group.name,
    lead: group.description,
    back: { href: "/console/groups", label: text.groups.title },
    actions: [guarded("group.delete", button(text.common.delete, { id: "delete-group", on: { click: () => remove(path, group) } }))],
  },
  tabs([
    { id: "members", label: text.groups.members, href: here },
    { id: "roles", label: text.groups.roles, href: `${here}/roles`, hidden: !may("role.read") },
    { id: "parts", label: text.groups.parts, href: `${here}/parts` },
    { id: "settings", label: text.groups.settings, href: `${here}/settings` },
  ], part),
  content);
}

async function members(view, { path, group }) {
  const drop = async (member) => {
    const name = member.display_name || member.email || member.user_id;
    const really = await confirm({ title: fill(text.user.leaveTitle, { name, group: group.name }), body: h("p", {}, text.user.leaveLead), action: text.user.leave, danger: true });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `${path}/members/${member.user_id}`, null);
      say(fill(text.user.left, { name, group: group.name }));
      await list.reload();
    });
  };
  const list = makeList({
    caption: text.groups.members,
    columns: [
      {
        label: text.users.name, kind: "main",
        cell: (member) => h("div", {}, h("a", { href: `/console/users/${member.user_id}` }, member.display_name || member.email || member.user_id), member.display_name && member.email && h("span", { class: "aside block" }, member.email)),
      },
      { label: text.users.since, kind: "narrow", cell: (member) => h("span", { class: "aside" }, time(member.created_at, true)) },
      { label: text.common.actions, kind: "actions", cell: (member) => guarded("group.update", button(text.common.remove, { small: true, on: { click: () => drop(member) } })) },
    ],
    key: (member) => member.user_id,
    load: (cursor, signal) => get(`${path}/members`, { query: { cursor }, signal }),
    empty: text.groups.noMembers,
    signal: view.signal,
  });
  const add = () => {
    const picker = personPicker(view.signal);
    const form = makeForm({
      fields: [{ name: "user", label: text.groups.who, type: "own", control: picker, required: true }],
      submit: text.common.add,
      onCancel: () => dialog.close(),
      onSubmit: async ({ user }) => {
        await send("PUT", `${path}/members/${user.id}`, null);
        dialog.close();
        say(fill(text.user.inGroup, { name: nameOf(user), group: group.name }));
        await list.reload();
      },
    });
    const dialog = openDialog({ title: fill(text.groups.addTitle, { group: group.name }), body: form.element });
  };
  await list.reload();
  return [h("div", { class: "toolbar" }, guarded("group.update", button(text.groups.addMember, { icon: "plus", id: "add-member", on: { click: add } }))), list.element];
}

/* Somebody is found by what they are called: a field, and radio buttons for whom it found. */
export function personPicker(signal) {
  const name = uid("person");
  const search = h("input", { type: "search", class: "input", id: uid("find"), "aria-label": text.users.search, placeholder: text.users.search, autocomplete: "off", spellcheck: "false" });
  const found = h("div", { class: "check-list", "aria-live": "polite" });
  let people = [];
  let timer;
  let asked = 0;
  const look = async () => {
    asked += 1;
    const mine = asked;
    const { data } = await get("/v1/users", { query: { search: search.value.trim(), limit: 8 }, signal });
    if (mine !== asked) return;
    people = data;
    clear(found, data.length === 0 && none(text.groups.nobody), data.map((user, index) => {
      const id = uid("person");
      return h("div", { class: "check-row" }, h("input", { type: "radio", class: "check", id, name, value: user.id, checked: index === 0 }),
        h("label", { for: id }, nameOf(user), user.email && nameOf(user) !== user.email && h("span", { class: "aside" }, ` ${user.email}`)));
    }));
  };
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => attempt(look), 200);
  });
  attempt(look);
  return {
    element: h("div", { class: "picker" }, search, found),
    value: () => people.find((user) => user.id === found.querySelector("input:checked")?.value) ?? null,
    focus: () => search.focus(),
  };
}

async function roles(view, { path, group }) {
  const drop = async (role) => {
    const really = await confirm({ title: fill(text.user.takeTitle, { name: group.name, role: role.name }), body: h("p", {}, text.user.takeLead), action: text.user.take, danger: true });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `${path}/roles/${role.role_id}`, null);
      say(fill(text.user.taken, { name: group.name, role: role.name }));
      await list.reload();
    });
  };
  const list = makeList({
    caption: text.groups.roles,
    columns: [
      { label: text.user.role, kind: "main", cell: (role) => h("a", { href: `/console/roles/${role.role_id}` }, role.name) },
      { label: text.common.actions, kind: "actions", cell: (role) => guarded("group.update", button(text.user.take, { small: true, on: { click: () => drop(role) } })) },
    ],
    key: (role) => role.role_id,
    load: (cursor, signal) => get(`${path}/roles`, { signal }),
    empty: text.groups.noRoles,
    signal: view.signal,
  });
  const give = async () => {
    const choices = await attempt(() => all("/v1/roles", { signal: view.signal }));
    if (!choices) return;
    const form = makeForm({
      fields: [{ name: "role", label: text.user.role, type: "select", required: true, options: choices.map((role) => [role.id, role.name]) }],
      submit: text.user.giveRole,
      onCancel: () => dialog.close(),
      onSubmit: async ({ role }) => {
        await send("PUT", `${path}/roles/${role}`, null);
        dialog.close();
        say(fill(text.user.given, { name: group.name, role: choices.find((one) => one.id === role)?.name ?? "" }));
        await list.reload();
      },
    });
    const dialog = openDialog({ title: fill(text.user.giveRoleTitle, { name: group.name }), body: form.element });
  };
  await list.reload();
  return [h("p", { class: "lead" }, text.groups.rolesLead),
    h("div", { class: "toolbar" }, guarded("group.update", button(text.user.giveRole, { icon: "plus", id: "give-role", on: { click: give } }))), list.element];
}

async function subgroups(view, { group }) {
  const list = groupList(view, { caption: text.groups.parts, empty: text.groups.noParts, query: { parent_id: group.id } });
  await list.reload();
  return [h("p", { class: "lead" }, text.groups.partsLead),
    h("div", { class: "toolbar" }, guarded("group.create", button(text.groups.newPart, { icon: "plus", id: "new-part", on: { click: () => createGroup(view, group.id) } }))), list.element];
}

async function settings(view, { path, group, etag }) {
  const groups = (await all("/v1/groups", { signal: view.signal })).filter((other) => other.id !== group.id);
  const known = panel(text.groups.about, facts([
    [text.common.id, copyable(group.id)],
    [text.common.created, asideTime(group.created_at)],
    [text.common.changed, asideTime(group.updated_at)],
  ]));
  if (!may("group.update")) return known;
  const form = makeForm({
    fields: [
      { name: "name", label: text.common.name, required: true },
      { name: "description", label: text.common.description },
      { name: "parent_id", label: text.groups.partOf, type: "select", options: [["", text.groups.noParent], ...groups.map((other) => [other.id, other.name])] },
    ],
    values: group,
    onSubmit: async (values, { key }) => {
      const wanted = changes(group, values);
      if (Object.keys(wanted).length === 0) {
        say(text.common.nothingChanged);
        return;
      }
      if (!(await saveOver(path, wanted, etag, key))) return;
      reload();
      say(text.common.saved);
    },
  });
  return h("div", { class: "columns" }, panel(text.groups.settings, form.element), known);
}

async function remove(path, group) {
  const really = await confirm({ title: fill(text.groups.deleteTitle, { name: group.name }), body: h("p", {}, text.groups.deleteLead), action: text.common.delete, danger: true });
  if (!really) return;
  await attempt(async () => {
    await send("DELETE", path, null);
    go("/console/groups");
    say(fill(text.groups.deleted, { name: group.name }));
  });
}
