/* What a policy does: for somebody, and for what was decided lately. What is written and not saved counts here. */

import { Problem, get, isAbort, send } from "./api.js";
import { h, clear, time, uid } from "./dom.js";
import { explainForm } from "./explain.js";
import { may } from "./me.js";
import { badge, button, none, panel, statusBadge } from "./parts.js";
import { drafts } from "./policy-editor.js";
import { documentOf, scan } from "./policy-json.js";
import { named } from "./policy-names.js";
import { problemView } from "./status.js";
import { text, fill } from "./text-policies.js";

/* How many decisions are looked at, and how many pages of the log are read to say who asked. */
const AMOUNTS = [100, 1000, 5000];
const MOST_PAGES = 5;

export async function show(view, { policy }) {
  const target = (name) => (policy.target[name] === "*" ? "" : policy.target[name]);
  return [
    h("p", { class: "lead" }, text.test.lead),
    simulation(view, policy),
    panel(text.test.explain, drafts.has(policy.id) && h("p", { class: "callout" }, text.test.explainSaved),
      explainForm(view, { resource: target("resource"), action: target("action") })),
  ];
}

function simulation(view, policy) {
  const draft = drafts.get(policy.id);
  const ways = [
    draft && ["draft", text.test.draft],
    !policy.is_enabled && !draft && ["on", text.test.on],
    policy.is_enabled && ["without", text.test.without],
    ...(draft || !policy.is_enabled ? [] : [["saved", text.test.saved]]),
  ].filter(Boolean);
  const way = h("select", { class: "input", id: uid("way") }, ways.map(([value, label]) => h("option", { value }, label)));
  const amount = h("select", { class: "input", id: uid("amount") }, AMOUNTS.map((count) => h("option", { value: count }, fill(text.test.last, { count }))));
  amount.value = "1000";
  const result = h("div", { id: "simulation", "aria-live": "polite" });
  let running = null;

  /* The body of the question; what is no JSON is said here. */
  function body() {
    const recorded = Number(amount.value);
    if (way.value === "without") return { without: policy.name, recorded };
    if (way.value !== "draft") return { policy: { ...documentOf(policy), is_enabled: true }, recorded };
    const { value, error } = scan(draft.source);
    if (error) throw new Problem(422, { title: text.editor.notJson, detail: fill(text.editor.lineSays, { line: error.line + 1, message: error.message }) });
    return { policy: { ...value, is_enabled: value.is_enabled ?? true }, recorded };
  }

  async function run() {
    running?.abort();
    running = new AbortController();
    const signal = AbortSignal.any([view.signal, running.signal]);
    start.setAttribute("aria-disabled", "true");
    result.setAttribute("aria-busy", "true");
    try {
      const { data } = await send("POST", "/v1/policies/simulate", body(), { signal });
      clear(result, outcome(view, data.recorded));
      tell(data.recorded.changed, signal);
    } catch (problem) {
      if (!isAbort(problem)) clear(result, problemView(problem));
    } finally {
      result.removeAttribute("aria-busy");
      start.removeAttribute("aria-disabled");
    }
  }

  /* The log says who asked, about which one, and when. */
  async function tell(changed, signal) {
    const missing = new Set(changed.map((one) => one.request));
    if (!may("access_log.read")) return;
    try {
      let cursor;
      for (let page = 0; page < MOST_PAGES && missing.size > 0; page += 1) {
        const answer = await get("/v1/access/logs", { query: { limit: 200, cursor }, signal });
        for (const decision of answer.data) {
          if (missing.delete(decision.id)) describe(view, result.querySelector(`[data-key="${CSS.escape(decision.id)}"]`), decision);
        }
        cursor = answer.page.next;
        if (!cursor) break;
      }
    } catch (problem) {
      if (!isAbort(problem)) clear(result.querySelector(".who-note"), text.test.whoFailed);
    }
  }

  const start = button(text.test.run, { primary: true, id: "simulate", on: { click: run } });
  return panel(text.test.simulate,
    h("p", { class: "hint" }, text.test.simulateHint),
    h("div", { class: "form-row" },
      h("div", { class: "field" }, h("label", { for: way.id }, text.test.what), way),
      h("div", { class: "field" }, h("label", { for: amount.id }, text.test.over), amount),
      start),
    result);
}

function outcome(view, { decided, unreadable, differing, changed }) {
  const other = (decision) => (decision === "allow" ? "deny" : "allow");
  const toDeny = changed.filter((one) => one.decision === "deny").length;
  return [
    h("p", { class: "verdict-words", "data-differing": differing },
      decided === 0 ? text.test.nothingRecorded : differing === 0 ? fill(text.test.nothing, { decided }) : fill(differing === 1 ? text.test.oneDiffers : text.test.differ, { decided, differing }),
      changed.length > 0 && [" ", badge(fill(text.test.denied, { count: toDeny }), toDeny > 0 ? "bad" : "plain"), " ", badge(fill(text.test.allowed, { count: changed.length - toDeny }), toDeny < changed.length ? "good" : "plain")]),
    unreadable > 0 && none(fill(text.test.unreadable, { count: unreadable })),
    changed.length > 0 && h("div", { class: "list" }, h("table", { class: "table" },
      h("caption", { class: "visually-hidden" }, text.test.changed),
      h("thead", {}, h("tr", {}, [text.test.who, text.test.asked, text.test.before, text.test.after, text.test.because].map((label) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, changed.map((one) => h("tr", { "data-key": one.request },
        h("th", { scope: "row", class: "simulated-who" }, h("span", { class: "aside" }, "–")),
        h("td", { "data-label": text.test.asked, class: "simulated-what" }, h("code", {}, `${one.resource}.${one.action}`)),
        h("td", { "data-label": text.test.before }, statusBadge(other(one.decision))),
        h("td", { "data-label": text.test.after }, statusBadge(one.decision)),
        h("td", { "data-label": text.test.because }, one.because)))))),
    h("p", { class: "none who-note" }, differing > changed.length && fill(text.test.more, { shown: changed.length, differing })),
  ];
}

function describe(view, row, decision) {
  if (!row) return;
  clear(row.querySelector(".simulated-who"), named(decision.subject.kind, decision.subject.id, view.signal), h("span", { class: "aside block" }, time(decision.created_at)));
  if (decision.resource_id) row.querySelector(".simulated-what").append(h("span", { class: "aside block" }, decision.resource_id));
}
