/* What a policy said, and going back to it. */

import { Submission, get, is, send } from "./api.js";
import { confirm } from "./dialog.js";
import { h, clear, time, uid } from "./dom.js";
import { diffView } from "./json-editor.js";
import { guarded } from "./me.js";
import { badge, button, none } from "./parts.js";
import { differences, documentOf, print } from "./policy-json.js";
import { drafts } from "./policy-editor.js";
import { named } from "./policy-names.js";
import { go, reload } from "./router.js";
import { attempt, report, say } from "./status.js";
import { makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

/* A version as text; the switch belongs to it. */
const whole = (policy) => print({ ...documentOf(policy), is_enabled: policy.is_enabled });

export async function show(view, { path, policy, etag, here }) {
  const against = h("select", { class: "input input-small", id: uid("against") },
    h("option", { value: "now" }, text.versions.withNow), h("option", { value: "before" }, text.versions.withBefore));
  const title = h("h2", { id: "version-title", tabindex: "-1" });
  const diff = h("div", { id: "version-diff", "aria-live": "polite" });
  const shown = h("section", { class: "panel", hidden: true }, title,
    h("div", { class: "field" }, h("label", { for: against.id }, text.versions.compare), against), diff);
  let current = null;

  async function compare(version) {
    const isOther = current?.version !== version.version;
    current = version;
    shown.hidden = false;
    view.setQuery({ version: version.version });
    title.textContent = fill(text.versions.title, { version: version.version });
    const isBefore = against.value === "before";
    const before = isBefore && version.version > 1 ? await attempt(() => get(`${path}/versions/${version.version - 1}`, { signal: view.signal })) : null;
    if (current !== version) return;
    const lines = isBefore ? differences(before ? whole(before.data.policy) : "", whole(version.policy)) : differences(whole(version.policy), whole(policy));
    const isSame = lines.every((line) => line.kind === "same");
    clear(diff, h("p", { class: "aside" }, isSame ? text.versions.same : isBefore ? text.versions.changedThen : fill(text.versions.changedSince, { version: version.version })),
      !isSame && diffView(lines, { label: title.textContent }));
    if (isOther) title.focus();
    shown.scrollIntoView({ block: "nearest" });
  }

  async function back(version) {
    const lines = differences(print(documentOf(policy)), print(documentOf(version.policy)));
    const really = await confirm({
      title: fill(text.versions.backTitle, { name: policy.name, version: version.version }),
      body: [h("p", {}, text.versions.backLead), lines.some((line) => line.kind !== "same") ? diffView(lines, { label: text.versions.back }) : none(text.versions.same)],
      action: text.versions.back,
    });
    if (!really) return;
    try {
      const { data } = await send("POST", `${path}/rollback`, { version: version.version }, { etag, key: submission.key(version.version) });
      drafts.delete(policy.id);
      go(`${here}/versions`, { replace: true });
      say(fill(text.versions.isBack, { version: version.version, now: data.version }));
    } catch (problem) {
      if (!is(problem, 412)) {
        report(problem);
        return;
      }
      reload();
      say(text.policy.changedMeanwhile, "bad");
    }
  }

  const submission = new Submission();
  const list = makeList({
    caption: text.policy.versions,
    columns: [
      { label: text.versions.version, kind: "main", cell: (version) => [fill(text.versions.number, { version: version.version }), version.version === policy.version && [" ", badge(text.versions.now, "good")]] },
      { label: text.versions.when, cell: (version) => h("span", { class: "aside" }, time(version.created_at)) },
      { label: text.versions.who, cell: (version) => named(version.changed_by.kind, version.changed_by.id, view.signal) },
      {
        label: text.common.actions, kind: "actions",
        cell: (version) => [
          button(text.versions.show, { small: true, on: { click: () => compare(version) } }),
          version.version !== policy.version && guarded("policy.update", button(text.versions.back, { small: true, on: { click: () => back(version) } })),
        ],
      },
    ],
    key: (version) => version.version,
    load: (cursor, signal) => get(`${path}/versions`, { query: { cursor }, signal }),
    empty: text.versions.none,
    signal: view.signal,
  });
  against.addEventListener("change", () => current && compare(current));
  await list.reload();
  const wanted = Number(view.query.get("version"));
  if (wanted > 0) {
    get(`${path}/versions/${wanted}`, { signal: view.signal }).then(({ data }) => compare(data)).catch(() => {});
  }
  return [shown, list.element];
}
