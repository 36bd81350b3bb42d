/* One entry of the audit trail: what was before and after, who did it, and the proof that it is as it was written. */

import { raw } from "./api.js";
import { h, clear } from "./dom.js";
import { asideTime, badge, button, copyable, facts, none, page, panel } from "./parts.js";
import { verifyEntry } from "./audit-proof.js";
import { named, pageOf } from "./policy-names.js";
import { reload } from "./router.js";
import { text, fill } from "./text-policies.js";

/* What stands in the place of a secret. */
const MASK = "[masked]";

export async function show(view) {
  // The text itself: what was sealed is compared with what was sent, to the last digit of a number.
  const response = await raw("GET", `/v1/audit/entries/${encodeURIComponent(view.params.id)}`, { signal: view.signal });
  const source = await response.text();
  const entry = JSON.parse(source, exactly).data;
  const { actor, target } = entry;
  const search = (label, name, value) => h("a", { href: `/console/audit?${new URLSearchParams({ [name]: value })}` }, label);
  const href = pageOf(target.kind, target.id);
  page(view, {
    title: entry.action,
    lead: asideTime(entry.occurred_at),
    back: { href: "/console/audit", label: text.audit.title },
  },
  h("div", { class: "columns" },
    h("div", {}, panel(text.entry.changes, changes(entry.changes)), seal(view, entry, source)),
    panel(text.entry.about, facts([
      [text.entry.who, [actor.kind === "system" ? [text.audit.system, " ", h("code", {}, actor.id)] : named(actor.kind, actor.id, view.signal, { whole: true }), h("span", { class: "aside block" }, search(text.entry.allOfActor, "actor", actor.id))]],
      [text.entry.actingParty, actor.acting_party && [named(actor.acting_party.kind, actor.acting_party.id, view.signal, { whole: true }), h("span", { class: "aside block" }, text.entry.actingPartyHint)]],
      [text.entry.client, actor.client_id && h("code", {}, actor.client_id)],
      [text.entry.ofTenant, actor.tenant_id && copyable(actor.tenant_id)],
      [text.entry.target, [h("span", {}, target.kind, " "), href ? named(target.kind, target.id, view.signal, { whole: true }) : h("code", {}, target.id),
        h("span", { class: "aside block" }, h("a", { href: `/console/audit?${new URLSearchParams({ target_kind: target.kind, target_id: target.id })}` }, text.entry.allOfTarget))]],
      [text.entry.address, entry.address && h("code", {}, entry.address)],
      [text.entry.request, entry.request_id && [copyable(entry.request_id), h("span", { class: "aside block" }, search(text.entry.allOfRequest, "request_id", entry.request_id))]],
      [text.common.id, copyable(entry.id)],
    ]))));
}

/* A number that is not the same to a browser stays as it was written, where the browser can keep it. */
function exactly(_, value, context) {
  const isOther = typeof value === "number" && context?.source && String(value) !== context.source;
  return isOther && JSON.rawJSON ? JSON.rawJSON(context.source) : value;
}

function changes(all) {
  if (typeof all !== "object" || all === null) return h("p", {}, h("code", {}, String(all)));
  const pointers = Object.keys(all).sort();
  if (pointers.length === 0) return none(text.entry.noChanges);
  return h("table", { class: "table changes" },
    h("caption", { class: "visually-hidden" }, text.entry.changes),
    h("thead", {}, h("tr", {}, [text.entry.field, text.entry.before, text.entry.after].map((label) => h("th", { scope: "col" }, label)))),
    h("tbody", {}, pointers.map((pointer) => h("tr", { "data-key": pointer },
      h("th", { scope: "row" }, h("code", {}, pointer.replace(/^\//, "").replaceAll("/", " › ").replaceAll("~1", "/").replaceAll("~0", "~") || text.entry.whole)),
      h("td", { "data-label": text.entry.before, class: "change-before" }, value(all[pointer], "before")),
      h("td", { "data-label": text.entry.after, class: "change-after" }, value(all[pointer], "after"))))));
}

function value(change, side) {
  if (typeof change !== "object" || change === null || !(side in change)) return h("span", { class: "aside" }, text.entry.notThere);
  const it = change[side];
  if (it === MASK) return badge(text.entry.masked, "wait");
  if (it === null) return h("span", { class: "aside" }, text.entry.empty);
  if (typeof it === "string") return it === "" ? h("span", { class: "aside" }, text.entry.emptyText) : it;
  if (typeof it !== "object" || JSON.isRawJSON?.(it)) return h("code", {}, JSON.stringify(it));
  return h("pre", { class: "change-value" }, JSON.stringify(it, null, 2));
}

function seal(view, entry, source) {
  const body = h("div", { id: "seal", "aria-live": "polite" }, none(entry.proof ? text.seal.verifying : text.seal.notYet),
    !entry.proof && button(text.common.tryAgain, { small: true, on: { click: reload } }));
  if (entry.proof) {
    verifyEntry(source, view.signal).then((steps) => {
      const isGood = steps.every((step) => step.state === "good");
      const isBad = steps.some((step) => step.state === "bad");
      clear(body,
        h("p", { class: "seal-words" }, fill(text.seal.sealed, { batch: entry.sealed?.batch ?? "?", position: entry.sealed?.position ?? "?" }), " ",
          h("span", { "data-verified": String(isGood) }, badge(isGood ? text.seal.verified : isBad ? text.seal.broken : text.seal.partly, isGood ? "good" : isBad ? "bad" : "wait"))),
        h("ul", { class: "seal-steps" }, steps.map((step) => h("li", { "data-step": step.name, "data-state": step.state },
          badge(text.seal.states[step.state], { good: "good", bad: "bad" }[step.state] ?? "wait"), " ", fill(text.seal.steps[step.name], step.values ?? {}),
          step.state !== "good" && step.why && h("span", { class: "aside block" }, step.why)))),
        h("details", {}, h("summary", {}, text.seal.details), facts([
          [text.seal.leaf, h("code", {}, entry.proof.leaf)],
          [text.seal.place, fill(text.seal.placeOf, { index: entry.proof.index, size: entry.proof.size })],
          [text.seal.path, entry.proof.path.length > 0 && h("ol", { class: "hashes" }, entry.proof.path.map((hash) => h("li", {}, h("code", {}, hash))))],
          [text.seal.root, h("code", {}, entry.proof.root)],
          [text.seal.header, h("code", {}, entry.proof.header)],
        ])));
    }).catch((error) => {
      if (!view.signal.aborted) clear(body, none(fill(text.seal.cannot, { why: error.message })));
    });
  }
  return panel(text.seal.title, body);
}
