//! Giving and taking roles.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_types::{Envelope, InputError, RoleAssignmentId, RoleId, UserId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::store::{self, Assignment, MOST};
use crate::access::{Access, Authority, Permission, Routes};
use crate::audit::Changes;
use crate::authn::{Principal, Subject};
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{Errors, Object};
use crate::roles::assign::{may_give_until, portion_of};
use crate::roles::routes::READ;
use crate::roles::{RoleError, check_somebody_is_left, may_assign, may_take, touch_user};
use crate::state::Api;

/// To give and take roles.
pub const ASSIGN: Permission = Permission::new("role.assign");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/users/{user_id}/roles";
    routes.get(PATH, Access::Permission(READ), list).post(PATH, Access::Some(ASSIGN), assign).delete(
        "/api/v1/users/{user_id}/roles/{role_id}",
        Access::Some(ASSIGN),
        revoke,
    );
}

/// That somebody has a role, on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RoleAssignment)]
pub(crate) struct AssignmentView {
    /// The id of the role.
    #[schema(value_type = String, format = Uuid)]
    id: RoleId,
    /// The name of the role.
    #[schema(example = "Customer")]
    name: String,
    /// Whom the role is for.
    #[schema(example = "Customer")]
    role_family: &'static str,
    /// Who gave it; absent where a token named it.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_by: Option<String>,
    /// Until when they have it; absent for good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<UtcTime>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
}

impl From<Assignment> for AssignmentView {
    fn from(row: Assignment) -> Self {
        Self {
            id: row.role_id,
            name: row.name,
            role_family: row.role_family.as_str(),
            assigned_by: row.assigned_by,
            expires_at: row.expires_at,
            created_at: row.created_at,
        }
    }
}

/// Lists the roles of a user
///
/// Those that they have by themselves, also when their time is over; not those of their groups.
#[utoipa::path(
    get,
    path = "/api/v1/users/{user_id}/roles",
    tag = "Roles and permissions",
    operation_id = "list_user_roles",
    params(
        ("user_id" = String, Path, description = "The id of the user", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "The roles", body = inline(Envelope<Vec<AssignmentView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [
                {"id": "0190b2c4-0000-7000-8000-000000000003", "name": "Customer", "role_family": "Customer",
                 "created_at": "2026-01-31T09:30:00Z"}]})),
        (status = 404, description = "The tenant has no such user"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    principal: Principal,
    user: Path<UserId>,
    api: Data<Api>,
) -> Result<HttpResponse, RoleError> {
    let (scope, user) = (principal.scope(), user.into_inner());
    let query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let page = query.page::<String>().map_err(RoleError::Invalid)?;
    let (after, limit) = (page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| {
        if !store::is_user(conn, scope, user)? {
            return Err(RoleError::NoSuchUser);
        }
        Ok(store::list(conn, scope, user, after.as_deref(), limit)?)
    });
    Ok(page.answer(found.await?, |role| role.name.clone(), AssignmentView::from))
}

/// Gives a user a role
///
/// For good, or until a time. The caller holds as long everything that the role allows, and everything that policies which
/// ask for the role allow. Giving it again changes the time.
#[utoipa::path(
    post,
    path = "/api/v1/users/{user_id}/roles",
    tag = "Roles and permissions",
    operation_id = "assign_role",
    params(("user_id" = String, Path, description = "The id of the user", format = Uuid)),
    request_body(content = Value, example = json!(
        {"role_id": "0190b2c4-0000-7000-8000-000000000003", "expires_at": "2027-01-31T00:00:00Z"})),
    responses(
        (status = 200, description = "They have it", body = serde_json::Value,
            example = json!({"status": "success", "data": {"message": "Role assigned successfully"}})),
        (status = 404, description = "The tenant has no such user or role"),
    )
)]
pub(crate) async fn assign(
    change: Change,
    authority: Authority,
    user: Path<UserId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, RoleError> {
    let (user, (role, expires_at)) = (user.into_inner(), parse(body.0.clone()).map_err(RoleError::Invalid)?);
    change.run(&api, &body.0, move |work| give(work, &authority, user, role, expires_at)).await
}

/// Takes a role from a user
///
/// The caller holds everything that the role allows, and everything that policies which ask for the role speak of.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{user_id}/roles/{role_id}",
    tag = "Roles and permissions",
    operation_id = "revoke_role",
    params(
        ("user_id" = String, Path, description = "The id of the user", format = Uuid),
        ("role_id" = String, Path, description = "The id of the role", format = Uuid),
    ),
    responses(
        (status = 204, description = "They do not have it any more"),
        (status = 404, description = "The tenant has no such user or role, or they do not have it"),
        (status = 409, description = "Nobody who may do everything would be left"),
    )
)]
pub(crate) async fn revoke(
    change: Change,
    authority: Authority,
    path: Path<(UserId, RoleId)>,
    api: Data<Api>,
) -> Result<Answer, RoleError> {
    let (user, role) = path.into_inner();
    change.run(&api, &Value::Null, move |work| take(work, &authority, user, role)).await
}

fn parse(body: Value) -> Result<(RoleId, Option<UtcTime>), Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(body, "", &errors);
    let role = body.required("role_id", str::parse::<RoleId>);
    let expires_at = body.text("expires_at", str::parse::<UtcTime>);
    body.finish();
    errors.unless_any(()).and_then(|()| Ok((role.ok_or_else(Vec::new)?, expires_at)))
}

fn give(
    work: &mut Work<'_>,
    caller: &Authority,
    user: UserId,
    role: RoleId,
    expires_at: Option<UtcTime>,
) -> Result<Answer, RoleError> {
    let now = work.clock.now();
    if expires_at.is_some_and(|time| time <= now) {
        let error = InputError::new("/expires_at", "past", "must be in the future");
        return Err(RoleError::Invalid(vec![error]));
    }
    if !store::is_user(work.conn, work.scope, user)? {
        return Err(RoleError::NoSuchUser);
    }
    let renewed = caller.renewed(work.conn)?;
    may_assign(work, &renewed, &[role])?;
    let portion = portion_of(renewed.tenant(), &[role])?;
    may_give_until(&renewed, &portion, expires_at)?;
    let before = store::list(work.conn, work.scope, user, None, MOST)?;
    let old = before.iter().find(|assignment| assignment.role_id == role);
    // Who has it for less long than before loses it.
    let is_sooner = |old: Option<UtcTime>| expires_at.is_some_and(|new| old.is_none_or(|old| new < old));
    if old.is_some_and(|old| is_sooner(old.expires_at)) {
        may_take(&renewed, &portion)?;
    }
    if old.is_none() && before.len() >= usize::try_from(MOST).unwrap_or(usize::MAX) {
        let error = InputError::new("/role_id", "limit", format!("a user has at most {MOST} roles"));
        return Err(RoleError::Invalid(vec![error]));
    }
    if old.is_none_or(|old| old.expires_at != expires_at) {
        let id = RoleAssignmentId::new(work.clock, work.random);
        store::save(work.conn, work.scope, id, (user, role), &by(work.principal), (expires_at, now))?;
        check_somebody_is_left(work.conn, caller, work.scope)?;
        touch_user(work, user)?;
        let before = old.map_or(json!({}), |old| json!({ "role": role, "expires_at": old.expires_at }));
        let changes = Changes::between(&before, &json!({ "role": role, "expires_at": expires_at }));
        work.record(ASSIGN.as_str(), "account", user.to_string(), changes)?;
    }
    Ok(Answer::ok(json!({ "message": "Role assigned successfully" })))
}

fn take(work: &mut Work<'_>, caller: &Authority, user: UserId, role: RoleId) -> Result<Answer, RoleError> {
    if !store::is_user(work.conn, work.scope, user)? {
        return Err(RoleError::NoSuchUser);
    }
    let renewed = caller.renewed(work.conn)?;
    may_assign(work, &renewed, &[role])?;
    may_take(&renewed, &portion_of(renewed.tenant(), &[role])?)?;
    if !store::delete(work.conn, work.scope, user, role)? {
        return Err(RoleError::NotFound);
    }
    check_somebody_is_left(work.conn, caller, work.scope)?;
    touch_user(work, user)?;
    let changes = Changes::between(&json!({ "role": role }), &json!({}));
    work.record(ASSIGN.as_str(), "account", user.to_string(), changes)?;
    Ok(Answer::no_content())
}

/// Who gave it, as it is kept.
fn by(principal: &Principal) -> String {
    match &principal.subject {
        Subject::User(id) => format!("user {id}"),
        Subject::Client(id) => format!("client {id}"),
    }
}
