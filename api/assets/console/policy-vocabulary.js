/* What policies can speak of, beside the editor: a press on an attribute or an action puts it into the text. */

import { h, clear, uid } from "./dom.js";
import { none } from "./parts.js";
import { scan } from "./policy-json.js";
import { problemView } from "./status.js";
import { text, fill } from "./text-policies.js";

export function vocabularyPanel(view, { vocabulary, editor, readOnly }) {
  const selectId = uid("resource");
  const select = h("select", { class: "input input-small", id: selectId });
  const search = h("input", { type: "search", class: "input input-small", "aria-label": text.vocabulary.find, placeholder: text.vocabulary.find, autocomplete: "off", spellcheck: "false" });
  const body = h("div", { class: "vocabulary-body" });
  const element = h("section", { class: "panel vocabulary" },
    h("h2", {}, text.vocabulary.title), !readOnly && h("p", { class: "hint" }, text.vocabulary.hint),
    h("div", { class: "field" }, h("label", { for: selectId }, text.vocabulary.resource), select), search, body);
  let known = null;
  let chosen = false;

  function draw() {
    const resource = known.resources.find((one) => one.resource === select.value);
    const wanted = search.value.trim().toLowerCase();
    const fits = (attribute) => wanted === "" || `${attribute.name} ${attribute.meaning}`.toLowerCase().includes(wanted);
    const own = resource?.attributes.filter(fits) ?? [];
    const common = known.common.filter(fits);
    clear(body,
      resource && wanted === "" && [h("h3", {}, text.vocabulary.actions), h("ul", { class: "chips chips-press" }, ["*", ...resource.actions].map((action) =>
        h("li", {}, press(h("code", {}, action), "chip-press", fill(text.vocabulary.useAction, { action }), () => target(resource.resource, action)))))],
      resource && own.length > 0 && [h("h3", {}, fill(text.vocabulary.of, { resource: resource.resource })), attributes(own)],
      common.length > 0 && [h("h3", {}, text.vocabulary.common), attributes(common)],
      own.length + common.length === 0 && none(text.vocabulary.none));
  }

  function attributes(list) {
    return h("ul", { class: "attributes" }, list.map((attribute) => h("li", {},
      press([h("code", {}, attribute.name), h("span", { class: "attribute-type" }, attribute.type), h("span", { class: "attribute-meaning" }, attribute.meaning)],
        "attribute", fill(text.vocabulary.insert, { name: attribute.name }), () => insert(attribute.name)))));
  }

  function press(content, kind, title, act) {
    return readOnly ? h("span", { class: kind }, content) : h("button", { type: "button", class: kind, title, on: { click: act } }, content);
  }

  /* In a text the bare name; elsewhere a new condition, with the commas that it needs and the caret where its value comes. */
  function insert(name) {
    if (!editor.isTouched()) toConditions();
    const { selectionStart: at } = editor.field;
    const [before, after] = [editor.source().slice(0, at), editor.source().slice(at)];
    const line = before.slice(before.lastIndexOf("\n") + 1);
    if ((line.replace(/\\./g, "").match(/"/g) ?? []).length % 2 === 1) {
      editor.insert(name);
      return;
    }
    const isFirst = /[{,]\s*$/.test(before);
    const isBare = /\[\s*$/.test(before);
    const next = `,\n${/^ */.exec(line)[0]}`;
    const start = isFirst || isBare ? "" : next;
    const end = /^"/.test(after) ? next : /^\s*"/.test(after) ? "," : isBare ? "}" : "";
    editor.insert(`${start}${isBare ? "{" : ""}"${name}": ""${end}`, 1 + end.length);
  }

  /* Where a condition belongs: behind the last one of the first alternative. */
  function toConditions() {
    const { place } = scan(editor.source());
    const [first, list] = [place("/rules/conditions/0"), place("/rules/conditions")];
    const at = first.isExact ? editor.source().slice(0, first.end - 1).trimEnd().length : list.isExact ? list.start + 1 : editor.source().length;
    editor.field.setSelectionRange(at, at);
  }

  function target(resource, action) {
    const put = (pointer, value) => {
      const { start, end, isExact } = scan(editor.source()).place(pointer);
      if (isExact) editor.replace(start, end, JSON.stringify(value));
      return isExact;
    };
    if (!put("/target/action", action) | !put("/target/resource", resource)) editor.insert(`"${action}"`);
  }

  /* Shows the kind of resource that the text is about, until another one is chosen by hand. */
  function follow() {
    if (!known || chosen) return;
    const resource = scan(editor.source()).value?.target?.resource ?? "*";
    const next = known.resources.some((one) => one.resource === resource) ? resource : "*";
    if (select.value === next) return;
    select.value = next;
    draw();
  }

  select.addEventListener("change", () => {
    chosen = true;
    draw();
  });
  search.addEventListener("input", draw);
  vocabulary().then((data) => {
    known = data;
    clear(select, h("option", { value: "*" }, text.vocabulary.every), data.resources.map(({ resource }) => h("option", { value: resource }, resource)));
    follow();
    draw();
  }).catch((problem) => !view.signal.aborted && clear(body, problemView(problem)));
  return { element, follow };
}
