/* People from a file: checked or imported line by line, with a report as it comes. */

import { Problem, isAbort, raw } from "./api.js";
import { h, clear } from "./dom.js";
import { makeForm } from "./form.js";
import { may } from "./me.js";
import { badge, button, page, panel } from "./parts.js";
import { problemView } from "./status.js";
import { text, fill } from "./text.js";

/* So many rows of a report are shown of each kind. */
const SHOWN = 200;

export async function show(view) {
  const file = h("input", { type: "file", class: "input input-file", id: "import-file", accept: ".csv,.ndjson,.jsonl,text/csv,application/x-ndjson", "aria-label": text.importing.file });
  const report = h("div", { class: "report", id: "import-report" });
  const words = text.importing;
  const form = makeForm({
    fields: [
      { name: "file", label: words.file, type: "own", hint: words.fileHint, control: { element: file, value: () => file.files[0] ?? null }, check: (value) => (value ? null : words.choose) },
      { name: "on_conflict", label: words.conflict, type: "select", options: [["fail", words.fail], ["skip", words.skip], ...(may("account.update") ? [["update", words.update]] : [])] },
      { name: "dry_run", label: words.dryRun, type: "checkbox" },
    ],
    values: { dry_run: true },
    submit: words.start,
    onSubmit: async ({ file, on_conflict, dry_run }) => run(report, file, { on_conflict, dry_run }, view.signal),
  });
  page(view, { title: words.title, lead: words.lead, back: { href: "/console/users", label: words.back } },
    h("div", { class: "columns" }, panel(null, form.element), report));
}

async function run(report, file, query, viewSignal) {
  const words = text.importing;
  const own = new AbortController();
  const signal = AbortSignal.any([viewSignal, own.signal]);
  const progress = h("p", { "aria-live": "polite", id: "import-progress" });
  const rows = h("tbody");
  const table = h("table", { class: "table", hidden: true },
    h("caption", { class: "visually-hidden" }, words.report),
    h("thead", {}, h("tr", {}, [words.line, words.outcome, words.why].map((label) => h("th", { scope: "col" }, label)))), rows);
  const stop = button(words.stop, { small: true, on: { click: () => own.abort() } });
  clear(report, panel(words.report, progress, stop, table));
  const name = file.name.toLowerCase();
  const type = name.endsWith(".csv") || file.type === "text/csv" ? "text/csv" : "application/x-ndjson";
  const seen = { good: 0, bad: 0, lines: 0 };
  let summary = null;
  try {
    const response = await raw("POST", "/v1/users/import", { query, headers: { "Content-Type": type, Accept: "application/x-ndjson" }, body: file, signal });
    for await (const line of lines(response.body)) {
      const outcome = JSON.parse(line);
      if (outcome.summary) {
        summary = outcome.summary;
        continue;
      }
      seen.lines += 1;
      const kind = outcome.status === "failed" ? "bad" : "good";
      seen[kind] += 1;
      if (seen.bad > SHOWN && kind === "bad") continue;
      table.hidden = false;
      rows.append(row(outcome));
      if (kind === "good" && seen.good > SHOWN) rows.querySelector("[data-kind=good]")?.remove();
      if (seen.lines % 25 === 0) progress.textContent = fill(words.progress, { lines: seen.lines });
    }
    progress.textContent = summary ? fill(words.done, summary) : words.broken;
  } catch (error) {
    if (viewSignal.aborted) throw error;
    progress.textContent = fill(words.progress, { lines: seen.lines });
    if (!isAbort(error)) clear(report, problemView(error instanceof Problem ? error : new Problem(0, { title: words.broken })));
  } finally {
    stop.remove();
  }
}

function row({ line, status, id, errors = [] }) {
  const failed = status === "failed";
  return h("tr", { "data-kind": failed ? "bad" : "good", "data-line": line },
    h("td", { class: "cell-narrow" }, line),
    h("td", { class: "cell-narrow" }, badge(text.importing.outcomes[status] ?? status, failed ? "bad" : "good")),
    h("td", {}, id && h("a", { href: `/console/users/${id}` }, id),
      errors.map((error) => h("span", { class: "block" }, error.pointer && h("code", {}, error.pointer), error.pointer && " ", error.detail))));
}

async function* lines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    const parts = (rest + value).split("\n");
    rest = parts.pop();
    yield* parts.filter(Boolean);
  }
  if (rest) yield rest;
}
