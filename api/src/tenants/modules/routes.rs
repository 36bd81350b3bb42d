//! `/api/v1/tenants/{id}/modules`.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_types::{Envelope, TenantId};
use tenantry_web::problems::Json;

use super::model::{self, ALL, Known, ModuleView, Wanted};
use super::store::{self, ModuleRow};
use crate::access::{Access, Authority, Permission, Routes};
use crate::audit::{Changes, Origin};
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, OptionalIfMatch, versioned};
use crate::signals::SignalKind;
use crate::state::Api;
use crate::tenants::{TenantError, target};

/// To see the modules of a tenant.
pub const READ: Permission = Permission::new("tenant_module.read");
/// To switch them on and off, and to set them up.
pub const UPDATE: Permission = Permission::new("tenant_module.update");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ALL: &str = "/api/v1/tenants/{id}/modules";
    const ONE: &str = "/api/v1/tenants/{id}/modules/{name}";
    routes.get(ALL, Access::Permission(READ), list);
    routes.get(ONE, Access::Permission(READ), show).put(ONE, Access::Permission(UPDATE), put);
}

/// Names a version of a module. One of which the tenant has said nothing is there, with its defaults.
fn tag(tenant: TenantId, known: &Known, row: Option<&ModuleRow>) -> EntityTag {
    EntityTag::named(tenant, known.module.as_str(), row.map_or(0, |row| row.version))
}

fn view(known: &Known, row: Option<&ModuleRow>) -> ModuleView {
    ModuleView {
        name: known.module.as_str(),
        description: known.description,
        is_enabled: row.is_none_or(|row| row.is_enabled),
        config: row.map_or_else(|| known.defaults(), |row| known.complete(&row.config)),
        updated_at: row.map(|row| row.updated_at),
    }
}

/// Lists the modules of a tenant
///
/// All there are, with how they are set up.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}/modules",
    tag = "Tenants",
    operation_id = "list_tenant_modules",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The modules", body = inline(Envelope<Vec<ModuleView>>),
            example = json!({"status": "success", "data": [{"name": "bookings", "description": "Bookings of what providers offer", "is_enabled": true, "config": {}}]})),
        (status = 404, description = "There is no such tenant, or not for you"),
    )
)]
pub(crate) async fn list(
    id: Path<String>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    let (scope, _) = target::look(&api, &authority, origin, &id, (READ, "tenant_module")).await?;
    let rows = api.db.read(move |conn| store::list(conn, scope)).await?;
    let row = |known: &Known| rows.iter().find(|row| row.module_name == known.module.as_str());
    let views: Vec<ModuleView> = ALL.iter().map(|known| view(known, row(known))).collect();
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Authorization"))
        .json(Envelope::new(views)))
}

/// Shows a module of a tenant
///
/// As the list does, with the version that an update can name.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}/modules/{name}",
    tag = "Tenants",
    operation_id = "show_tenant_module",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("name" = String, Path, description = "The module", example = "bookings"),
    ),
    responses(
        (status = 200, description = "The module", body = inline(Envelope<ModuleView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data": {"name": "bookings", "description": "Appointments", "is_enabled": true,
                "config": {"slot_minutes": 30, "book_ahead_days": 90, "cancel_before_hours": 24, "waiting_list": false}}})),
        (status = 304, description = "It is still as `If-None-Match` says"),
        (status = 404, description = "There is no such tenant, or no such module (`/problems/module-not-found`)"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(String, String)>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    // Before the look is told of: that there is no such module is no look at the tenant.
    let known = Known::named(&path.1).ok_or(TenantError::NoSuchModule)?;
    let (scope, _) = target::look(&api, &authority, origin, &path.0, (READ, "tenant_module")).await?;
    let row = api.db.read(move |conn| store::find(conn, scope, known)).await?;
    Ok(versioned(&request, &tag(scope.tenant_id(), known, row.as_ref()), view(known, row.as_ref())))
}

/// Switches a module on or off, and sets it up
///
/// What is left out of `config` has its default. The routes of a module that is switched off answer 404
/// (`/problems/module-disabled`).
#[utoipa::path(
    put,
    path = "/api/v1/tenants/{id}/modules/{name}",
    tag = "Tenants",
    operation_id = "put_tenant_module",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("name" = String, Path, description = "The module", example = "bookings"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed; without it, whatever is there"),
    ),
    request_body(content = Value, example = json!({"is_enabled": true, "config": {"slot_minutes": 20, "waiting_list": true}})),
    responses(
        (status = 200, description = "The module as it is now", body = inline(Envelope<ModuleView>),
            headers(("ETag" = String, description = "Names this version"))),
        (status = 404, description = "There is no such tenant, or no such module (`/problems/module-not-found`)"),
        (status = 412, description = "Somebody changed it meanwhile"),
    )
)]
pub(crate) async fn put(
    path: Path<(String, String)>,
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(&api, &authority, &path.0).await?;
    let known = Known::named(&path.1).ok_or(TenantError::NoSuchModule)?;
    let wanted = model::parse(known, body.0.clone()).map_err(TenantError::Invalid)?;
    let work = move |work: &mut Work<'_>| save(work, known, if_match.0.as_ref(), &wanted);
    change.of_tenant(scope.tenant_id()).run(&api, &body.0, work).await
}

fn save(
    work: &mut Work<'_>,
    known: &Known,
    if_match: Option<&IfMatch>,
    wanted: &Wanted,
) -> Result<Answer, TenantError> {
    let row = store::find(work.conn, work.scope, known)?;
    let name = known.module.as_str();
    let tenant = work.scope.tenant_id();
    let seen = tag(tenant, known, row.as_ref());
    if let Some(if_match) = if_match {
        if_match.check(&seen)?;
    }
    let before = view(known, row.as_ref());
    let shown = |is_enabled: bool, config: &Value| json!({ "is_enabled": is_enabled, "config": config });
    let changes =
        Changes::between(&shown(before.is_enabled, &before.config), &shown(wanted.is_enabled, &wanted.config));
    if changes.is_empty() {
        return Ok(Answer::ok(before).with_etag(seen.as_str()));
    }
    let version = row.map_or(1, |row| row.version + 1);
    store::save(work.conn, work.scope, work.clock, known, wanted, version)?;
    let payload = json!({ "tenant_id": tenant, "module": name, "is_enabled": wanted.is_enabled });
    work.tell("tenant_module.changed", payload)?;
    work.signal(SignalKind::Tenant, None)?;
    work.record(UPDATE.as_str(), "tenant_module", name, changes)?;
    let after = store::find(work.conn, work.scope, known)?;
    Ok(Answer::ok(view(known, after.as_ref())).with_etag(tag(tenant, known, after.as_ref()).as_str()))
}
