/* An editor of JSON: a field over a coloured picture of what is in it, with numbers of lines and marks beside them.
 *
 *   const editor = makeEditor({ label, value, describedBy, onChange: (source) => …, onLeave });
 *   editor.element, editor.field; editor.source(); editor.set(source)
 *   editor.isTouched()                        whether somebody has put the caret where it is
 *   editor.insert(text, back)                 where the caret is, as if it were typed; the caret `back` places before its end
 *   editor.replace(start, end, text)
 *   editor.mark([{ line, kind: "bad" | "wait", message }])
 *   editor.goTo(line, start)
 *
 * The tabulator goes on to the next control until something is typed or pressed here; from then on it indents, and Escape
 * gives it back. So nobody is held in it (WCAG 2.2, 2.1.2).
 */

import { h, clear, uid } from "./dom.js";
import { colours, lineOf } from "./policy-json.js";
import { text, fill } from "./text-policies.js";

const INDENT = "  ";

export function makeEditor({ label, value = "", describedBy, readOnly = false, onChange }) {
  const hintId = uid("editor-hint");
  const picture = h("pre", { class: "code-picture", "aria-hidden": "true" });
  const field = h("textarea", {
    class: "code-field", "aria-label": label, "aria-describedby": [hintId, describedBy].filter(Boolean).join(" "), spellcheck: "false",
    autocapitalize: "none", autocomplete: "off", autocorrect: "off", translate: "no", wrap: "off", readonly: readOnly, rows: 1,
  });
  const numbers = h("div", { class: "code-numbers", "aria-hidden": "true" });
  const box = h("div", { class: readOnly ? "code code-read-only" : "code" }, numbers, h("div", { class: "code-text" }, picture, field));
  const hint = h("p", { class: "hint", id: hintId, hidden: readOnly }, text.editor.hint);
  let marks = [];
  let indents = false;
  let isTouched = false;

  function draw() {
    const lines = field.value.split("\n");
    const byLine = new Map();
    for (const mark of marks) byLine.set(mark.line, [...(byLine.get(mark.line) ?? []), mark]);
    clear(picture, lines.map((line, index) => {
      const own = byLine.get(index) ?? [];
      const kind = own.some((mark) => mark.kind === "bad") ? "bad" : own.length > 0 ? "wait" : null;
      return h("div", { class: kind ? `code-line code-line-${kind}` : "code-line", "data-line": index + 1 },
        colours(line).map(([name, token]) => (name === "plain" ? token : h("span", { class: `token-${name}` }, token))),
        // A line of nothing is as high as another.
        line === "" && "\u200b",
        own.length > 0 && h("span", { class: "code-note" }, own.map((mark) => mark.message).join(" · ")));
    }));
    clear(numbers, lines.map((_, index) => {
      const own = byLine.get(index);
      return h("div", { class: own ? `code-number code-number-${own.some((mark) => mark.kind === "bad") ? "bad" : "wait"}` : "code-number" }, index + 1);
    }));
    field.setAttribute("aria-invalid", String(marks.some((mark) => mark.kind === "bad")));
  }

  /* As if it were typed, so that it can be taken back. */
  function type(characters) {
    field.focus();
    const isDone = document.execCommand?.("insertText", false, characters);
    if (!isDone) {
      field.setRangeText(characters, field.selectionStart, field.selectionEnd, "end");
      changed();
    }
  }

  function changed() {
    draw();
    onChange?.(field.value);
  }

  function indent(isBack) {
    const { selectionStart: start, selectionEnd: end, value } = field;
    const from = value.lastIndexOf("\n", start - 1) + 1;
    if (!isBack && start === end) {
      type(INDENT);
      return;
    }
    const until = value.indexOf("\n", Math.max(start, end - 1));
    const lines = value.slice(from, until === -1 ? value.length : until).split("\n");
    const moved = lines.map((line) => (isBack ? line.replace(/^ {1,2}/, "") : INDENT + line)).join("\n");
    if (moved === lines.join("\n")) return;
    field.setSelectionRange(from, from + lines.join("\n").length);
    type(moved);
    if (start === end) field.setSelectionRange(Math.max(from, start - 2), Math.max(from, start - 2));
    else field.setSelectionRange(from, from + moved.length);
  }

  /* The next line begins where this one does, and further in after a bracket. */
  function newLine() {
    const { selectionStart: start, value } = field;
    const line = value.slice(value.lastIndexOf("\n", start - 1) + 1, start);
    const own = /^ */.exec(line)[0];
    const opens = /[[{]\s*$/.test(line);
    const closes = opens && /^\s*[\]}]/.test(value.slice(field.selectionEnd));
    type(`\n${own}${opens ? INDENT : ""}${closes ? `\n${own}` : ""}`);
    if (closes) field.setSelectionRange(start + 1 + own.length + INDENT.length, start + 1 + own.length + INDENT.length);
  }

  field.value = value;
  field.addEventListener("input", () => {
    [indents, isTouched] = [true, true];
    changed();
  });
  field.addEventListener("pointerdown", () => { [indents, isTouched] = [true, true]; });
  field.addEventListener("blur", () => { indents = false; });
  field.addEventListener("keydown", (event) => {
    if (readOnly || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow")) isTouched = true;
    if (event.key === "Escape") {
      indents = false;
    } else if (event.key === "Tab" && indents) {
      event.preventDefault();
      indent(event.shiftKey);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      newLine();
    }
  });
  draw();

  return {
    element: h("div", { class: "code-editor" }, box, hint),
    field,
    source: () => field.value,
    isTouched: () => isTouched,
    set(source) {
      field.value = source;
      changed();
    },
    insert(characters, back = 0) {
      type(characters);
      const caret = field.selectionEnd - back;
      field.setSelectionRange(caret, caret);
    },
    replace(start, end, characters) {
      field.setSelectionRange(start, end);
      type(characters);
    },
    mark(found) {
      marks = found;
      draw();
    },
    goTo(line, start = null) {
      isTouched = true;
      const at = start ?? field.value.split("\n").slice(0, line).join("\n").length + (line > 0 ? 1 : 0);
      field.focus({ preventScroll: true });
      field.setSelectionRange(at, at);
      picture.children[lineOf(field.value, at)]?.scrollIntoView({ block: "center", inline: "nearest" });
    },
  };
}

/* What differs between two texts, line by line; what stays for long is left out. */
export function diffView(lines, { label }) {
  const isNear = lines.map((_, index) => lines.slice(Math.max(0, index - 3), index + 4).some((line) => line.kind !== "same"));
  const rows = [];
  let left = 0;
  const skip = () => {
    if (left > 0) rows.push(h("div", { class: "diff-skip" }, fill(left === 1 ? text.diff.line : text.diff.lines, { count: left })));
    left = 0;
  };
  lines.forEach((line, index) => {
    if (!isNear[index]) {
      left += 1;
      return;
    }
    skip();
    const sign = { same: " ", gone: "−", new: "+" }[line.kind];
    const word = { gone: text.diff.gone, new: text.diff.new }[line.kind];
    rows.push(h("div", { class: `diff-line diff-${line.kind}` },
      h("span", { class: "diff-sign", "aria-hidden": "true" }, sign), word && h("span", { class: "visually-hidden" }, `${word} `), line.text || "\u200b"));
  });
  skip();
  return h("div", { class: "diff", role: "group", "aria-label": label, tabindex: "0" }, rows);
}
