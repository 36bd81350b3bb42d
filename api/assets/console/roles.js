/* What people may do, by role. `permissionTree(all, chosen)` is a control for a form: a tree of check boxes. */

import { all, get, send } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, uid } from "./dom.js";
import { makeForm } from "./form.js";
import { guarded } from "./me.js";
import { badge, button, page } from "./parts.js";
import { go } from "./router.js";
import { attempt, say } from "./status.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text.js";

export const FAMILIES = ["Internal", "Provider", "Customer"];

export async function show(view) {
  const filters = makeFilters({
    view,
    fields: [
      { name: "role_family", label: text.roles.family, options: FAMILIES.map((family) => [family, text.roles.families[family]]) },
      { name: "is_system", label: text.roles.kind, options: [["false", text.roles.own], ["true", text.roles.system]] },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.roles.title,
    columns: [
      {
        label: text.common.name, kind: "main",
        cell: (role) => h("div", {}, h("a", { href: `/console/roles/${role.id}` }, role.name), role.is_system && [" ", badge(text.roles.systemBadge)],
          role.description && h("span", { class: "aside block" }, role.description)),
      },
      { label: text.roles.family, kind: "narrow", cell: (role) => text.roles.families[role.role_family] ?? role.role_family },
      { label: text.roles.permissions, cell: (role) => h("span", { class: "aside" }, summary(role)) },
    ],
    key: (role) => role.id,
    load: (cursor, signal) => get("/v1/roles", { query: { ...filters.values(), cursor }, signal }),
    empty: text.roles.none,
    signal: view.signal,
  });
  page(view, {
    title: text.roles.title,
    lead: text.roles.lead,
    actions: [guarded("role.create", button(text.roles.new, { primary: true, icon: "plus", id: "new-role", on: { click: () => create(view) } }))],
  }, filters.element, list.element);
  await list.reload();
}

/* What a role allows, in a few words. */
export function summary(role) {
  if (role.permissions.includes("*")) return text.roles.everything;
  const first = role.permissions.slice(0, 3).join(", ");
  const more = role.permissions.length - 3;
  const own = more > 0 ? fill(text.roles.andMore, { first, more }) : first;
  if (role.inherits.length === 0) return own || text.roles.nothing;
  const inherited = fill(text.roles.inheritsFrom, { count: role.inherits.length });
  return own ? `${own}; ${inherited}` : inherited;
}

async function create(view) {
  const choices = await attempt(() => Promise.all([permissions(view.signal), all("/v1/roles", { signal: view.signal })]));
  if (!choices) return;
  const [names, roles] = choices;
  const form = makeForm({
    fields: [
      { name: "name", label: text.common.name, required: true, hint: text.roles.nameHint },
      { name: "role_family", label: text.roles.family, type: "select", options: FAMILIES.map((family) => [family, text.roles.families[family]]) },
      { name: "description", label: text.common.description },
      { name: "permissions", label: text.roles.permissions, type: "own", control: permissionTree(names, []) },
      { name: "inherits", label: text.roles.inherits, type: "own", hint: text.roles.inheritsHint, control: checkList(roles.map((role) => [role.id, role.name]), []) },
    ],
    submit: text.common.create,
    onCancel: () => dialog.close(),
    onSubmit: async ({ description, ...values }, { key }) => {
      const { data } = await send("POST", "/v1/roles", { ...values, ...(description && { description }) }, { key });
      dialog.close();
      go(`/console/roles/${data.id}`);
      say(fill(text.roles.created, { name: data.name }));
    },
  });
  const dialog = openDialog({ title: text.roles.new, body: form.element, wide: true });
}

/* The names of all permissions there are; none where they may not be seen. */
export async function permissions(signal) {
  try {
    return (await all("/v1/permissions", { signal, most: 2000 })).map((permission) => permission.name);
  } catch (error) {
    if (signal?.aborted) throw error;
    return [];
  }
}

/* Check boxes by resource. The box of a resource stands for `resource.*`, which has what will come as well; the first for `*`.
 * What is chosen and not known here stays chosen. */
export function permissionTree(names, chosen, { disabled = false } = {}) {
  const selected = new Set(chosen);
  const byResource = new Map();
  for (const name of [...names, ...chosen]) {
    const [resource, action] = name.split(".");
    if (resource === "*") continue;
    if (!byResource.has(resource)) byResource.set(resource, new Set());
    if (action !== "*") byResource.get(resource).add(action);
  }
  const boxes = [];
  const box = (pattern, label, parent) => {
    const id = uid("permission");
    const input = h("input", { type: "checkbox", class: "check", id, value: pattern, disabled });
    input.addEventListener("change", () => {
      if (input.checked) selected.add(pattern);
      else selected.delete(pattern);
      refresh();
    });
    boxes.push({ pattern, input, parent });
    return h("div", { class: "check-row" }, input, h("label", { for: id }, label));
  };
  const top = box("*", text.roles.everythingLong, null);
  const groups = [...byResource].sort(([a], [b]) => a.localeCompare(b)).map(([resource, actions]) => {
    const count = h("span", { class: "aside" });
    const whole = box(`${resource}.*`, h("code", {}, `${resource}.*`), "*");
    const items = [...actions].sort().map((action) => h("li", {}, box(`${resource}.${action}`, h("code", {}, action), `${resource}.*`)));
    const details = h("details", { open: [...selected].some((pattern) => pattern.startsWith(`${resource}.`)) },
      h("summary", {}, h("span", {}, resource), count),
      h("div", { class: "tree-items" }, whole, h("ul", {}, items)));
    return { resource, details, count, of: actions.size };
  });
  const search = h("input", { type: "search", class: "input input-small", "aria-label": text.roles.searchPermissions, placeholder: text.roles.searchPermissions, autocomplete: "off", spellcheck: "false" });
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLowerCase();
    for (const { resource, details } of groups) {
      const found = [...details.querySelectorAll("li")].filter((item) => {
        const hit = wanted === "" || `${resource}.${item.textContent}`.includes(wanted);
        item.hidden = !hit;
        return hit;
      });
      details.hidden = wanted !== "" && found.length === 0 && !resource.includes(wanted);
      if (wanted !== "" && found.length > 0) details.open = true;
    }
  });
  function refresh() {
    for (const { pattern, input, parent } of boxes) {
      const implied = pattern !== "*" && (selected.has("*") || (parent !== "*" && selected.has(parent)));
      input.checked = selected.has(pattern) || implied;
      input.disabled = disabled || implied;
    }
    for (const { resource, count, of } of groups) {
      const own = [...selected].filter((pattern) => pattern.startsWith(`${resource}.`) && !pattern.endsWith(".*")).length;
      const isWhole = selected.has("*") || selected.has(`${resource}.*`);
      count.textContent = isWhole ? text.roles.all : own > 0 ? fill(text.roles.someOf, { own, of }) : "";
    }
  }
  refresh();
  const element = h("div", { class: "tree" }, groups.length > 6 && search, top, groups.map((group) => group.details));
  return { element, value: () => [...selected].sort(), focus: () => (groups.length > 6 ? search : boxes[0].input).focus() };
}

/* Check boxes for `[value, label]`s. */
export function checkList(options, chosen) {
  const inputs = options.map(([value, label]) => {
    const id = uid("choice");
    const input = h("input", { type: "checkbox", class: "check", id, value, checked: chosen.includes(value) });
    return [input, h("div", { class: "check-row" }, input, h("label", { for: id }, label))];
  });
  return {
    element: h("div", { class: "check-list" }, inputs.map(([, row]) => row)),
    value: () => inputs.filter(([input]) => input.checked).map(([input]) => input.value).sort(),
    focus: () => inputs[0]?.[0].focus(),
  };
}
