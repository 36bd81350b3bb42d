/* Forms that show what the server says beside the field that it is about.
 *
 *   const form = makeForm({
 *     fields: [
 *       { name: "email", label: "E-mail", type: "email", required: true, hint: "…", autocomplete: "off" },
 *       { name: "status", label: "Status", type: "select", options: [["active", "Active"], …] },
 *       { name: "metadata", label: "Metadata", type: "json" },
 *       { name: "permissions", label: "…", control: { element, value: () => …, focus: () => … } },
 *     ],
 *     values: account,                        what the fields hold at first, by name
 *     submit: "Save",                         what the button says
 *     onSubmit: async (values, { key }) => …  sends it; a Problem that it throws is shown, key is its Idempotency-Key
 *     onCancel,                               adds a button beside
 *   });
 *   form.element; form.values(); form.reset(values)
 *
 * A field belongs to the pointer `/name` unless it says another one in `pointer`; errors below it count too. Values are texts,
 * `null` where a field is empty, booleans of checkboxes, values of JSON, RFC 3339 times of `datetime`. `changes(before, values)` is what differs: the body
 * of a PATCH.
 */

import { Problem, Submission, isAbort } from "./api.js";
import { h, uid, clear } from "./dom.js";
import { problemView, hush } from "./status.js";
import { text } from "./text.js";

export function makeForm({ fields, values = {}, submit = text.common.save, onSubmit, onCancel, compact = false }) {
  const submission = new Submission();
  const parts = fields.filter(Boolean).map((field) => makeField(field, values[field.name]));
  const top = h("div", { class: "form-top" });
  const button = h("button", { type: "submit", class: "button button-primary" }, submit);
  const cancel = onCancel && h("button", { type: "button", class: "button", on: { click: onCancel } }, text.common.cancel);
  const element = h("form", { class: compact ? "form form-compact" : "form", novalidate: true, autocomplete: "off" },
    top, parts.map((part) => part.element), h("div", { class: "form-actions dialog-actions" }, cancel, button));
  let isBusy = false;

  const read = () => Object.fromEntries(parts.map((part) => [part.name, part.value()]));

  element.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy) return;
    hush();
    clear(top);
    parts.forEach((part) => part.complain(null));
    const wrong = parts.map((part) => [part, part.check()]).filter(([, why]) => why);
    if (wrong.length > 0) {
      wrong.forEach(([part, why]) => part.complain(why));
      wrong[0][0].focus();
      return;
    }
    const values = read();
    isBusy = true;
    button.setAttribute("aria-disabled", "true");
    element.setAttribute("aria-busy", "true");
    try {
      await onSubmit(values, { key: submission.key(values) });
      submission.done();
    } catch (error) {
      if (!isAbort(error)) show(error);
    } finally {
      isBusy = false;
      button.removeAttribute("aria-disabled");
      element.removeAttribute("aria-busy");
    }
  });

  /* Every error at its field; what belongs to none, above. */
  function show(error) {
    const problem = error instanceof Problem ? error : new Problem(500, { title: text.problem.unknown });
    if (problem !== error) console.error(error);
    const rest = [];
    let first = null;
    for (const one of problem.errors) {
      const part = parts.find((part) => one.pointer === part.pointer || one.pointer.startsWith(`${part.pointer}/`));
      if (part) {
        part.complain(one.pointer === part.pointer ? one.detail : `${one.pointer.slice(part.pointer.length + 1)}: ${one.detail}`);
        first ??= part;
      } else {
        rest.push(one);
      }
    }
    if (rest.length > 0 || problem.errors.length === 0) {
      problem.errors = rest;
      clear(top, problemView(problem));
    }
    if (first) {
      first.focus();
    } else {
      top.scrollIntoView({ block: "nearest" });
    }
  }

  return {
    element,
    values: read,
    show,
    field: (name) => parts.find((part) => part.name === name),
    reset(values) {
      clear(top);
      parts.forEach((part) => {
        part.complain(null);
        part.set(values[part.name]);
      });
    },
  };
}

/* A label, a control, a hint and a place for what is wrong. */
function makeField(field, value) {
  const id = uid(field.name);
  const [hintId, errorId] = [`${id}-hint`, `${id}-error`];
  const error = h("p", { class: "field-error", id: errorId, hidden: true });
  const hint = field.hint && h("p", { class: "hint", id: hintId }, field.hint);
  const described = [hint && hintId].filter(Boolean).join(" ") || null;
  const common = { id, name: field.name, "aria-describedby": described, "aria-required": field.required ? "true" : null, ...field.attributes };
  let input;
  let read;
  let write;
  switch (field.type) {
    case "select":
      input = h("select", { class: "input", ...common }, field.options.map(([option, label]) => h("option", { value: option }, label)));
      read = () => input.value || null;
      write = (value) => { input.value = value ?? field.options[0]?.[0] ?? ""; };
      break;
    case "checkbox":
      input = h("input", { type: "checkbox", class: "check", ...common });
      read = () => input.checked;
      write = (value) => { input.checked = value === true; };
      break;
    case "json":
      input = h("textarea", { class: "input input-code", rows: field.rows ?? 5, spellcheck: "false", ...common });
      read = () => (input.value.trim() === "" ? null : JSON.parse(input.value));
      write = (value) => { input.value = value === null || value === undefined ? "" : JSON.stringify(value, null, 2); };
      break;
    case "textarea":
      input = h("textarea", { class: "input", rows: field.rows ?? 3, ...common });
      read = () => input.value.trim() || null;
      write = (value) => { input.value = value ?? ""; };
      break;
    case "datetime":
      input = h("input", { class: "input", type: "datetime-local", ...common });
      read = () => (input.value ? new Date(input.value).toISOString() : null);
      write = (value) => { input.value = value ? localTime(value) : ""; };
      break;
    case undefined:
    case "text":
    case "email":
    case "tel":
    case "url":
    case "number":
    case "password": {
      input = h("input", {
        class: "input", type: field.type ?? "text", autocomplete: field.autocomplete ?? "off", spellcheck: "false",
        autocapitalize: "none", list: field.list, ...common,
      });
      const empty = field.type === "password" ? "" : null;
      const trimmed = () => (field.type === "password" ? input.value : input.value.trim());
      read = () => {
        const value = trimmed();
        if (value === "") return empty === "" ? null : empty;
        return field.type === "number" ? Number(value) : value;
      };
      write = (value) => { input.value = value ?? ""; };
      break;
    }
    case "own": {
      const { control } = field;
      const group = h("fieldset", { class: "field", id, "aria-describedby": described }, h("legend", {}, field.label), hint, control.element, error);
      return part(group, control.value, control.set ?? (() => {}), control.focus ?? (() => control.element.focus()), group);
    }
    default:
      throw new Error(`no field of type ${field.type}`);
  }
  write(value ?? field.value);
  const label = h("label", { for: id }, field.label, field.required || field.type === "select" ? null : h("span", { class: "optional" }, ` ${text.common.optional}`));
  const element = field.type === "checkbox"
    ? h("div", { class: "field field-check" }, h("div", { class: "check-row" }, input, h("label", { for: id }, field.label)), hint, error)
    : h("div", { class: "field" }, label, hint, input, error);
  return part(element, read, write, () => input.focus(), input);

  function part(element, value, set, focus, target) {
    return {
      name: field.name,
      pointer: field.pointer ?? `/${field.name}`,
      element,
      input: target,
      value,
      set,
      focus,
      check() {
        try {
          const found = value();
          if (field.required && (found === null || found === "")) return text.form.required;
          return field.check?.(found) ?? null;
        } catch (why) {
          return `${text.form.notJson} ${why.message}`;
        }
      },
      complain(why) {
        error.hidden = !why;
        error.textContent = why ?? "";
        if (why) {
          target.setAttribute("aria-invalid", "true");
          target.setAttribute("aria-describedby", [errorId, described].filter(Boolean).join(" "));
        } else {
          target.removeAttribute("aria-invalid");
          if (described) target.setAttribute("aria-describedby", described);
          else target.removeAttribute("aria-describedby");
        }
      },
    };
  }
}

/* As `datetime-local` wants it: the reader's own time. */
export function localTime(iso) {
  const date = new Date(iso);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/* What differs of some members. */
export function changes(before, values) {
  const differs = ([name, value]) => JSON.stringify(value ?? null) !== JSON.stringify(before[name] ?? null);
  return Object.fromEntries(Object.entries(values).filter(differs));
}
