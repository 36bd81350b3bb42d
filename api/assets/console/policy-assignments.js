/* Whom a policy is for. */

import { all, get, send } from "./api.js";
import { confirm, openDialog } from "./dialog.js";
import { h, clear, time, uid } from "./dom.js";
import { makeForm } from "./form.js";
import { personPicker } from "./group.js";
import { guarded, may } from "./me.js";
import { badge, button, none } from "./parts.js";
import { nameFor, named } from "./policy-names.js";
import { attempt, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

/* What each is found by, and what has to be allowed for that. */
const TYPES = [["role", "role.read"], ["group", "group.read"], ["user", "account.read"]];

export async function show(view, { path, policy }) {
  const callout = h("p", { class: "callout", id: "reach" });
  const list = makeList({
    caption: text.policy.assignments,
    columns: [
      { label: text.assignments.whom, kind: "main", cell: (one) => named(one.assignee_type, one.assignee_id, view.signal) },
      { label: text.assignments.type, kind: "narrow", cell: (one) => badge(text.assignments.types[one.assignee_type] ?? one.assignee_type) },
      { label: text.assignments.since, cell: (one) => h("span", { class: "aside" }, time(one.created_at, true)) },
      { label: text.common.actions, kind: "actions", cell: (one) => guarded("policy.assign", button(text.assignments.take, { small: true, on: { click: () => take(one) } })) },
    ],
    key: (one) => one.id,
    load: async (cursor, signal) => {
      const answer = await get(`${path}/assignments`, { query: { cursor }, signal });
      if (!cursor) callout.textContent = answer.data.length === 0 ? text.assignments.everyone : text.assignments.some;
      return answer;
    },
    empty: text.assignments.none,
    signal: view.signal,
  });

  async function take(one) {
    const name = (await nameFor(one.assignee_type, one.assignee_id, view.signal)) ?? one.assignee_id;
    const isLast = list.element.querySelectorAll("tbody tr").length === 1;
    const really = await confirm({
      title: fill(text.assignments.takeTitle, { name }), body: h("p", {}, isLast ? text.assignments.takeLast : text.assignments.takeLead), action: text.assignments.take, danger: true,
    });
    if (!really) return;
    await attempt(async () => {
      await send("DELETE", `${path}/assignments/${one.id}`, null);
      say(fill(text.assignments.taken, { name }));
      await list.reload();
    });
  }

  function add() {
    const control = picker(view.signal);
    const form = makeForm({
      fields: [{ name: "whom", pointer: "/assignee_id", label: text.assignments.whom, type: "own", control, required: true }],
      submit: text.assignments.assign,
      onCancel: () => dialog.close(),
      onSubmit: async ({ whom }, { key }) => {
        await send("POST", `${path}/assignments`, { assignee_type: whom.type, assignee_id: whom.id }, { key });
        dialog.close();
        say(fill(text.assignments.assigned, { policy: policy.name, name: whom.name }));
        await list.reload();
      },
    });
    const dialog = openDialog({ title: fill(text.assignments.addTitle, { name: policy.name }), body: form.element });
  }

  await list.reload();
  return [callout, h("div", { class: "toolbar" }, guarded("policy.assign", button(text.assignments.add, { icon: "plus", id: "assign-policy", on: { click: add } }))), list.element];
}

/* A kind, and one of it that is found by its name. */
function picker(signal) {
  const types = TYPES.filter(([, needed]) => may(needed));
  const kind = h("select", { class: "input", id: uid("kind"), "aria-label": text.assignments.type }, types.map(([type]) => h("option", { value: type }, text.assignments.types[type])));
  const place = h("div", {});
  let own = null;
  const show = () => {
    own = kind.value === "user" ? person(signal) : thing(kind.value, signal);
    clear(place, own.element);
  };
  kind.addEventListener("change", show);
  show();
  return { element: h("div", { class: "picker" }, kind, place), value: () => own.value(), focus: () => own.focus() };
}

function person(signal) {
  const own = personPicker(signal);
  const value = () => {
    const user = own.value();
    return user && { type: "user", id: user.id, name: user.display_name || user.email || user.id };
  };
  return { ...own, value };
}

function thing(type, signal) {
  const group = uid(type);
  const search = h("input", { type: "search", class: "input", "aria-label": text.assignments.find, placeholder: text.assignments.find, autocomplete: "off", spellcheck: "false" });
  const found = h("div", { class: "check-list", "aria-live": "polite" });
  let known = [];
  const draw = () => {
    const wanted = search.value.trim().toLowerCase();
    const fits = known.filter(({ name }) => name.toLowerCase().includes(wanted)).slice(0, 50);
    clear(found, fits.length === 0 && none(text.assignments.nothing), fits.map((one, index) => {
      const id = uid("one");
      return h("div", { class: "check-row" }, h("input", { type: "radio", class: "check", id, name: group, value: one.id, checked: index === 0 }), h("label", { for: id }, one.name));
    }));
  };
  search.addEventListener("input", draw);
  attempt(async () => {
    known = await all(type === "role" ? "/v1/roles" : "/v1/groups", { signal });
    draw();
  });
  const value = () => {
    const one = known.find(({ id }) => id === found.querySelector("input:checked")?.value);
    return one ? { type, id: one.id, name: one.name } : null;
  };
  return { element: h("div", { class: "picker" }, search, found), value, focus: () => search.focus() };
}
