/* The rules of the tenant. */

import { get } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, clear } from "./dom.js";
import { guarded } from "./me.js";
import { badge, button, buttonLink, page, statusBadge } from "./parts.js";
import { EXAMPLES } from "./policy-examples.js";
import { queued } from "./policy-names.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text-policies.js";

export async function show(view) {
  const filters = makeFilters({
    view,
    fields: [
      { name: "name", label: text.policies.search, placeholder: text.policies.search, type: "search" },
      { name: "resource", label: text.policies.resource },
      { name: "action", label: text.policies.action },
      { name: "effect", label: text.policies.effect, options: [["allow", text.policies.allow], ["deny", text.policies.deny]] },
      { name: "enabled", label: text.policies.state, options: [["true", text.policies.on], ["false", text.policies.off]] },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.policies.title,
    columns: [
      {
        label: text.policies.name, kind: "main",
        cell: (policy) => h("div", {}, h("a", { href: `/console/policies/${policy.id}` }, policy.name), policy.description && h("span", { class: "aside block" }, policy.description)),
      },
      { label: text.policies.effect, kind: "narrow", cell: (policy) => effectBadge(policy.rules.effect) },
      { label: text.policies.target, kind: "narrow", cell: (policy) => h("code", {}, `${policy.target.resource}.${policy.target.action}`) },
      { label: text.policies.assigned, kind: "narrow", cell: (policy) => whenSeen(view, () => reach(view, policy)) },
      { label: text.policies.priority, kind: "narrow", cell: (policy) => policy.priority },
      { label: text.policies.state, kind: "narrow", cell: (policy) => [statusBadge(policy.is_enabled ? "enabled" : "disabled"), " ", whenSeen(view, () => findings(view, policy))] },
    ],
    key: (policy) => policy.id,
    load: (cursor, signal) => get("/v1/policies", { query: { ...filters.values(), cursor }, signal }),
    empty: text.policies.none,
    signal: view.signal,
  });
  page(view, {
    title: text.policies.title,
    lead: text.policies.lead,
    actions: [
      buttonLink(text.policies.explain, "/console/policies/explain", { id: "explain" }),
      guarded("policy.create", button(text.policies.new, { primary: true, icon: "plus", id: "new-policy", on: { click: choose } })),
    ],
  }, filters.element, list.element);
  await list.reload();
}

export const effectBadge = (effect) => badge(effect === "allow" ? text.policies.allow : text.policies.deny, effect === "allow" ? "good" : "bad");

/* What costs a request is asked for when somebody sees where it stands. */
function whenSeen(view, load) {
  const element = h("span", { class: "aside" });
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    queued(async () => (view.signal.aborted ? null : load())).then((content) => clear(element, content)).catch(() => {});
  });
  observer.observe(element);
  view.signal.addEventListener("abort", () => observer.disconnect());
  return element;
}

async function reach(view, policy) {
  const { data, page } = await get(`/v1/policies/${policy.id}/assignments`, { query: { limit: 20 }, signal: view.signal });
  if (data.length === 0) return text.policies.everyone;
  const parts = ["role", "group", "user"].map((type) => {
    const count = data.filter((one) => one.assignee_type === type).length;
    return count > 0 && fill(text.policies.counts[type][count === 1 ? 0 : 1], { count });
  });
  return `${parts.filter(Boolean).join(", ")}${page.next ? ", …" : ""}`;
}

async function findings(view, policy) {
  const { data } = await get(`/v1/policies/${policy.id}/analysis`, { signal: view.signal });
  const count = data.errors.length + data.findings.length;
  if (count === 0) return null;
  const why = [...data.errors, ...data.findings].map((one) => one.detail).join("\n");
  const found = badge(fill(count === 1 ? text.policies.oneFinding : text.policies.findings, { count }), data.errors.length > 0 ? "bad" : "wait");
  found.title = why;
  return found;
}

/* A policy begins as one that somebody has written already. */
function choose() {
  const examples = EXAMPLES.map((example) =>
    h("li", {}, h("a", { class: "example", href: `/console/policies/new?example=${example.id}`, "data-example": example.id, on: { click: () => dialog.close() } },
      h("strong", {}, example.title), " ", effectBadge(example.policy.rules.effect), h("span", { class: "aside block" }, example.lead))));
  const dialog = openDialog({ title: text.policies.new, body: [h("p", {}, text.policies.chooseLead), h("ul", { class: "examples" }, examples)], wide: true });
}
