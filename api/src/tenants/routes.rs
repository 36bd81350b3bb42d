//! `/api/v1/tenants`.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_db::TenantScope;
use tenantry_types::{Envelope, TenantId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::domains::DomainView;
use super::model::{NewTenant, TenantPatch};
use super::store::{self, Filter, TenantRow};
use super::tasks::Tasks;
use super::update::{self, Left};
use super::view::TenantView;
use super::{TenantError, domains, provision, target};
use crate::access::{Access, Authority, Permission, Routes};
use crate::audit::Origin;
use crate::authn::TenantStatus;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, versioned};
use crate::state::Api;

/// To make tenants.
pub const CREATE: Permission = Permission::new("tenant.create");
/// To see a tenant: one's own, or as an administrator of the platform all.
pub const READ: Permission = Permission::new("tenant.read");
/// To rename a tenant.
pub const UPDATE: Permission = Permission::new("tenant.update");
/// To switch a tenant off and on.
pub const SET_STATUS: Permission = Permission::new("tenant.set_status");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ALL: &str = "/api/v1/tenants";
    const ONE: &str = "/api/v1/tenants/{id}";
    routes
        .besides(target::TENANTS)
        .get(ALL, Access::Permission(READ), list)
        .post(ALL, Access::Permission(CREATE), create)
        .get(ONE, Access::Permission(READ), show)
        .patch(ONE, Access::Permission(UPDATE), change)
        .post("/api/v1/tenants/{id}/activate", Access::Permission(SET_STATUS), activate)
        .post("/api/v1/tenants/{id}/deactivate", Access::Permission(SET_STATUS), deactivate)
        .post("/api/v1/tenants/{id}/suspend", Access::Permission(SET_STATUS), suspend);
    domains::routes::configure(routes);
    super::settings::by_tenant::configure(routes);
    super::modules::routes::configure(routes);
}

/// Makes a tenant
///
/// At the identity provider and here, with its first administrator. When the identity provider does not answer, the answer
/// is 503 and the tenant is made as soon as it does; the same request, sent again, gets the answer then.
#[utoipa::path(
    post,
    path = "/api/v1/tenants",
    tag = "Tenants",
    operation_id = "create_tenant",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that a repeat of it counts once")),
    request_body(content = Value, example = json!({
        "name": "Acme Corporation", "slug": "acme", "domain": "acme.example.com",
        "admin_email": "admin@acme.example.com", "admin_password": "securePassword123"})),
    responses(
        (status = 201, description = "The new tenant", body = inline(Envelope<TenantView>),
            headers(("Location" = String, description = "Where it is found"), ("ETag" = String, description = "Names its version"))),
        (status = 409, description = "The short name, the domain or something else is taken: `errors` says what"),
    )
)]
pub(crate) async fn create(
    change: Change,
    authority: Authority,
    body: Json<Value>,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    target::platform(&authority)?;
    let new = NewTenant::parse(body.0.clone()).map_err(TenantError::Invalid)?;
    // A digest of what was sent is kept to know a repeat by: of what a person chose, there must be none.
    let mut known_by = body.0;
    if let Some(members) = known_by.as_object_mut() {
        members.remove("admin_password");
    }
    provision::create(&tasks, &change, &known_by, new).await
}

/// Lists tenants
///
/// For administrators of the platform (`platform.tenants`). In the order in which they were made.
#[utoipa::path(
    get,
    path = "/api/v1/tenants",
    tag = "Tenants",
    operation_id = "list_tenants",
    params(
        ("status" = Option<String>, Query, description = "Only those with this status", example = "active"),
        ("slug" = Option<String>, Query, description = "Only the one with this short name"),
        ("name" = Option<String>, Query, description = "Only those whose name begins with this"),
        ("domain" = Option<String>, Query, description = "Only the one with this verified domain"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses((status = 200, description = "A page of tenants", body = inline(Envelope<Vec<TenantView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [{"id": "0190b2c4-0000-7000-8000-000000000002", "slug": "acme", "name": "Acme Corporation",
                "domain": "acme.example.com", "status": "active", "created_at": "2026-01-31T09:30:00Z"}]})))
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    target::platform(&authority)?;
    let mut query = Query::of(&request, &api.cursors, authority.principal().tenant.id.as_str());
    let domain = |text: &str| text.parse::<tenantry_types::DomainName>().map(|name| name.as_str().to_owned());
    let filter = Filter {
        slug: query.take("slug", str::parse),
        status: query.take("status", str::parse::<TenantStatus>),
        name: query.text("name"),
        domain: query.take("domain", domain),
    };
    let page = query.page::<(UtcTime, TenantId)>().map_err(TenantError::Invalid)?;
    let (after, limit) = (page.after(), page.rows_to_fetch());
    let (rows, names) = api
        .db
        .read(move |conn| {
            let rows = store::list(conn, &filter, after, limit)?;
            let ids: Vec<TenantId> = rows.iter().map(|row| row.id).collect();
            let mut names = HashMap::new();
            for (id, name) in domains::first_names(conn, &ids)? {
                names.entry(id).or_insert(name);
            }
            Ok::<_, TenantError>((rows, names))
        })
        .await?;
    let view = |row: TenantRow| {
        let domain = names.get(&row.id).cloned();
        TenantView::brief(row, domain)
    };
    Ok(page.answer(rows, |row| (row.created_at, row.id), view))
}

/// Shows a tenant
///
/// One's own; with `platform.tenants`, administrators of the platform see all, and the tenant's audit trail says that they
/// looked.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}",
    tag = "Tenants",
    operation_id = "show_tenant",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The tenant", body = inline(Envelope<TenantView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data": {
                "id": "0190b2c4-0000-7000-8000-000000000001", "slug": "acme", "name": "Acme Corporation",
                "domain": "acme.example.com", "status": "active", "domains": [],
                "created_at": "2025-11-20T10:00:00Z", "updated_at": "2025-11-20T10:00:00Z"}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "There is no such tenant, or not for you (`/problems/tenant-not-found`)"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    id: Path<String>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    let (scope, _) = target::look(&api, &authority, origin, &id, (READ, "tenant")).await?;
    let (tag, view) = whole(&api, scope).await?;
    Ok(versioned(&request, &tag, view))
}

async fn whole(api: &Api, scope: TenantScope) -> Result<(EntityTag, TenantView), TenantError> {
    let found = api.db.read(move |conn| {
        let row = store::find(conn, scope)?.ok_or(TenantError::NotFound)?;
        Ok::<_, TenantError>((row, domains::list(conn, scope)?))
    });
    let (row, domains) = found.await?;
    let tag = EntityTag::of(row.id, row.id, row.version);
    Ok((tag, TenantView::whole(row, domains.iter().map(DomainView::of).collect())))
}

/// Changes a tenant
///
/// Its name; the status only as an administrator of the platform. What is left out stays. A tenant that is switched off is
/// so at once; `pending_status` is there as long as the identity provider does not know it.
#[utoipa::path(
    patch,
    path = "/api/v1/tenants/{id}",
    tag = "Tenants",
    operation_id = "update_tenant",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*` for whatever is there"),
        ("Idempotency-Key" = Option<String>, Header, description = "Names this request, so that a repeat of it counts once"),
    ),
    request_body(content = Value, example = json!({"name": "Acme Health", "status": "suspended"})),
    responses(
        (status = 200, description = "The tenant as it is now", body = inline(Envelope<TenantView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "There is no such tenant, or not for you (`/problems/tenant-not-found`)"),
        (status = 409, description = "It is being made, or it is the platform's own"),
        (status = 412, description = "Somebody changed it meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn change(
    id: Path<String>,
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(tasks.api(), &authority, &id).await?;
    let patch = TenantPatch::parse(body.0.clone()).map_err(TenantError::Invalid)?;
    if patch.status.is_some() {
        target::platform(&authority)?;
        target::allow(&authority, SET_STATUS)?;
    }
    update_tenant(&tasks, change.of_tenant(scope.tenant_id()), &body.0, Some(if_match), patch).await
}

/// Lets a tenant be in use again
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/activate",
    tag = "Tenants",
    operation_id = "activate_tenant",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The tenant as it is now", body = inline(Envelope<TenantView>),
            example = json!({"status": "success", "data": {"id": "0190b2c4-0000-7000-8000-000000000002", "slug": "acme", "name": "Acme Corporation",
                "domain": "acme.example.com", "status": "active", "created_at": "2026-01-31T09:30:00Z"}})),
        (status = 404, description = "There is no such tenant (`/problems/tenant-not-found`)"),
        (status = 409, description = "It is being made"),
    )
)]
pub(crate) async fn activate(
    id: Path<String>,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    switch(&tasks, change, &authority, &id, TenantStatus::Active).await
}

/// Switches a tenant off
///
/// Nothing of it works until it is activated.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/deactivate",
    tag = "Tenants",
    operation_id = "deactivate_tenant",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The tenant as it is now", body = inline(Envelope<TenantView>),
            example = json!({"status": "success", "data": {"id": "0190b2c4-0000-7000-8000-000000000002", "slug": "acme", "name": "Acme Corporation",
                "domain": "acme.example.com", "status": "active", "created_at": "2026-01-31T09:30:00Z"}})),
        (status = 404, description = "There is no such tenant (`/problems/tenant-not-found`)"),
        (status = 409, description = "It is being made, or it is the platform's own"),
    )
)]
pub(crate) async fn deactivate(
    id: Path<String>,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    switch(&tasks, change, &authority, &id, TenantStatus::Inactive).await
}

/// Suspends a tenant
///
/// Nothing of it works until it is activated, and everybody is signed out.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/suspend",
    tag = "Tenants",
    operation_id = "suspend_tenant",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The tenant as it is now", body = inline(Envelope<TenantView>),
            example = json!({"status": "success", "data": {"id": "0190b2c4-0000-7000-8000-000000000002", "slug": "acme", "name": "Acme Corporation",
                "domain": "acme.example.com", "status": "active", "created_at": "2026-01-31T09:30:00Z"}})),
        (status = 404, description = "There is no such tenant (`/problems/tenant-not-found`)"),
        (status = 409, description = "It is being made, or it is the platform's own"),
    )
)]
pub(crate) async fn suspend(
    id: Path<String>,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    switch(&tasks, change, &authority, &id, TenantStatus::Suspended).await
}

async fn switch(
    tasks: &Tasks,
    change: Change,
    authority: &Authority,
    id: &str,
    status: TenantStatus,
) -> Result<Answer, TenantError> {
    target::platform(authority)?;
    let (scope, _) = target::find(tasks.api(), authority, id).await?;
    let patch = TenantPatch { name: None, status: Some(status) };
    update_tenant(tasks, change.of_tenant(scope.tenant_id()), &json!({}), None, patch).await
}

async fn update_tenant(
    tasks: &Tasks,
    change: Change,
    body: &Value,
    if_match: Option<IfMatch>,
    patch: TenantPatch,
) -> Result<Answer, TenantError> {
    let (api, scope, left) = (tasks.api(), change.scope(), Left::default());
    let (leaves, origin) = (left.clone(), change.origin.clone());
    let work = move |work: &mut Work<'_>| {
        let row = update::apply(work, &origin, if_match.as_ref(), &patch, &leaves)?;
        let domains = domains::list(work.conn, work.scope)?.iter().map(DomainView::of).collect();
        let tag = EntityTag::of(row.id, row.id, row.version);
        Ok::<_, TenantError>(Answer::ok(TenantView::whole(row, domains)).with_etag(tag.as_str()))
    };
    // What is there now that the identity provider knows, or does not: for this answer, and for a repeat's.
    let again = async |_| {
        let (tag, view) = whole(api, scope).await?;
        Ok(Answer::ok(view).with_etag(tag.as_str()))
    };
    left.run(tasks, &change, body, work, again).await
}
