/* Who is signed in where. `sessionsOf(view, user)` is the part of it that a person's page shows. */

import { get, send } from "./api.js";
import { confirm, openDialog } from "./dialog.js";
import { h, ago, time } from "./dom.js";
import { personPicker } from "./group.js";
import { makeForm } from "./form.js";
import { guarded, may, me } from "./me.js";
import { badge, button, buttonLink, nameOf, page, tabs } from "./parts.js";
import { go } from "./router.js";
import { attempt, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text.js";

export async function show(view) {
  const everybody = view.params.tab === "all" && may("session.read");
  const user = view.query.get("user");
  const list = everybody
    ? sessionList(view, (cursor, signal) => get("/v1/sessions", { query: { user, cursor }, signal }), { withPerson: true })
    : sessionList(view, (cursor, signal) => get("/v1/users/me/sessions", { query: { cursor }, signal }), { isOwn: true });
  page(view, {
    title: text.sessions.title,
    lead: everybody ? text.sessions.leadAll : text.sessions.lead,
    actions: everybody ? [
      user && buttonLink(text.sessions.everybody, "/console/sessions/all"),
      button(text.sessions.ofPerson, { id: "of-person", on: { click: () => choosePerson(view.signal) } }),
    ] : [],
  },
  may("session.read") && tabs([
    { id: "own", label: text.sessions.own, href: "/console/sessions" },
    { id: "all", label: text.sessions.all, href: "/console/sessions/all" },
  ], everybody ? "all" : "own"),
  list.element);
  await list.reload();
}

/* Those of one person, with a way to end all of them. */
export async function sessionsOf(view, user) {
  const isOwn = user.id === me.subject;
  const load = isOwn && !may("session.read")
    ? (cursor, signal) => get("/v1/users/me/sessions", { query: { cursor }, signal })
    : (cursor, signal) => get("/v1/sessions", { query: { user: user.id, cursor }, signal });
  const list = sessionList(view, load, { isOwn });
  const endAll = async () => {
    const name = nameOf(user);
    const really = await confirm({ title: fill(text.sessions.endAllTitle, { name }), body: h("p", {}, text.sessions.endAllLead), action: text.sessions.endAll, danger: true });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `/v1/users/${user.id}/sessions`, null);
      say(fill(text.sessions.endedAll, { name }));
      await list.reload();
    });
  };
  await list.reload();
  return [h("div", { class: "toolbar" }, guarded("session.revoke", button(text.sessions.endAll, { danger: true, id: "end-sessions", on: { click: endAll } }))), list.element];
}

function sessionList(view, load, { withPerson = false, isOwn = false }) {
  const end = async (session) => {
    const really = await confirm({
      title: text.sessions.endTitle,
      body: h("p", {}, session.current ? text.sessions.endCurrent : text.sessions.endLead),
      action: text.sessions.end,
      danger: true,
    });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", isOwn && !may("session.revoke") ? `/v1/users/me/sessions/${session.id}` : `/v1/sessions/${session.id}`, null);
      say(text.sessions.ended);
      await list.reload();
    });
  };
  const columns = [
    withPerson && {
      label: text.users.name, kind: "main",
      cell: ({ user }) => h("div", {}, h("a", { href: `/console/users/${user.id}/sessions` }, nameOf(user)), user.email && nameOf(user) !== user.email && h("span", { class: "aside block" }, user.email)),
    },
    {
      label: text.sessions.where, kind: "main",
      cell: (session) => h("div", {}, device(session.user_agent), session.current && [" ", badge(text.sessions.current, "good")],
        session.address && h("span", { class: "aside block" }, session.address)),
    },
    { label: text.sessions.signedIn, cell: (session) => h("span", { class: "aside" }, time(session.authenticated_at)) },
    { label: text.sessions.lastUsed, cell: (session) => session.last_used_at && h("span", { class: "aside whole", title: session.last_used_at }, ago(session.last_used_at)) },
    { label: text.sessions.how, cell: (session) => h("span", { class: "aside" }, methods(session)) },
    {
      label: text.common.actions, kind: "actions",
      cell: (session) => (isOwn ? button(text.sessions.end, { small: true, on: { click: () => end(session) } })
        : guarded("session.revoke", button(text.sessions.end, { small: true, on: { click: () => end(session) } }))),
    },
  ].filter(Boolean);
  const list = makeList({ caption: text.sessions.title, columns, key: (session) => session.id, load, empty: text.sessions.none, signal: view.signal });
  return list;
}

/* How somebody proved who they are. */
function methods({ amr = [], acr }) {
  const names = (amr ?? []).map((method) => text.sessions.methods[method] ?? method).join(", ");
  return names || (acr ? `acr ${acr}` : text.common.none);
}

/* A browser and a system, out of what the browser says of itself; the whole of it stands in the title. */
export function device(agent) {
  if (!agent) return text.sessions.unknownDevice;
  const browser = [["Edg", "Edge"], ["OPR", "Opera"], ["Firefox", "Firefox"], ["Chrome", "Chrome"], ["Safari", "Safari"]].find(([mark]) => agent.includes(`${mark}/`))?.[1];
  const system = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["CrOS", "ChromeOS"], ["Linux", "Linux"]].find(([mark]) => agent.includes(mark))?.[1];
  const name = browser && system ? fill(text.sessions.device, { browser, system }) : browser ?? system ?? agent.slice(0, 40);
  return h("span", { title: agent }, name);
}

function choosePerson(signal) {
  const form = makeForm({
    fields: [{ name: "user", label: text.groups.who, type: "own", control: personPicker(signal), required: true }],
    submit: text.sessions.show,
    onCancel: () => dialog.close(),
    onSubmit: async ({ user }) => {
      dialog.close();
      go(`/console/sessions/all?user=${user.id}`);
    },
  });
  const dialog = openDialog({ title: text.sessions.ofPerson, body: form.element });
}
