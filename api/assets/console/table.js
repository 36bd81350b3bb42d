/* Lists: a table whose next page is a button, with filters that stand in the address.
 *
 *   const list = makeList({
 *     caption: "Users",                       names the table for screen readers
 *     columns: [{ label: "Name", cell: (row) => node, kind: "main" | "quiet" | "narrow" | "actions" }, …],
 *     load: (cursor, signal) => get("/v1/users", { query: { ...filters, cursor }, signal }),
 *     empty: "Nobody matches.",               what stands there when there is nothing; text or node
 *     key: (row) => row.id,                   each row has it in `data-key`
 *     signal,                                 of the view
 *   });
 *   list.element; await list.reload(); list.prepend(row)
 *
 *   const filters = makeFilters({
 *     view,                                   of the router: the address follows
 *     fields: [{ name: "search", label: "Search", type: "search" }, { name: "status", label: "Status", options: [[value, label], …] }],
 *     onChange: (values) => list.reload(),
 *   });
 *   filters.element; filters.values()
 */

import { isAbort } from "./api.js";
import { h, icon, clear, uid } from "./dom.js";
import { problemView } from "./status.js";
import { text, fill } from "./text.js";

export function makeList({ caption, columns, load, empty, key, signal }) {
  const body = h("tbody");
  const table = h("table", { class: "table" },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, columns.map((column) =>
      h("th", { scope: "col", class: column.kind && `cell-${column.kind}` }, column.kind === "actions" ? h("span", { class: "visually-hidden" }, column.label) : column.label)))),
    body);
  const more = h("button", { type: "button", class: "button button-wide list-more", hidden: true }, text.common.more);
  const note = h("div", { class: "list-note", "aria-live": "polite" });
  const element = h("div", { class: "list", "aria-busy": "true" }, table, note, more);
  let cursor = null;
  let request = 0;
  let count = 0;
  let own = null;

  async function page(begin) {
    request += 1;
    const mine = request;
    own?.abort();
    own = new AbortController();
    element.setAttribute("aria-busy", "true");
    more.setAttribute("aria-disabled", "true");
    // A quick answer needs no word about waiting.
    const waiting = setTimeout(() => count === 0 && clear(note, h("p", { class: "none" }, text.common.loading)), 250);
    try {
      const abort = signal ? AbortSignal.any([signal, own.signal]) : own.signal;
      const { data, page } = await load(begin ? null : cursor, abort);
      if (mine !== request) return;
      const focusAt = begin ? null : count;
      if (begin) {
        clear(body);
        count = 0;
      }
      clear(note);
      data.forEach((row) => body.append(makeRow(row)));
      count += data.length;
      cursor = page.next ?? null;
      more.hidden = cursor === null;
      table.hidden = count === 0;
      if (count === 0 && cursor === null) clear(note, typeof empty === "string" ? h("p", { class: "empty" }, empty) : empty);
      // Of a list of which the next rows came, the first of them is read next.
      if (focusAt !== null && data.length > 0) body.rows[focusAt]?.querySelector("a, button")?.focus();
    } catch (error) {
      if (isAbort(error) || mine !== request) return;
      if (begin) {
        clear(body);
        count = 0;
        table.hidden = true;
        more.hidden = true;
      }
      clear(note, problemView(error, { retry: () => page(begin) }));
    } finally {
      clearTimeout(waiting);
      if (mine === request) {
        element.removeAttribute("aria-busy");
        more.removeAttribute("aria-disabled");
      }
    }
  }

  function makeRow(row) {
    return h("tr", { "data-key": key?.(row) }, columns.map((column, index) =>
      h(index === 0 ? "th" : "td", { scope: index === 0 ? "row" : null, class: column.kind && `cell-${column.kind}`, "data-label": column.label || null },
        column.cell(row, api))));
  }

  more.addEventListener("click", () => more.getAttribute("aria-disabled") !== "true" && page(false));
  const api = {
    element,
    reload: () => page(true),
    prepend(row) {
      table.hidden = false;
      clear(note);
      body.prepend(makeRow(row));
      count += 1;
    },
    replace(row) {
      body.querySelector(`[data-key="${CSS.escape(key(row))}"]`)?.replaceWith(makeRow(row));
    },
  };
  return api;
}

export function makeFilters({ view, fields, onChange, more = [] }) {
  const controls = fields.filter(Boolean).map((field) => {
    const id = uid(`filter-${field.name}`);
    const value = view.query.get(field.name) ?? "";
    const control = field.options
      ? h("select", { class: "input input-small", id }, h("option", { value: "" }, field.any ?? text.common.any), field.options.map(([option, label]) => h("option", { value: option }, label)))
      : h("input", { class: "input input-small", id, type: field.type ?? "text", autocomplete: "off", spellcheck: "false", maxlength: 200, placeholder: field.placeholder, ...field.attributes });
    control.value = value;
    const isSearch = field.type === "search";
    const element = h("div", { class: isSearch ? "filter filter-search" : "filter" },
      h("label", { for: id, class: isSearch ? "visually-hidden" : null }, field.label), isSearch && icon("search"), control);
    return { name: field.name, control, element };
  });
  const values = () => Object.fromEntries(controls.map(({ name, control }) => [name, control.value.trim() || null]));
  let timer;
  const changed = () => {
    clearTimeout(timer);
    view.setQuery(values());
    onChange(values());
  };
  for (const { control } of controls) {
    if (control.tagName === "SELECT" || ["date", "datetime-local"].includes(control.type)) {
      control.addEventListener("change", changed);
    } else {
      control.addEventListener("input", () => {
        clearTimeout(timer);
        timer = setTimeout(changed, 250);
      });
    }
  }
  const element = h("form", { class: "filters", role: "search", "aria-label": fill(text.common.filtersOf, { what: document.title.split(" – ")[0] }) },
    controls.map(({ element }) => element), more);
  element.addEventListener("submit", (event) => {
    event.preventDefault();
    changed();
  });
  return { element, values };
}
