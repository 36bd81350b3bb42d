/* The editor of a policy: the text, what is wrong with it while it is written, and what it can speak of.
 *
 *   const editor = policyEditor(view, { source, readOnly, onChange: (source) => … });
 *   editor.element; editor.source(); editor.document()   the value, or null when it is no JSON
 *   editor.show(problem)                      what the server says of it, at its lines
 *   await vocabulary(signal)                  what policies can speak of, asked once a page
 *   drafts                                    what is written and not saved, by the id of the policy
 */

import { get, isAbort, send } from "./api.js";
import { h, icon, clear, uid } from "./dom.js";
import { makeEditor } from "./json-editor.js";
import { panel } from "./parts.js";
import { scan } from "./policy-json.js";
import { vocabularyPanel } from "./policy-vocabulary.js";
import { problemView, sentence } from "./status.js";
import { text, fill } from "./text-policies.js";

/* How long nothing is typed before it is looked at. */
const PAUSE = 400;

export const drafts = new Map();

addEventListener("beforeunload", (event) => {
  if (drafts.size > 0) event.preventDefault();
});

let asked = null;
export function vocabulary(signal) {
  if (!asked || asked.signal.aborted) asked = { signal, answer: get("/v1/policies/attributes", { signal }).then(({ data }) => data) };
  return asked.answer;
}

export function policyEditor(view, { source, readOnly = false, onChange }) {
  const stateId = uid("check");
  const state = h("p", { class: "check-state", id: stateId, role: "status" });
  const list = h("ul", { class: "findings", "aria-label": text.editor.findings });
  const top = h("div", { class: "form-top" });
  let timer;
  let asking = null;

  const editor = makeEditor({
    label: text.editor.label, value: source, describedBy: stateId, readOnly,
    onChange: (now) => {
      clear(top);
      onChange?.(now);
      later();
    },
  });

  function later() {
    clearTimeout(timer);
    asking?.abort();
    state.classList.add("check-pending");
    timer = setTimeout(check, PAUSE);
  }

  async function check() {
    const { value, error } = scan(editor.source());
    if (error) {
      show([{ ...error, kind: "bad", detail: error.message }], "bad", text.editor.notJson);
      return;
    }
    asking = new AbortController();
    try {
      const { data } = await send("POST", "/v1/policies/check", value, { signal: AbortSignal.any([view.signal, asking.signal]) });
      show([...located(data.errors, "bad"), ...located(data.findings, "wait")]);
    } catch (problem) {
      if (isAbort(problem)) return;
      show([], "bad", sentence(problem));
    }
  }

  /* Where the pointers of errors and findings lead to in the text as it is now. */
  function located(found, kind) {
    const { place } = scan(editor.source());
    return found.map((one) => {
      const { line, from, start, isExact } = place(one.pointer);
      return { kind, line, start: isExact ? start : from, detail: one.detail, pointer: one.pointer, code: one.code, other: one.other };
    });
  }

  function show(items, kind, words) {
    const bad = items.filter((item) => item.kind === "bad").length;
    const count = items.length - bad;
    editor.mark(items.map((item) => ({ line: item.line, kind: item.kind, message: item.detail })));
    if (words) say(kind, words);
    else if (bad > 0) say("bad", fill(bad === 1 ? text.editor.oneWrong : text.editor.wrong, { count: bad }));
    else if (count > 0) say("wait", fill(count === 1 ? text.editor.oneWarning : text.editor.warnings, { count }));
    else say("good", text.editor.good);
    clear(list, items.map((item) => h("li", { class: `finding finding-${item.kind}`, "data-code": item.code ?? "json", "data-line": item.line + 1 },
      h("button", { type: "button", class: "finding-jump", on: { click: () => editor.goTo(item.line, item.start) } },
        h("span", { class: "finding-line" }, fill(text.editor.line, { line: item.line + 1 })),
        h("span", {}, item.code && item.kind === "wait" && h("strong", {}, `${text.findings[item.code] ?? item.code}: `), item.detail,
          item.pointer && h("code", { class: "finding-pointer" }, item.pointer))))));
  }

  /* What is said already is not read aloud again. */
  function say(kind, words) {
    state.className = kind ? `check-state check-${kind}` : "check-state";
    if (state.textContent !== words) clear(state, kind && icon(kind === "good" ? "ok" : "warn"), words);
  }

  const known = vocabularyPanel(view, { vocabulary: () => vocabulary(view.signal), editor, readOnly });
  editor.field.addEventListener("input", () => known.follow());
  say("", text.editor.checking);
  check();
  return {
    element: h("div", { class: "columns columns-editor" }, panel(null, top, editor.element, state, list), known.element),
    source: editor.source,
    set: editor.set,
    focus: () => editor.field.focus(),
    document: () => scan(editor.source()).value ?? null,
    show(problem) {
      const items = located((problem.errors ?? []).filter((error) => error.pointer !== undefined), "bad");
      if (items.length > 0 && problem.status === 422) {
        show(items);
        editor.goTo(items[0].line, items[0].start);
      } else {
        clear(top, problemView(problem));
        top.scrollIntoView({ block: "nearest" });
      }
    },
  };
}
