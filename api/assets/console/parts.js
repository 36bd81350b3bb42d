/* What pages are put together from.
 *
 *   page(view, { title, lead, back: { href, label }, monogram, badge, actions: [buttons] }, ...content)
 *   panel("Profile", ...content)              a card with a heading
 *   facts([["E-mail", node], …])              names and values; what is empty is left out
 *   tabs(view, [{ id, label, href, hidden }], current)
 *   badge("Active", "good" | "bad" | "wait" | "plain"), statusBadge("active"), chips([texts])
 *   button("Save", { primary, danger, small, icon, id, on: { click } }), link, copyable(text), asideTime(iso)
 *   loading(view)                             after a while, says that it is under way
 */

import { h, icon, clear, time, ago } from "./dom.js";
import { attempt, say } from "./status.js";
import { text } from "./text.js";

export function page(view, { title, lead, back, monogram, badge, actions = [] }, ...content) {
  if (view.signal.aborted) return;
  view.title(title);
  clear(view.root,
    back && h("a", { class: "back", href: back.href }, icon("back"), back.label),
    h("header", { class: "page-head" },
      monogram && h("span", { class: "monogram monogram-person", "aria-hidden": "true" }, [...monogram][0] ?? "?"),
      h("div", { class: "page-head-main" },
        h("h1", { id: "page-title", tabindex: "-1" }, title, badge && " ", badge),
        lead && h("p", {}, lead)),
      actions.filter(Boolean).length > 0 && h("div", { class: "page-actions" }, actions)),
    content);
}

export function panel(title, ...content) {
  return h("section", { class: "panel" }, title && h("h2", {}, title), content);
}

export function facts(pairs) {
  return h("dl", { class: "facts" }, pairs.filter(Boolean).filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "").map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

export function tabs(items, current) {
  return h("nav", { class: "tabs", "aria-label": text.common.parts },
    h("ul", {}, items.filter((item) => item && !item.hidden).map((item) =>
      h("li", {}, h("a", { href: item.href, "aria-current": item.id === current ? "page" : null }, item.label)))));
}

export function badge(label, kind = "plain") {
  return h("span", { class: `badge badge-${kind}` }, label);
}

const KINDS = {
  active: "good", enabled: "good", allow: "good", allowed: "good", verified: "good",
  pending: "wait", hold: "wait", provisioning: "wait", inactive: "plain", disabled: "plain",
  banned: "bad", suspended: "bad", deny: "bad", denied: "bad", failed: "bad",
};

export function statusBadge(status) {
  return badge(text.status[status] ?? status, KINDS[status] ?? "plain");
}

export function chips(items, plain = false) {
  return h("ul", { class: plain ? "chips chips-plain" : "chips" }, items.map((item) => h("li", {}, item)));
}

export function button(label, { primary = false, danger = false, small = false, icon: name, id, type = "button", on, ...rest } = {}) {
  const kind = ["button", primary && "button-primary", danger && "button-danger", small && "button-small"].filter(Boolean).join(" ");
  return h("button", { type, class: kind, id, on, ...rest }, name && icon(name), label);
}

/* A link that looks like a button. */
export function buttonLink(label, href, { primary = false, icon: name, id } = {}) {
  return h("a", { class: primary ? "button button-primary" : "button", href, id }, name && icon(name), label);
}

/* A value that is copied by a press. */
export function copyable(value) {
  const copy = () => attempt(async () => {
    await navigator.clipboard.writeText(value);
    say(text.common.copied);
  });
  return h("span", { class: "copyable" }, h("code", {}, value),
    h("button", { type: "button", class: "icon-button", "aria-label": `${text.common.copy} ${value}`, on: { click: copy } }, icon("copy")));
}

/* A time with how far away it is. */
export function asideTime(iso) {
  return iso ? [time(iso), " ", h("span", { class: "aside whole" }, ago(iso))] : null;
}

export function none(words) {
  return h("p", { class: "none" }, words);
}

/* What somebody is called. */
export function nameOf(account) {
  return account.display_name || [account.first_name, account.last_name].filter(Boolean).join(" ") || account.email || account.username || account.id;
}

export function loading(view) {
  const timer = setTimeout(() => {
    const head = view.root.querySelector("#page-title");
    if (!view.signal.aborted && !head) clear(view.root, h("p", { class: "none" }, text.common.loading));
  }, 250);
  view.signal.addEventListener("abort", () => clearTimeout(timer));
}
