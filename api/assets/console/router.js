/* Pages by address, without loading the document again.
 *
 *   route("/console/users/:id/:tab?", () => import("./user.js"));
 *
 * A module has `show(view)`, which may be asynchronous: `view.params`, `view.query` (URLSearchParams), `view.signal`
 * (aborted when somebody goes elsewhere), `view.root` (the element to fill), `view.title(text)`, `view.setQuery(values)`.
 * Links are plain `<a href>`: those to a known page are followed here. `go(path)` goes there, `reload()` shows the page anew.
 * After each step the page's `#page-title` has the focus, and the title of the document is read.
 */

import { isAbort } from "./api.js";
import { h, clear } from "./dom.js";
import { problemView, hush } from "./status.js";
import { text } from "./text.js";

const routes = [];
const root = () => document.getElementById("app");
const product = document.title.split(" – ").pop();
let current = null;
let guard = null;

export function route(pattern, load) {
  const names = [];
  const source = pattern.replace(/\/:(\w+)(\?)?/g, (_, name, optional) => {
    names.push(name);
    return optional ? "(?:/([^/]+))?" : "/([^/]+)";
  });
  routes.push({ expression: new RegExp(`^${source}$`), names, load });
}

function match(path) {
  for (const { expression, names, load } of routes) {
    const found = expression.exec(path);
    if (!found) continue;
    try {
      const params = Object.fromEntries(names.map((name, index) => [name, found[index + 1] === undefined ? undefined : decodeURIComponent(found[index + 1])]));
      return { params, load };
    } catch {
      return null;
    }
  }
  return null;
}

export function start() {
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest?.("a[href]");
    if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return;
    if (!match(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
  addEventListener("popstate", () => show(true));
  show(false);
}

export function go(path, { replace = false } = {}) {
  if (guard && !guard()) return;
  guard = null;
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin || !match(url.pathname)) {
    location.assign(url.origin === location.origin ? url.href : "/console");
    return;
  }
  history[replace ? "replaceState" : "pushState"]({}, "", url.pathname + url.search);
  show(true);
}

export function reload() {
  show(false);
}

/* Asks this before somebody leaves the page, until they have. It says whether they may. */
export function guardLeaving(ask) {
  guard = ask;
}

addEventListener("beforeunload", (event) => {
  if (guard && !guard(true)) event.preventDefault();
});

async function show(takeFocus) {
  current?.abort();
  current = new AbortController();
  const { signal } = current;
  hush();
  const found = match(location.pathname);
  markSection();
  if (!found) {
    notFound();
    return;
  }
  const view = {
    params: found.params,
    query: new URLSearchParams(location.search),
    signal,
    root: root(),
    title(name) {
      if (!signal.aborted) document.title = `${name} – ${product}`;
    },
    setQuery(values) {
      const query = new URLSearchParams(location.search);
      for (const [name, value] of Object.entries(values)) {
        if (value === null || value === "") query.delete(name);
        else query.set(name, value);
      }
      const search = query.toString();
      history.replaceState({}, "", location.pathname + (search ? `?${search}` : ""));
    },
  };
  root().setAttribute("aria-busy", "true");
  try {
    const module = await found.load();
    if (signal.aborted) return;
    await module.show(view);
  } catch (error) {
    if (isAbort(error) || signal.aborted) return;
    if (error?.status === 404) notFound();
    else clear(root(), heading(text.problem.cannotShow), problemView(error, { retry: reload }));
  } finally {
    if (!signal.aborted) {
      root().removeAttribute("aria-busy");
      if (takeFocus) {
        document.getElementById("page-title")?.focus({ preventScroll: true });
        scrollTo(0, 0);
      }
    }
  }
}

function heading(title) {
  return h("header", { class: "page-head" }, h("div", {}, h("h1", { id: "page-title", tabindex: "-1" }, title)));
}

function notFound() {
  document.title = `${text.problem.notFound} – ${product}`;
  const up = location.pathname.split("/").slice(0, 3).join("/");
  clear(root(), heading(text.problem.notFound),
    h("p", { class: "empty" }, text.problem.notFoundDetail, " ", h("a", { href: up }, text.common.backToList)));
}

function markSection() {
  const section = location.pathname.split("/").slice(0, 3).join("/");
  for (const link of document.querySelectorAll(".nav a")) {
    if (link.getAttribute("href") === section) {
      link.setAttribute("aria-current", "page");
      link.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else {
      link.removeAttribute("aria-current");
    }
  }
}
