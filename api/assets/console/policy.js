/* One policy: what it says, whom it is for, what it said, and what it would do. */

import { Problem, Submission, get, is, send } from "./api.js";
import { confirm, openDialog } from "./dialog.js";
import { h, ago } from "./dom.js";
import { guarded, may } from "./me.js";
import { button, page, statusBadge, tabs } from "./parts.js";
import { effectBadge } from "./policies.js";
import { drafts, policyEditor } from "./policy-editor.js";
import { diffView } from "./json-editor.js";
import { differences, documentOf, print } from "./policy-json.js";
import { go, reload } from "./router.js";
import { attempt, report, say } from "./status.js";
import { text, fill } from "./text-policies.js";

const TABS = {
  rule: async () => ({ show: rule }),
  assignments: () => import("./policy-assignments.js"),
  versions: () => import("./policy-versions.js"),
  test: () => import("./policy-test.js"),
};

export async function show(view) {
  const { id, tab = "rule" } = view.params;
  const path = `/v1/policies/${encodeURIComponent(id)}`;
  const part = TABS[tab] ? tab : "rule";
  const [{ data: policy, etag }, module] = await Promise.all([get(path, { signal: view.signal }), TABS[part]()]);
  const here = `/console/policies/${id}`;
  const content = h("div", { class: "tab", id: `tab-${part}` });
  const changed = h("span", { class: "aside" }, fill(text.policy.version, { version: policy.version, ago: ago(policy.updated_at) }));
  page(view, {
    title: policy.name,
    lead: [policy.description && [policy.description, h("br")], changed],
    badge: [effectBadge(policy.rules.effect), " ", statusBadge(policy.is_enabled ? "enabled" : "disabled")],
    back: { href: "/console/policies", label: text.policies.title },
    actions: [
      guarded("policy.update", button(policy.is_enabled ? text.policy.switchOff : text.policy.switchOn, { id: "switch-policy", on: { click: () => turn(path, policy) } })),
      guarded("policy.delete", button(text.common.delete, { id: "delete-policy", on: { click: () => remove(path, policy, etag) } })),
    ],
  },
  tabs([
    { id: "rule", label: drafts.has(policy.id) ? text.policy.ruleUnsaved : text.policy.rule, href: here },
    { id: "assignments", label: text.policy.assignments, href: `${here}/assignments` },
    { id: "versions", label: text.policy.versions, href: `${here}/versions` },
    { id: "test", label: text.policy.test, href: `${here}/test`, hidden: !may("access.explain") },
  ], part),
  content);
  content.append(...[await module.show(view, { path, policy, etag, here })].flat().filter(Boolean));
}

function rule(view, { path, policy, etag }) {
  const saved = print(documentOf(policy));
  const submission = new Submission();
  const readOnly = !may("policy.update");
  let draft = drafts.get(policy.id);
  let isBusy = false;
  const editor = policyEditor(view, {
    source: draft?.source ?? saved,
    readOnly,
    onChange: (source) => {
      if (source === saved) drafts.delete(policy.id);
      else drafts.set(policy.id, { source, etag: draft?.etag ?? etag });
      draft = drafts.get(policy.id);
      refresh();
    },
  });

  async function keep() {
    const document = editor.document();
    if (isBusy) return;
    if (document === null) {
      editor.focus();
      return;
    }
    if (!draft) {
      say(text.common.nothingChanged);
      return;
    }
    isBusy = true;
    save.setAttribute("aria-disabled", "true");
    try {
      const answer = await put(document, draft.etag);
      if (!answer) return;
      submission.done();
      drafts.delete(policy.id);
      reload();
      say(fill(text.policy.saved, { version: answer.data.version }));
    } catch (problem) {
      if (problem instanceof Problem) editor.show(problem);
      else report(problem);
    } finally {
      isBusy = false;
      refresh();
    }
  }

  /* Where somebody was faster, what differs is shown, and one of the two stays. */
  async function put(document, tag) {
    try {
      return await send("PUT", path, document, { etag: tag, key: submission.key([document, tag]) });
    } catch (problem) {
      if (!is(problem, 412)) throw problem;
      const theirs = await get(path);
      const choice = await ask(print(documentOf(theirs.data)), print(document));
      if (choice === "mine") return put(document, theirs.etag);
      if (choice === "theirs") {
        drafts.delete(policy.id);
        reload();
      }
      return null;
    }
  }

  const save = guarded("policy.update", button(text.policy.save, { primary: true, id: "save-policy", on: { click: keep } }));
  const drop = button(text.policy.drop, { id: "drop-draft", on: { click: () => editor.set(saved) } });
  const test = may("access.explain") && h("a", { class: "button", id: "try-draft", href: `/console/policies/${policy.id}/test` }, text.policy.tryIt);
  const actions = h("div", { class: "toolbar toolbar-editor" }, test, drop, save);
  function refresh() {
    drop.hidden = !draft;
    if (draft && !isBusy && may("policy.update")) save.removeAttribute("aria-disabled");
    else save.setAttribute("aria-disabled", "true");
  }
  refresh();
  editor.element.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
      event.preventDefault();
      if (!readOnly) keep();
    }
  });
  return [readOnly ? h("p", { class: "callout" }, fill(text.problem.needs, { permission: "policy.update" })) : actions, editor.element];
}

function ask(theirs, mine) {
  return new Promise((resolve) => {
    const choice = (value, label, primary) => button(label, { primary, id: `keep-${value}`, on: { click: () => dialog.close(value) } });
    const dialog = openDialog({
      title: text.conflict.title,
      wide: true,
      body: [
        h("div", { class: "prose" }, h("p", {}, text.conflict.lead), h("p", { class: "aside" }, text.conflict.signs)),
        diffView(differences(theirs, mine), { label: text.conflict.diff }),
        h("div", { class: "dialog-actions" }, button(text.conflict.goOn, { on: { click: () => dialog.close(null) } }),
          choice("mine", text.conflict.mine), choice("theirs", text.conflict.theirs, true)),
      ],
      onClose: resolve,
    });
  });
}

async function turn(path, policy) {
  const [isOn, isDeny] = [policy.is_enabled, policy.rules.effect === "deny"];
  if (isDeny) {
    const words = isOn ? text.policy.off : text.policy.on;
    const really = await confirm({ title: fill(words.title, { name: policy.name }), body: h("p", {}, words.lead), action: words.action, danger: true });
    if (!really) return;
  }
  await attempt(async () => {
    await send("POST", `${path}/${isOn ? "disable" : "enable"}`, null);
    reload();
    say(fill(isOn ? text.policy.isOff : text.policy.isOn, { name: policy.name }));
  });
}

async function remove(path, policy, etag) {
  const really = await confirm({
    title: fill(text.policy.deleteTitle, { name: policy.name }), body: h("p", {}, text.policy.deleteLead), action: text.common.delete, danger: true,
  });
  if (!really) return;
  try {
    await send("DELETE", path, null, { etag });
    drafts.delete(policy.id);
    go("/console/policies");
    say(fill(text.policy.deleted, { name: policy.name }));
  } catch (problem) {
    if (is(problem, 412)) say(text.policy.changedMeanwhile, "bad");
    else report(problem);
  }
}
