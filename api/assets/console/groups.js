/* Who belongs together. */

import { all, get, send } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, time } from "./dom.js";
import { makeForm } from "./form.js";
import { guarded } from "./me.js";
import { button, page } from "./parts.js";
import { go } from "./router.js";
import { attempt, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text.js";

export async function show(view) {
  const list = groupList(view, { caption: text.groups.title, empty: text.groups.none });
  page(view, {
    title: text.groups.title,
    lead: text.groups.lead,
    actions: [guarded("group.create", button(text.groups.new, { primary: true, icon: "plus", id: "new-group", on: { click: () => createGroup(view) } }))],
  }, list.element);
  await list.reload();
}

export function groupList(view, { caption, empty, query = {} }) {
  return makeList({
    caption,
    columns: [
      { label: text.common.name, kind: "main", cell: (group) => h("a", { href: `/console/groups/${group.id}` }, group.name) },
      { label: text.common.description, cell: (group) => group.description && h("span", { class: "aside" }, group.description) },
      { label: text.common.created, kind: "narrow", cell: (group) => h("span", { class: "aside" }, time(group.created_at, true)) },
    ],
    key: (group) => group.id,
    load: (cursor, signal) => get("/v1/groups", { query: { ...query, cursor }, signal }),
    empty,
    signal: view.signal,
  });
}

export async function createGroup(view, parent = null) {
  const groups = await attempt(() => all("/v1/groups", { signal: view.signal }));
  if (!groups) return;
  const form = makeForm({
    fields: [
      { name: "name", label: text.common.name, required: true },
      { name: "description", label: text.common.description },
      { name: "parent_id", label: text.groups.partOf, type: "select", options: [["", text.groups.noParent], ...groups.map((group) => [group.id, group.name])] },
    ],
    values: { parent_id: parent },
    submit: text.common.create,
    onCancel: () => dialog.close(),
    onSubmit: async (values, { key }) => {
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
      const { data } = await send("POST", "/v1/groups", body, { key });
      dialog.close();
      go(`/console/groups/${data.id}`);
      say(fill(text.groups.created, { name: data.name }));
    },
  });
  const dialog = openDialog({ title: text.groups.new, body: form.element });
}
