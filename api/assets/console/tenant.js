/* One tenant: what it is called, its domains, settings and modules. */

import { get, is, send } from "./api.js";
import { conflict, confirm, openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { makeForm } from "./form.js";
import { guarded, may, me } from "./me.js";
import { asideTime, badge, button, copyable, facts, page, panel, tabs } from "./parts.js";
import { reload } from "./router.js";
import { attempt, problemView, say } from "./status.js";
import { makeList } from "./table.js";
import { status } from "./tenants.js";
import { text, fill } from "./text.js";
import { saveOver } from "./user.js";

export async function show(view) {
  const { id, tab = "about" } = view.params;
  const path = `/v1/tenants/${encodeURIComponent(id)}`;
  const { data: tenant, etag } = await get(path, { signal: view.signal });
  const here = `/console/tenants/${id}`;
  const parts = { about, domains, settings, modules };
  const part = parts[tab] ? tab : "about";
  const content = await parts[part](view, { path, tenant, etag });
  const change = (action, label, kind) => guarded("tenant.set_status", button(label, { id: `${action}-tenant`, ...kind, on: { click: () => changeStatus(path, tenant, action) } }));
  const isManaged = me.isPlatform && tenant.id !== me.tenantId && tenant.status !== "provisioning";
  page(view, {
    title: tenant.name,
    lead: tenant.slug,
    badge: status(tenant),
    back: me.isPlatform && { href: "/console/tenants", label: text.tenants.title },
    actions: isManaged && (tenant.status === "active"
      ? [change("deactivate", text.tenants.deactivate), change("suspend", text.tenants.suspend)]
      : [change("activate", text.tenants.activate, { primary: true })]) || [],
  },
  tabs([
    { id: "about", label: text.tenants.about, href: here },
    { id: "domains", label: text.tenants.domains, href: `${here}/domains`, hidden: !may("tenant_domain.read") },
    { id: "settings", label: text.tenants.settings, href: `${here}/settings`, hidden: !may("tenant_settings.read") },
    { id: "modules", label: text.tenants.modules, href: `${here}/modules`, hidden: !may("tenant_module.read") },
  ], part),
  content);
}

async function changeStatus(path, tenant, action) {
  const words = text.tenants.actions[action];
  const really = await confirm({ title: fill(words.title, { name: tenant.name }), body: h("p", {}, words.lead), action: text.tenants[action], danger: action !== "activate" });
  if (!really) return;
  await attempt(async () => {
    await send("POST", `${path}/${action}`, null);
    reload();
    say(fill(words.done, { name: tenant.name }));
  });
}

function about(view, { path, tenant, etag }) {
  const known = panel(text.common.status, facts([
    [text.common.id, copyable(tenant.id)],
    [text.tenants.slug, h("code", {}, tenant.slug)],
    [text.common.status, status(tenant)],
    [text.tenants.domain, tenant.domain],
    [text.common.created, asideTime(tenant.created_at)],
    [text.common.changed, asideTime(tenant.updated_at)],
  ]));
  if (!may("tenant.update")) return known;
  const form = makeForm({
    fields: [{ name: "name", label: text.common.name, required: true }],
    values: tenant,
    onSubmit: async ({ name }, { key }) => {
      if (name === tenant.name) {
        say(text.common.nothingChanged);
        return;
      }
      if (!(await saveOver(path, { name }, etag, key))) return;
      reload();
      say(text.common.saved);
    },
  });
  return h("div", { class: "columns" }, panel(null, form.element), known);
}

async function domains(view, { path }) {
  const one = (domain) => `${path}/domains/${encodeURIComponent(domain.domain)}`;
  const act = (action) => attempt(async () => {
    await action();
    await list.reload();
  });
  const verify = (domain) => openVerification(one(domain), domain, () => list.reload());
  const remove = async (domain) => {
    const really = await confirm({ title: fill(text.tenants.removeDomain, { domain: domain.domain }), body: h("p", {}, text.tenants.removeDomainLead), action: text.common.remove, danger: true });
    if (really) await act(() => send("DELETE", one(domain), null));
  };
  const list = makeList({
    caption: text.tenants.domains,
    columns: [
      {
        label: text.tenants.domain, kind: "main",
        cell: (domain) => [domain.domain, " ", domain.is_primary && badge(text.tenants.primary, "good")],
      },
      { label: text.common.status, kind: "narrow", cell: (domain) => badge(domain.is_verified ? text.status.verified : text.status.unverified, domain.is_verified ? "good" : "wait") },
      { label: text.users.since, cell: (domain) => h("span", { class: "aside" }, asideTime(domain.verified_at ?? domain.created_at)) },
      {
        label: text.common.actions, kind: "actions",
        cell: (domain) => [
          guarded("tenant_domain.verify", button(domain.is_verified ? text.tenants.showProof : text.tenants.verify, { small: true, on: { click: () => verify(domain) } })),
          domain.is_verified && !domain.is_primary && guarded("tenant_domain.update", button(text.tenants.makePrimary, { small: true, on: { click: () => act(() => send("POST", `${one(domain)}/primary`, null)) } })),
          guarded("tenant_domain.delete", button(text.common.remove, { small: true, on: { click: () => remove(domain) } })),
        ],
      },
    ],
    key: (domain) => domain.domain,
    load: (cursor, signal) => get(`${path}/domains`, { signal }),
    empty: text.tenants.noDomains,
    signal: view.signal,
  });
  const add = () => {
    const form = makeForm({
      fields: [
        { name: "domain", label: text.tenants.domain, required: true, hint: text.tenants.newDomainHint },
        { name: "is_primary", label: text.tenants.asPrimary, type: "checkbox" },
      ],
      submit: text.common.add,
      onCancel: () => dialog.close(),
      onSubmit: async (values, { key }) => {
        const { data } = await send("POST", `${path}/domains`, values, { key });
        dialog.close();
        await list.reload();
        verify(data);
      },
    });
    const dialog = openDialog({ title: text.tenants.newDomain, body: form.element });
  };
  await list.reload();
  return [h("p", { class: "lead" }, text.tenants.domainsLead),
    h("div", { class: "toolbar" }, guarded("tenant_domain.create", button(text.tenants.newDomain, { icon: "plus", id: "new-domain", on: { click: add } }))), list.element];
}

/* `slot_minutes` as a label. */
const sentenceCase = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");

/* What to publish, and whether it can be seen. */
function openVerification(path, domain, changed) {
  const { dns_name: name, token, http_url: url } = domain.verification;
  const words = text.tenants.proof;
  const result = h("div", { "aria-live": "polite" });
  const check = button(words.check, { primary: true, id: "check-domain" });
  check.addEventListener("click", async () => {
    check.setAttribute("aria-disabled", "true");
    result.replaceChildren(h("p", { class: "none" }, text.common.loading));
    try {
      await send("POST", `${path}/verify`, null);
      dialog.close();
      say(fill(words.done, { domain: domain.domain }));
      await changed();
    } catch (error) {
      result.replaceChildren(problemView(error));
    } finally {
      check.removeAttribute("aria-disabled");
    }
  });
  const file = () => {
    const address = URL.createObjectURL(new Blob([token], { type: "text/plain" }));
    const link = h("a", { href: address, download: url.split("/").pop() });
    link.click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  };
  const dialog = openDialog({
    title: fill(words.title, { domain: domain.domain }),
    body: [
      h("p", {}, words.lead),
      h("h3", {}, words.dns),
      facts([[words.type, h("code", {}, "TXT")], [words.name, copyable(name)], [words.value, copyable(token)]]),
      h("h3", {}, words.http),
      facts([[words.address, copyable(url)], [words.content, copyable(token)]]),
      h("p", {}, button(words.download, { small: true, icon: "download", on: { click: file } })),
      result,
      h("div", { class: "dialog-actions" }, check),
    ],
  });
}

async function settings(view, { path }) {
  const config = `${path}/config`;
  const { data, etag } = await get(config, { signal: view.signal });
  const words = text.tenants.config;
  const editable = may("tenant_settings.update");
  const named = (section, fields) => fields.map((field) => ({ ...field, name: `${section}.${field.name}`, pointer: `/${section}/${field.name}`, attributes: editable ? field.attributes : { ...field.attributes, disabled: true } }));
  const branding = [
    { name: "display_name", label: words.displayName },
    { name: "logo_url", label: words.logo, type: "url", hint: text.users.pictureHint },
    { name: "primary_color", label: words.color, hint: words.colorHint },
    { name: "support_email", label: words.support, type: "email" },
  ];
  const security = [
    { name: "mfa", label: words.mfa, type: "select", options: [["off", words.mfaOff], ["optional", words.mfaOptional], ["required", words.mfaRequired]] },
    { name: "session_idle_minutes", label: words.idle, type: "number", required: true, attributes: { min: 5, max: 1440 } },
    { name: "session_absolute_hours", label: words.absolute, type: "number", required: true, attributes: { min: 1, max: 720 } },
    { name: "password_min_length", label: words.password, type: "number", required: true, attributes: { min: 8, max: 64 } },
  ];
  const values = { feature_flags: data.feature_flags ?? {}, limits: data.limits ?? {} };
  for (const [section, fields] of [["branding", branding], ["security", security]]) {
    for (const { name } of fields) values[`${section}.${name}`] = data[section]?.[name];
  }
  const form = makeForm({
    fields: [
      ...named("branding", branding),
      ...named("security", security),
      { name: "feature_flags", label: words.flags, type: "json", hint: words.flagsHint, attributes: { disabled: !editable } },
      { name: "limits", label: words.limits, type: "json", hint: words.limitsHint, attributes: { disabled: !editable } },
    ],
    values,
    onSubmit: async (entered, { key }) => {
      const section = (name, fields) => Object.fromEntries(fields.map((field) => [field.name, entered[`${name}.${field.name}`]]).filter(([, value]) => value !== null));
      const wanted = { branding: section("branding", branding), security: section("security", security), feature_flags: entered.feature_flags ?? {}, limits: entered.limits ?? {} };
      if (!(await replaceOver(config, wanted, etag, key))) return;
      reload();
      say(text.common.saved);
    },
  });
  if (!editable) form.element.querySelector("[type=submit]").remove();
  return panel(null, form.element);
}

/* Puts settings in the place of those that were shown; where somebody was faster, asks. */
async function replaceOver(path, wanted, etag, key) {
  try {
    return await send("PUT", path, wanted, { etag, key });
  } catch (error) {
    if (!is(error, 412)) throw error;
    const choice = await conflict();
    if (choice === "theirs") reload();
    return choice === "mine" ? send("PUT", path, wanted, { etag: "*" }) : null;
  }
}

async function modules(view, { path }) {
  const { data } = await get(`${path}/modules`, { signal: view.signal });
  const editable = may("tenant_module.update");
  return h("div", { class: "columns columns-even" }, data.map((module) => {
    const fields = Object.entries(module.config).map(([name, value]) => ({
      name, label: sentenceCase(name), pointer: `/config/${name}`, attributes: { disabled: !editable }, required: typeof value === "number",
      type: typeof value === "boolean" ? "checkbox" : typeof value === "number" ? "number" : "json", rows: 2,
    }));
    const form = makeForm({
      fields: [{ name: "is_enabled", label: text.tenants.enabled, type: "checkbox", attributes: { disabled: !editable } }, ...fields],
      values: { is_enabled: module.is_enabled, ...module.config },
      onSubmit: async ({ is_enabled, ...config }, { key }) => {
        await send("PUT", `${path}/modules/${module.name}`, { is_enabled, config }, { key });
        say(fill(text.tenants.moduleSaved, { name: module.description }));
      },
    });
    if (!editable) form.element.querySelector("[type=submit]").remove();
    const section = panel(module.description, form.element);
    section.dataset.module = module.name;
    return section;
  }));
}
