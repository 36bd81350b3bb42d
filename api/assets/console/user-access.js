/* What somebody may do, and why, in words. `explanation(data)` shows an answer of the API wherever one is needed. */

import { all, send } from "./api.js";
import { h, clear, uid } from "./dom.js";
import { makeForm } from "./form.js";
import { me } from "./me.js";
import { badge, chips, none, panel } from "./parts.js";
import { text, fill } from "./text.js";

export async function accessOf(view, user) {
  const listId = uid("permissions");
  const names = h("datalist", { id: listId });
  const answer = h("div", { "aria-live": "polite", id: "explanation" });
  all("/v1/permissions", { signal: view.signal })
    .then((permissions) => permissions.forEach(({ name }) => names.append(h("option", { value: name }))))
    .catch(() => {});
  const form = makeForm({
    fields: [
      { name: "permission", label: text.access.permission, hint: text.access.permissionHint, required: true, list: listId, pointer: "/action",
        check: (value) => (/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(value) ? null : text.access.permissionHint) },
      { name: "attributes", label: text.access.attributes, type: "json", rows: 4, hint: text.access.attributesHint },
    ],
    submit: text.access.ask,
    onSubmit: async ({ permission, attributes }) => {
      clear(answer);
      const [resource, action] = permission.split(".");
      const subject = user.id === me.subject ? {} : { subject: { id: user.id } };
      const { data } = await send("POST", "/v1/access/explain", { ...subject, resource, action, ...(attributes && { attributes }) }, { signal: view.signal });
      clear(answer, explanation(data));
    },
  });
  return [h("p", { class: "lead" }, text.access.lead), h("div", { class: "columns" }, panel(null, form.element, names), answer)];
}

export function explanation(data) {
  const isAllowed = data.decision === "allow";
  return h("section", { class: "panel verdict", "data-decision": data.decision },
    h("h2", {}, badge(isAllowed ? text.access.allowed : text.access.denied, isAllowed ? "good" : "bad")),
    h("p", { class: "verdict-words" }, data.in_words),
    data.scope_allows === false && h("p", {}, text.access.scope),
    h("h3", {}, text.access.rolesThatAllow),
    data.roles_that_allow.length > 0 ? chips(data.roles_that_allow) : none(text.access.noRoles),
    h("h3", {}, text.access.policies),
    data.policies.length > 0 ? h("ol", { class: "reasons" }, data.policies.map(policy)) : none(text.access.noPolicies),
    data.omitted && none(fill(text.access.omitted, { count: data.omitted })));
}

function policy(one) {
  return h("li", { class: one.applies ? "reason reason-counts" : "reason" },
    h("p", {}, h("strong", {}, one.name), " ", badge(text.status[one.effect], one.effect === "allow" ? "good" : "bad"), " ",
      badge(one.applies ? text.access.counts : one.is_assigned ? text.access.countsNot : text.access.notAssigned), " ",
      h("span", { class: "aside" }, fill(text.access.priority, { priority: one.priority }))),
    h("p", { class: "aside" }, one.in_words),
    one.alternatives.map((conditions, index) => conditions.length > 0 && h("ul", { class: "conditions", "aria-label": fill(text.access.alternative, { number: index + 1 }) },
      conditions.map((condition) => h("li", { "data-truth": condition.truth },
        h("code", {}, condition.attribute, " ", condition.condition), " ",
        badge(text.access.truth[condition.truth], { true: "good", false: "bad" }[condition.truth] ?? "wait"))))));
}
