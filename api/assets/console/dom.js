/* Elements out of data. Nothing here, or anywhere in the console, turns text into markup: what comes from the API
 * becomes text nodes and attribute values, so a name is never more than a name.
 *
 *   h("p", { class: "hint", on: { click: act } }, "Hello ", h("b", {}, name))
 *   icon("plus"), time("2026-01-31T09:30:00Z"), clear(node, ...children)
 *
 * Properties are attributes; `true` is one without a value, `null`, `undefined` and `false` leave it out. `on` has
 * listeners. Children are nodes, texts, numbers, arrays of them, or nothing.
 */

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "on") {
      for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  append(element, children);
  return element;
}

export function append(parent, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    parent.append(child instanceof Node ? child : String(child));
  }
  return parent;
}

/* Replaces what an element has. */
export function clear(parent, ...children) {
  parent.replaceChildren();
  return append(parent, children);
}

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  plus: "M12 5v14M5 12h14",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  warn: "M12 7.5v5M12 16.25v.01M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z",
  ok: "M5 12.5l4.5 4.5L19 7.5",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5L20 20",
  download: "M12 4v11M7 10.5l5 5 5-5M5 20h14",
  upload: "M12 16V5M7 9.5l5-5 5 5M5 20h14",
  copy: "M9 9h10v11H9zM5 15V4h10",
};

/* A picture beside words that say the same. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { numeric: "auto" });

/* A point in time as the reader writes it, with the exact one to be seen on it. `short` leaves the hour out. */
export function time(iso, short = false) {
  if (!iso) return null;
  const date = new Date(iso);
  return h("time", { datetime: iso, title: iso }, (short ? day : whole).format(date));
}

/* How far away that is: "in 3 days", "2 hours ago". */
export function ago(iso, now = Date.now()) {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const steps = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(Math.round(seconds), "second");
}

let last = 0;
/* An id that no other element of the page has. */
export function uid(prefix) {
  last += 1;
  return `${prefix}-${last}`;
}
