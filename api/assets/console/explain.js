/* Why somebody may do something, or may not. A page of its own, and a part of others: `explainForm(view, known)`. */

import { all, get, is, send } from "./api.js";
import { h, clear, uid } from "./dom.js";
import { makeForm } from "./form.js";
import { personPicker } from "./group.js";
import { may, me } from "./me.js";
import { button, nameOf, page, panel } from "./parts.js";
import { explanation } from "./user-access.js";
import { text } from "./text-policies.js";

export function show(view) {
  const known = Object.fromEntries(view.query);
  page(view, { title: text.explain.title, lead: text.explain.lead, back: { href: "/console/policies", label: text.policies.title } },
    panel(null, explainForm(view, known)));
}

export function explainForm(view, { subject, facts, resource, action, attributes }) {
  const answer = h("div", { class: "explanation", "aria-live": "polite" });
  const [resources, actions] = [h("datalist", { id: uid("resources") }), h("datalist", { id: uid("actions") })];
  const about = subjectControl(view, { subject, facts });
  const form = makeForm({
    fields: [
      { name: "subject", label: text.explain.about, type: "own", control: about, required: true },
      { name: "resource", label: text.explain.resource, required: true, list: resources.id, hint: text.explain.resourceHint },
      { name: "action", label: text.explain.action, required: true, list: actions.id, hint: text.explain.actionHint },
      { name: "attributes", label: text.explain.attributes, type: "json", rows: 4, hint: text.explain.attributesHint },
    ],
    values: { resource, action, attributes: parsed(attributes) },
    submit: text.explain.ask,
    onSubmit: async ({ subject, resource, action, attributes }) => {
      clear(answer);
      const { data } = await send("POST", "/v1/access/explain", { ...subject, resource, action, ...(attributes && { attributes }) }, { signal: view.signal });
      clear(answer, explanation(data));
    },
  });
  const field = (name) => form.field(name).input;
  const offer = (known) => {
    clear(resources, [...known.keys()].sort().map((name) => h("option", { value: name })));
    const follow = () => clear(actions, [...(known.get(field("resource").value.trim()) ?? [])].sort().map((name) => h("option", { value: name })));
    field("resource").addEventListener("input", follow);
    follow();
  };
  if (may("permission.read")) {
    all("/v1/permissions", { signal: view.signal, most: 2000 }).then((permissions) => {
      const known = new Map();
      for (const permission of permissions) {
        const [kind, verb] = permission.name.split(".");
        known.set(kind, [...(known.get(kind) ?? []), verb]);
      }
      offer(known);
    }).catch(() => {});
  }
  return h("div", { class: "columns columns-even" }, h("div", {}, form.element, resources, actions), answer);
}

function parsed(source) {
  try {
    return source ? JSON.parse(source) : null;
  } catch {
    return null;
  }
}

/* Oneself, somebody of the tenant, or somebody imagined. Its value is a part of the question. */
function subjectControl(view, { subject, facts }) {
  const ways = [["me", text.explain.me], ...(may("access.explain") ? [may("account.read") && ["somebody", text.explain.somebody], ["imagined", text.explain.imagined]] : [])].filter(Boolean);
  const way = h("select", { class: "input", "aria-label": text.explain.about, name: "about" }, ways.map(([value, label]) => h("option", { value }, label)));
  const place = h("div", {});
  let known = subject && subject !== me.subject && ways.length > 1 ? { id: subject } : null;
  let picker = null;
  const imagined = h("textarea", { class: "input input-code", rows: 4, spellcheck: "false", "aria-label": text.explain.facts, name: "facts" });
  imagined.value = JSON.stringify(parsed(facts) ?? { "user.role": ["PremiumCustomer"] }, null, 2);

  function draw() {
    picker = null;
    if (way.value === "imagined") {
      clear(place, imagined);
    } else if (way.value === "somebody" && known) {
      const name = h("strong", {}, known.id);
      get(`/v1/users/${encodeURIComponent(known.id)}`, { signal: view.signal }).then(({ data }) => { name.textContent = nameOf(data); }).catch((problem) => is(problem, 404) && name.append(` ${text.explain.gone}`));
      clear(place, h("p", { class: "chosen" }, name, " ", button(text.explain.other, { small: true, on: { click: () => { known = null; draw(); picker.focus(); } } })));
    } else if (way.value === "somebody") {
      picker = personPicker(view.signal);
      clear(place, picker.element);
    } else {
      clear(place);
    }
  }
  way.value = known && ways.some(([value]) => value === "somebody") ? "somebody" : facts && ways.length > 1 ? "imagined" : "me";
  way.addEventListener("change", draw);
  draw();
  return {
    element: h("div", { class: "picker" }, way, place),
    focus: () => way.focus(),
    value() {
      if (way.value === "me") return {};
      if (way.value === "imagined") return { subject: { facts: JSON.parse(imagined.value) } };
      const id = known?.id ?? picker?.value()?.id;
      return id ? { subject: { id } } : null;
    },
  };
}
