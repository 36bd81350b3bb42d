/* A new policy, begun with an example. */

import { Problem, Submission, send } from "./api.js";
import { h } from "./dom.js";
import { guarded } from "./me.js";
import { button, page } from "./parts.js";
import { EXAMPLES } from "./policy-examples.js";
import { drafts, policyEditor } from "./policy-editor.js";
import { print } from "./policy-json.js";
import { go } from "./router.js";
import { report, say } from "./status.js";
import { text, fill } from "./text-policies.js";

/* Under this name is what is written of one that has no id yet. */
const NEW = "new";

export async function show(view) {
  const example = EXAMPLES.find(({ id }) => id === view.query.get("example")) ?? EXAMPLES.at(-1);
  const begun = print({ ...example.policy, description: example.policy.description ?? undefined });
  const draft = drafts.get(NEW);
  const submission = new Submission();
  const editor = policyEditor(view, {
    source: draft?.example === example.id ? draft.source : begun,
    onChange: (source) => (source === begun ? drafts.delete(NEW) : drafts.set(NEW, { source, example: example.id })),
  });
  let isBusy = false;
  const create = async () => {
    const document = editor.document();
    if (isBusy) return;
    if (document === null) {
      editor.focus();
      return;
    }
    isBusy = true;
    save.setAttribute("aria-disabled", "true");
    try {
      const { data } = await send("POST", "/v1/policies", document, { key: submission.key(document) });
      submission.done();
      drafts.delete(NEW);
      go(`/console/policies/${data.id}`, { replace: true });
      say(fill(text.policies.created, { name: data.name }));
    } catch (problem) {
      if (problem instanceof Problem) editor.show(problem);
      else report(problem);
    } finally {
      isBusy = false;
      save.removeAttribute("aria-disabled");
    }
  };
  const save = guarded("policy.create", button(text.policies.create, { primary: true, id: "create-policy", on: { click: create } }));
  page(view, {
    title: text.policies.new,
    lead: example.lead,
    back: { href: "/console/policies", label: text.policies.title },
    actions: [save],
  }, h("p", { class: "callout" }, text.policies.everyoneLead), editor.element);
}
