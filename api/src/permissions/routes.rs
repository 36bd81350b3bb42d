//! `/api/v1/permissions`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_types::{Envelope, InputError, PermissionId};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::error::PermissionError;
use super::store::{self, MOST, Permission};
use crate::access::{self, Access, AccessControl, PermissionPattern, Routes, is_name};
use crate::audit::Changes;
use crate::authn::Principal;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{EntityTag, Errors, Object, versioned};
use crate::signals::SignalKind;
use crate::state::Api;

/// To see which permissions there are.
pub const READ: access::Permission = access::Permission::new("permission.read");
/// To add one.
pub const CREATE: access::Permission = access::Permission::new("permission.create");
/// To remove one.
pub const DELETE: access::Permission = access::Permission::new("permission.delete");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/permissions";
    routes
        .get(PATH, Access::Permission(READ), list)
        .post(PATH, Access::Permission(CREATE), create)
        .get("/api/v1/permissions/{permission_id}", Access::Permission(READ), show)
        .delete("/api/v1/permissions/{permission_id}", Access::Permission(DELETE), delete);
}

/// Lists permissions
///
/// Those that the routes of this API ask for, and those that the tenant has added, by name.
#[utoipa::path(
    get,
    path = "/api/v1/permissions",
    tag = "Roles and permissions",
    operation_id = "list_permissions",
    params(
        ("resource" = Option<String>, Query, description = "Only those about this kind of resource"),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses((status = 200, description = "The permissions", body = inline(Envelope<Vec<Permission>>),
        example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"id": "0190b2c4-0000-7000-8000-000000000001", "name": "booking.cancel", "resource": "booking",
             "action": "cancel", "description": "Cancel a booking", "created_at": "2026-01-31T09:30:00Z"},
            {"name": "role.read", "resource": "role", "action": "read"}]}))),
)]
pub(crate) async fn list(
    request: HttpRequest,
    principal: Principal,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<HttpResponse, PermissionError> {
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let resource = query.text("resource");
    let page = query.page::<String>().map_err(PermissionError::Invalid)?;
    let (scope, after, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let (of, from) = (resource.clone(), after.clone());
    let own = api.db.read(move |conn| store::list(conn, scope, of.as_deref(), from.as_deref(), limit)).await?;
    let is_wanted = |permission: &Permission| {
        resource.as_ref().is_none_or(|wanted| *wanted == permission.resource)
            && after.as_ref().is_none_or(|after| permission.name > *after)
    };
    let built_in = control.built_in().iter().map(|name| built_in(name)).filter(is_wanted);
    let mut found: Vec<Permission> = own.into_iter().chain(built_in).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(page.answer(found, |permission| permission.name.clone(), |permission| permission))
}

/// Adds a permission
///
/// For the tenant's own programs, which ask whether somebody has it. The name is `resource.action`.
#[utoipa::path(
    post,
    path = "/api/v1/permissions",
    tag = "Roles and permissions",
    operation_id = "create_permission",
    request_body(content = Value, example = json!(
        {"name": "booking.cancel", "resource": "booking", "action": "cancel", "description": "Cancel a booking"})),
    responses(
        (status = 201, description = "The permission", body = inline(Envelope<Permission>)),
        (status = 409, description = "There is a permission of this name already"),
    )
)]
pub(crate) async fn create(
    change: Change,
    body: Json<Value>,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<Answer, PermissionError> {
    let permission = parse(body.0.clone()).map_err(PermissionError::Invalid)?;
    if control.built_in().contains(permission.name.as_str()) {
        return Err(PermissionError::NameTaken);
    }
    change.run(&api, &body.0, move |work| insert(work, &permission)).await
}

/// Shows a permission of the tenant
#[utoipa::path(
    get,
    path = "/api/v1/permissions/{permission_id}",
    tag = "Roles and permissions",
    operation_id = "show_permission",
    params(
        ("permission_id" = String, Path, description = "Its id", format = Uuid),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The permission", body = inline(Envelope<Permission>),
            headers(("ETag" = String, description = "Names this version; a permission has one only")),
            example = json!({"status": "success", "data":
                {"id": "0190b2c4-0000-7000-8000-000000000001", "name": "booking.cancel", "resource": "booking",
                 "action": "cancel", "description": "Cancel a booking", "created_at": "2026-01-31T09:30:00Z"}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "The tenant has no such permission"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    principal: Principal,
    id: Path<PermissionId>,
    api: Data<Api>,
) -> Result<HttpResponse, PermissionError> {
    let (scope, id) = (principal.scope(), id.into_inner());
    let found = api.db.read(move |conn| store::find(conn, scope, id)).await?;
    let found = found.ok_or(PermissionError::NotFound)?;
    Ok(versioned(&request, &EntityTag::of(principal.tenant.id, id, 1), found))
}

/// Removes a permission of the tenant
///
/// One that roles have, or of whose kind of resource policies speak, is not removed.
#[utoipa::path(
    delete,
    path = "/api/v1/permissions/{permission_id}",
    tag = "Roles and permissions",
    operation_id = "delete_permission",
    params(("permission_id" = String, Path, description = "Its id", format = Uuid)),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The tenant has no such permission"),
        (status = 409, description = "Roles have it, or policies speak of it"),
    )
)]
pub(crate) async fn delete(change: Change, id: Path<PermissionId>, api: Data<Api>) -> Result<Answer, PermissionError> {
    let id = id.into_inner();
    change.run(&api, &Value::Null, move |work| remove(work, id)).await
}

fn built_in(name: &str) -> Permission {
    let (resource, action) = name.split_once('.').unwrap_or((name, ""));
    Permission {
        id: None,
        name: name.to_owned(),
        resource: resource.to_owned(),
        action: action.to_owned(),
        description: None,
        created_at: None,
    }
}

/// `{name, resource?, action?, description?}`: the parts are said by the name already, and have to agree with it.
fn parse(body: Value) -> Result<Permission, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(body, "", &errors);
    let pattern = body.required("name", |text| match text.parse() {
        Ok(pattern @ PermissionPattern::One(..)) => Ok(pattern),
        _ => Err("must be resource.action in lower-case letters, digits and underscores"),
    });
    let part = |text: &str| if is_name(text) { Ok(text.to_owned()) } else { Err("must be a part of the name") };
    let (resource, action) = (body.text("resource", part), body.text("action", part));
    let description = body.text("description", crate::input::line::<500>);
    let mut permission = built_in("");
    if let Some(PermissionPattern::One(of_name, done)) = pattern {
        for (member, given, expected) in [("resource", &resource, &of_name), ("action", &action, &done)] {
            if given.as_ref().is_some_and(|given| given != expected) {
                body.refuse(member, "mismatch", format!("the name says {expected}"));
            }
        }
        permission = Permission {
            name: format!("{of_name}.{done}"),
            resource: of_name,
            action: done,
            description,
            ..permission
        };
    }
    body.finish();
    errors.unless_any(permission)
}

fn insert(work: &mut Work<'_>, permission: &Permission) -> Result<Answer, PermissionError> {
    if store::count(work.conn, work.scope)? >= MOST {
        let error = InputError::new("", "limit", format!("a tenant adds at most {MOST} permissions"));
        return Err(PermissionError::Invalid(vec![error]));
    }
    let (id, now) = (PermissionId::new(work.clock, work.random), work.clock.now());
    store::insert(work.conn, work.scope, id, permission, now)
        .map_err(|error| if error.conflicts_on("name") { PermissionError::NameTaken } else { error.into() })?;
    let made = Permission { id: Some(id), created_at: Some(now), ..permission.clone() };
    work.signal(SignalKind::Access, None)?;
    work.record(CREATE.as_str(), "permission", id.to_string(), Changes::between(&json!({}), &json!(made)))?;
    Ok(Answer::created(format!("/api/v1/permissions/{id}"), made))
}

fn remove(work: &mut Work<'_>, id: PermissionId) -> Result<Answer, PermissionError> {
    let found = store::find(work.conn, work.scope, id)?.ok_or(PermissionError::NotFound)?;
    if store::is_used(work.conn, work.scope, &found)? {
        return Err(PermissionError::InUse);
    }
    store::delete(work.conn, work.scope, id)?;
    work.signal(SignalKind::Access, None)?;
    work.record(DELETE.as_str(), "permission", id.to_string(), Changes::between(&json!(found), &json!({})))?;
    Ok(Answer::no_content())
}
