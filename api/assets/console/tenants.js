/* The tenants: all of them for those who run the platform, one's own for everybody else. */

import { get, send } from "./api.js";
import { openDialog } from "./dialog.js";
import { h, time } from "./dom.js";
import { makeForm } from "./form.js";
import { guarded, me } from "./me.js";
import { button, page, statusBadge } from "./parts.js";
import { go } from "./router.js";
import { say } from "./status.js";
import { makeFilters, makeList } from "./table.js";
import { text, fill } from "./text.js";

const STATUSES = ["active", "inactive", "suspended", "provisioning"];

export async function show(view) {
  if (!me.isPlatform) {
    go(`/console/tenants/${me.tenantId}`, { replace: true });
    return;
  }
  const filters = makeFilters({
    view,
    fields: [
      { name: "name", label: text.tenants.search, type: "search", placeholder: text.tenants.search },
      { name: "status", label: text.common.status, options: STATUSES.map((status) => [status, text.status[status]]) },
      { name: "domain", label: text.tenants.domain },
    ],
    onChange: () => list.reload(),
  });
  const list = makeList({
    caption: text.tenants.title,
    columns: [
      { label: text.common.name, kind: "main", cell: (tenant) => h("div", {}, h("a", { href: `/console/tenants/${tenant.id}` }, tenant.name), h("span", { class: "aside block" }, tenant.slug)) },
      { label: text.common.status, kind: "narrow", cell: status },
      { label: text.tenants.domain, cell: (tenant) => tenant.domain && h("span", { class: "aside" }, tenant.domain) },
      { label: text.common.created, kind: "narrow", cell: (tenant) => h("span", { class: "aside" }, time(tenant.created_at, true)) },
    ],
    key: (tenant) => tenant.id,
    load: (cursor, signal) => get("/v1/tenants", { query: { ...filters.values(), cursor }, signal }),
    empty: text.tenants.none,
    signal: view.signal,
  });
  page(view, {
    title: text.tenants.title,
    lead: text.tenants.lead,
    actions: [guarded("tenant.create", button(text.tenants.new, { primary: true, icon: "plus", id: "new-tenant", on: { click: create } }))],
  }, filters.element, list.element);
  await list.reload();
}

/* The status, and the one that it is on the way to. */
export function status(tenant) {
  return [statusBadge(tenant.status), tenant.pending_status && [" ", h("span", { class: "aside" }, fill(text.tenants.becoming, { status: text.status[tenant.pending_status] }))]];
}

function create() {
  const form = makeForm({
    fields: [
      { name: "name", label: text.common.name, required: true },
      { name: "slug", label: text.tenants.slug, required: true, hint: text.tenants.slugHint },
      { name: "domain", label: text.tenants.domain, hint: text.tenants.domainHint },
      { name: "admin_email", label: text.tenants.adminEmail, type: "email", required: true },
      { name: "admin_password", label: text.tenants.adminPassword, type: "password", required: true, autocomplete: "new-password" },
    ],
    submit: text.common.create,
    onCancel: () => dialog.close(),
    onSubmit: async (values, { key }) => {
      const body = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
      const { data } = await send("POST", "/v1/tenants", body, { key });
      dialog.close();
      go(`/console/tenants/${data.id}`);
      say(fill(text.tenants.created, { name: data.name }));
    },
  });
  const { input: name } = form.field("name");
  const { input: slug } = form.field("slug");
  // A short name is proposed until somebody writes one.
  let isOwn = false;
  slug.addEventListener("input", () => { isOwn = slug.value !== ""; });
  name.addEventListener("input", () => {
    if (isOwn) return;
    slug.value = name.value.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40);
  });
  const dialog = openDialog({ title: text.tenants.new, body: form.element });
}
