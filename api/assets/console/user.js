/* One person: profile, status, roles, groups, sessions, and what they may do. */

import { all, get, is, send } from "./api.js";
import { conflict, confirm, openDialog } from "./dialog.js";
import { h, time } from "./dom.js";
import { changes, makeForm } from "./form.js";
import { guarded, may, me } from "./me.js";
import { asideTime, badge, button, copyable, facts, nameOf, none, page, panel, statusBadge, tabs } from "./parts.js";
import { go, reload } from "./router.js";
import { attempt, problemView, report, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text.js";

const STATUSES = ["active", "pending", "inactive", "hold", "suspended", "banned"];

export async function show(view) {
  const { id, tab = "profile" } = view.params;
  const path = `/v1/users/${encodeURIComponent(id)}`;
  const { data: user, etag } = await get(path, { signal: view.signal });
  const name = nameOf(user);
  const here = `/console/users/${id}`;
  const parts = { profile, roles, groups, sessions, access };
  const part = parts[tab] ? tab : "profile";
  const content = h("div", { class: "tab", id: `tab-${part}` });
  page(view, {
    title: name,
    lead: user.email ?? text.users.unknownEmail,
    monogram: name,
    badge: statusBadge(user.status),
    back: { href: "/console/users", label: text.users.title },
    actions: [
      !user.home_tenant_id && guarded("account.update", button(text.user.changeStatus, { id: "change-status", on: { click: () => changeStatus(path, user, etag) } })),
      guarded("account.delete", button(user.home_tenant_id ? text.user.dismiss : text.user.delete, { id: "delete-user", on: { click: () => remove(path, user) } })),
    ],
  },
  user.home_tenant_id && h("p", { class: "callout" }, text.users.guestLead),
  tabs([
    { id: "profile", label: text.user.profile, href: here },
    { id: "roles", label: text.user.roles, href: `${here}/roles`, hidden: !may("role.read") },
    { id: "groups", label: text.user.groups, href: `${here}/groups`, hidden: !may("group.read") },
    { id: "sessions", label: text.user.sessions, href: `${here}/sessions` },
    { id: "access", label: text.user.access, href: `${here}/access`, hidden: !may("access.explain") && id !== me.subject },
  ], part),
  content);
  content.append(...[await parts[part](view, { path, user, etag, name })].flat());
}

function profile(view, { path, user, etag }) {
  const isGuest = Boolean(user.home_tenant_id);
  const known = panel(text.common.status, facts([
    [text.common.id, copyable(user.id)],
    [text.common.status, statusBadge(user.status)],
    [text.users.email, user.email && [user.email, " ", badge(user.email_verified ? text.users.verified : text.users.unverified, user.email_verified ? "good" : "wait")]],
    [text.common.created, asideTime(user.created_at)],
    [text.common.changed, asideTime(user.updated_at)],
  ]));
  if (isGuest || !may("account.update")) {
    return h("div", { class: "columns" }, panel(text.user.profile, facts([
      [text.users.username, user.username], [text.users.firstName, user.first_name], [text.users.lastName, user.last_name],
      [text.users.displayName, user.display_name], [text.users.phone, user.phone], [text.users.picture, user.avatar_url],
    ])), known);
  }
  let version = etag;
  let before = user;
  const form = makeForm({
    fields: [
      { name: "email", label: text.users.email, type: "email", required: true },
      { name: "username", label: text.users.username, required: true },
      { name: "first_name", label: text.users.firstName },
      { name: "last_name", label: text.users.lastName },
      { name: "display_name", label: text.users.displayName, hint: text.users.displayNameHint },
      { name: "phone", label: text.users.phone, type: "tel", hint: text.users.phoneHint },
      { name: "avatar_url", label: text.users.picture, type: "url", hint: text.users.pictureHint },
      { name: "metadata", label: text.users.metadata, type: "json", hint: text.users.metadataHint },
    ],
    values: user,
    submit: text.user.saveProfile,
    onSubmit: async (values, { key }) => {
      const wanted = changes(before, { ...values, metadata: values.metadata ?? {} });
      if (Object.keys(wanted).length === 0) {
        say(text.common.nothingChanged);
        return;
      }
      const saved = await saveOver(path, wanted, version, key);
      if (!saved) return;
      reload();
      say(text.common.saved);
    },
  });
  return h("div", { class: "columns" }, panel(text.user.profile, form.element), known);
}

/* Saves a change; where somebody was faster, asks which of the two is to stay. */
export async function saveOver(path, wanted, etag, key) {
  try {
    return await send("PATCH", path, wanted, { etag, key });
  } catch (error) {
    if (!is(error, 412)) throw error;
    const choice = await conflict();
    if (choice === "theirs") reload();
    if (choice !== "mine") return null;
    const { etag: now } = await get(path);
    return send("PATCH", path, wanted, { etag: now });
  }
}

function changeStatus(path, user, etag) {
  const name = nameOf(user);
  const form = makeForm({
    fields: [{ name: "status", label: text.common.status, type: "select", hint: text.user.statusHint, options: STATUSES.map((status) => [status, text.status[status]]) }],
    values: user,
    submit: text.user.changeStatus,
    onCancel: () => dialog.close(),
    onSubmit: async ({ status }, { key }) => {
      if (status !== user.status) {
        const saved = await saveOver(path, { status }, etag, key);
        if (!saved) return;
      }
      dialog.close();
      reload();
      if (status !== user.status) say(fill(text.user.statusChanged, { name, status: text.status[status] }));
    },
  });
  const dialog = openDialog({ title: fill(text.user.statusTitle, { name }), body: form.element });
}

async function remove(path, user) {
  const name = nameOf(user);
  const isGuest = Boolean(user.home_tenant_id);
  const really = await confirm({
    title: fill(isGuest ? text.user.dismissTitle : text.user.deleteTitle, { name }),
    body: h("p", {}, isGuest ? text.user.dismissLead : text.user.deleteLead),
    action: isGuest ? text.user.dismiss : text.user.delete,
    danger: true,
  });
  if (!really) return;
  await attempt(async () => {
    await send("DELETE", isGuest ? `${path}/membership` : path, null);
    go("/console/users");
    say(fill(text.user.deleted, { name }));
  });
}

async function roles(view, { path, name }) {
  const take = async (role) => {
    const really = await confirm({
      title: fill(text.user.takeTitle, { name, role: role.name }), body: h("p", {}, text.user.takeLead), action: text.user.take, danger: true,
    });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `${path}/roles/${role.id}`, null);
      say(fill(text.user.taken, { name, role: role.name }));
      await list.reload();
    });
  };
  const list = makeList({
    caption: text.user.roles,
    columns: [
      { label: text.user.role, kind: "main", cell: (role) => (may("role.read") ? h("a", { href: `/console/roles/${role.id}` }, role.name) : role.name) },
      { label: text.users.since, cell: (role) => h("span", { class: "aside" }, time(role.created_at, true)) },
      { label: text.user.until, cell: (role) => (role.expires_at ? [time(role.expires_at), new Date(role.expires_at) < new Date() && [" ", badge(text.user.expired, "bad")]] : h("span", { class: "aside" }, text.user.forGood)) },
      { label: text.common.actions, kind: "actions", cell: (role) => guarded("role.assign", button(text.user.take, { small: true, on: { click: () => take(role) } })) },
    ],
    key: (role) => role.id,
    load: (cursor, signal) => get(`${path}/roles`, { signal }),
    empty: text.user.noRoles,
    signal: view.signal,
  });
  const give = async () => {
    const choices = await attempt(() => all("/v1/roles", { signal: view.signal }));
    if (!choices) return;
    const form = makeForm({
      fields: [
        { name: "role_id", label: text.user.role, type: "select", required: true, options: choices.map((role) => [role.id, role.name]) },
        { name: "expires_at", label: text.user.until, type: "datetime", hint: text.user.untilHint },
      ],
      submit: text.user.giveRole,
      onCancel: () => dialog.close(),
      onSubmit: async ({ role_id, expires_at }, { key }) => {
        await send("POST", `${path}/roles`, { role_id, ...(expires_at && { expires_at }) }, { key });
        dialog.close();
        say(fill(text.user.given, { name, role: choices.find((role) => role.id === role_id)?.name ?? "" }));
        await list.reload();
      },
    });
    const dialog = openDialog({ title: fill(text.user.giveRoleTitle, { name }), body: form.element });
  };
  await list.reload();
  return [h("div", { class: "toolbar" }, guarded("role.assign", button(text.user.giveRole, { icon: "plus", id: "give-role", on: { click: give } }))), list.element];
}

async function groups(view, { user, name }) {
  const member = `members/${user.id}`;
  const leave = async (group) => {
    const really = await confirm({
      title: fill(text.user.leaveTitle, { name, group: group.name }), body: h("p", {}, text.user.leaveLead), action: text.user.leave, danger: true,
    });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `/v1/groups/${group.id}/${member}`, null);
      say(fill(text.user.left, { name, group: group.name }));
      await list.reload();
    });
  };
  const list = makeList({
    caption: text.user.groups,
    columns: [
      { label: text.user.group, kind: "main", cell: (group) => h("a", { href: `/console/groups/${group.id}` }, group.name) },
      { label: text.common.description, cell: (group) => h("span", { class: "aside" }, group.description) },
      { label: text.common.actions, kind: "actions", cell: (group) => guarded("group.update", button(text.user.leave, { small: true, on: { click: () => leave(group) } })) },
    ],
    key: (group) => group.id,
    load: (cursor, signal) => get("/v1/groups", { query: { member_id: user.id, cursor }, signal }),
    empty: text.user.noGroups,
    signal: view.signal,
  });
  const add = async () => {
    const choices = await attempt(() => all("/v1/groups", { signal: view.signal }));
    if (!choices) return;
    const form = makeForm({
      fields: [{ name: "group", label: text.user.group, type: "select", required: true, options: choices.map((group) => [group.id, group.name]) }],
      submit: text.common.add,
      onCancel: () => dialog.close(),
      onSubmit: async ({ group }) => {
        await send("PUT", `/v1/groups/${group}/${member}`, null);
        dialog.close();
        say(fill(text.user.inGroup, { name, group: choices.find((one) => one.id === group)?.name ?? "" }));
        await list.reload();
      },
    });
    const dialog = openDialog({ title: fill(text.user.addToGroupTitle, { name }), body: form.element });
  };
  await list.reload();
  return [h("div", { class: "toolbar" }, guarded("group.update", button(text.user.addToGroup, { icon: "plus", id: "add-to-group", on: { click: add } }))), list.element];
}

async function sessions(view, { user }) {
  try {
    const { sessionsOf } = await import("./sessions.js");
    return await sessionsOf(view, user);
  } catch (error) {
    report(error);
    return none(text.problem.cannotShow);
  }
}

async function access(view, { user }) {
  try {
    const { accessOf } = await import("./user-access.js");
    return await accessOf(view, user);
  } catch (error) {
    return problemView(error);
  }
}
