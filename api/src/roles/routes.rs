//! `/api/v1/roles`.

use std::collections::BTreeSet;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_types::{Envelope, RoleId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::RoleError;
use super::change;
use super::kind::{KIND, MISSING, attributes};
use super::parse::{RoleInput, RolePatch};
use super::store::{self, Filter, Role};
use crate::access::{Access, AccessControl, Authority, Permission, Routes};
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, IfMatch, OptionalIfMatch, versioned};
use crate::state::Api;

/// To see roles.
pub const READ: Permission = Permission::new("role.read");
/// To make one.
pub const CREATE: Permission = Permission::new("role.create");
/// To change one.
pub const UPDATE: Permission = Permission::new("role.update");
/// To remove one.
pub const DELETE: Permission = Permission::new("role.delete");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/roles";
    const ONE: &str = "/api/v1/roles/{role_id}";
    routes
        .describe(KIND)
        .get(PATH, Access::Some(READ), list)
        .post(PATH, Access::Some(CREATE), create)
        .get(ONE, Access::Some(READ), show)
        .patch(ONE, Access::Some(UPDATE), update)
        .delete(ONE, Access::Some(DELETE), delete);
}

/// A role on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Role)]
pub(crate) struct RoleView<'a> {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: RoleId,
    /// Its name, which it keeps.
    #[schema(example = "PremiumCustomer")]
    name: &'a str,
    /// Whom it is for: `Provider`, `Internal` or `Customer`.
    #[schema(example = "Customer")]
    role_family: &'static str,
    /// What it is, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// Whether every tenant has it as it is.
    is_system: bool,
    /// What it allows by itself: `booking.cancel`, `booking.*` or `*`.
    #[schema(example = json!(["booking.create", "booking.update"]))]
    permissions: &'a BTreeSet<String>,
    /// The roles whose permissions it has as well.
    #[schema(value_type = Vec<String>)]
    inherits: &'a BTreeSet<RoleId>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
    /// When it was changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: UtcTime,
}

pub(super) fn view(role: &Role) -> RoleView<'_> {
    RoleView {
        id: role.row.id,
        name: &role.row.name,
        role_family: role.row.role_family.as_str(),
        description: role.row.description.as_deref(),
        is_system: role.row.is_system,
        permissions: &role.permissions,
        inherits: &role.inherits,
        created_at: role.row.created_at,
        updated_at: role.row.updated_at,
    }
}

/// Lists roles
///
/// By name. Those that the caller may not see are left out; a page may be shorter for that.
#[utoipa::path(
    get,
    path = "/api/v1/roles",
    tag = "Roles and permissions",
    operation_id = "list_roles",
    params(
        ("role_family" = Option<String>, Query, description = "`Provider`, `Internal` or `Customer`"),
        ("name" = Option<String>, Query, description = "The role of this name"),
        ("is_system" = Option<bool>, Query, description = "Only those that every tenant has, or only the others"),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses((status = 200, description = "The roles", body = inline(Envelope<Vec<RoleView>>),
        example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"id": "0190b2c4-0000-7000-8000-000000000003", "name": "PremiumCustomer", "role_family": "Customer",
             "description": "Premium customer with additional privileges", "is_system": false,
             "permissions": ["booking.create", "booking.update"], "inherits": [],
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}]}))),
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, RoleError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let filter = Filter {
        family: query.take("role_family", str::parse),
        name: query.text("name"),
        is_system: query.flag("is_system"),
    };
    let page = query.page::<String>().map_err(RoleError::Invalid)?;
    let (scope, after, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let visible = authority.filter(READ);
    let is_exact = visible.is_exact();
    let found = api.db.read(move |conn| store::list(conn, scope, &filter, &visible, after.as_deref(), limit)).await?;
    let (shown, next) = page.cut(found, |role| role.row.name.clone());
    let may_see = |role: &Role| is_exact || authority.check(READ, attributes(&role.row)).is_ok();
    Ok(page.respond::<Value>(shown.into_iter().filter(may_see).map(|role| json!(view(&role))).collect(), next))
}

/// Makes a role
///
/// Of permissions that the caller holds.
#[utoipa::path(
    post,
    path = "/api/v1/roles",
    tag = "Roles and permissions",
    operation_id = "create_role",
    request_body(content = Value, example = json!({
        "name": "PremiumCustomer", "role_family": "Customer",
        "description": "Premium customer with additional privileges",
        "permissions": ["tenant_settings.read"], "inherits": []})),
    responses(
        (status = 201, description = "The role", body = inline(Envelope<RoleView>),
            headers(("ETag" = String, description = "Names this version"), ("Location" = String, description = "Where it is"))),
        (status = 409, description = "There is a role of this name already"),
    )
)]
pub(crate) async fn create(
    change: Change,
    authority: Authority,
    body: Json<Value>,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<Answer, RoleError> {
    let input = RoleInput::parse(body.0.clone()).map_err(RoleError::Invalid)?;
    let work = move |work: &mut Work<'_>| {
        let role = change::create(work, &authority, &control, &input)?;
        Ok(Answer::created(format!("/api/v1/roles/{}", role.row.id), view(&role)).with_etag(tag(&role).as_str()))
    };
    change.run(&api, &body.0, work).await
}

/// Shows a role
#[utoipa::path(
    get,
    path = "/api/v1/roles/{role_id}",
    tag = "Roles and permissions",
    operation_id = "show_role",
    params(
        ("role_id" = String, Path, description = "Its id", format = Uuid),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The role", body = inline(Envelope<RoleView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data":
            {"id": "0190b2c4-0000-7000-8000-000000000003", "name": "PremiumCustomer", "role_family": "Customer",
             "description": "Premium customer with additional privileges", "is_system": false,
             "permissions": ["booking.create", "booking.update"], "inherits": [],
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "The tenant has no such role"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    id: Path<RoleId>,
    api: Data<Api>,
) -> Result<HttpResponse, RoleError> {
    let (scope, id) = (authority.principal().scope(), id.into_inner());
    let found = api.db.read(move |conn| store::find(conn, scope, id)).await?;
    let role = found.ok_or(RoleError::NotFound)?;
    authority.check_shown(READ, READ, attributes(&role.row), MISSING)?;
    Ok(versioned(&request, &tag(&role), view(&role)))
}

/// Changes a role
///
/// What is left out stays. The caller holds everything that the role allowed and will allow.
#[utoipa::path(
    patch,
    path = "/api/v1/roles/{role_id}",
    tag = "Roles and permissions",
    operation_id = "update_role",
    params(
        ("role_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*`"),
    ),
    request_body(content = Value, example = json!({"permissions": ["tenant_settings.*"]})),
    responses(
        (status = 200, description = "The role as it is now", body = inline(Envelope<RoleView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "The tenant has no such role"),
        (status = 409, description = "The role is part of the system, or nobody who may do everything would be left"),
        (status = 412, description = "Somebody changed it meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn update(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<RoleId>,
    body: Json<Value>,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<Answer, RoleError> {
    let (id, patch) = (id.into_inner(), RolePatch::parse(body.0.clone()).map_err(RoleError::Invalid)?);
    let work = move |work: &mut Work<'_>| {
        let role = change::update(work, &authority, &control, id, &if_match, &patch)?;
        Ok(Answer::ok(view(&role)).with_etag(tag(&role).as_str()))
    };
    change.run(&api, &body.0, work).await
}

/// Removes a role
///
/// One that somebody has, or that another inherits from, is not removed.
#[utoipa::path(
    delete,
    path = "/api/v1/roles/{role_id}",
    tag = "Roles and permissions",
    operation_id = "delete_role",
    params(
        ("role_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is meant; any, where it is left out"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The tenant has no such role"),
        (status = 409, description = "The role is part of the system, or in use"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
    )
)]
pub(crate) async fn delete(
    OptionalIfMatch(if_match): OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<RoleId>,
    api: Data<Api>,
) -> Result<Answer, RoleError> {
    let id = id.into_inner();
    let work = move |work: &mut Work<'_>| {
        change::delete(work, &authority, id, if_match.as_ref())?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

fn tag(role: &Role) -> EntityTag {
    EntityTag::of(role.row.tenant_id, role.row.id, role.row.version)
}
