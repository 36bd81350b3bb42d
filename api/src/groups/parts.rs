//! The members and the roles of a group.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_types::{Envelope, GroupId, RoleId, UserId, UtcTime};
use tenantry_web::listing::Query;
use utoipa::ToSchema;

use super::GroupError;
use super::kind::{MISSING, attributes};
use super::routes::{READ, UPDATE};
use super::rules::{may_give_to, may_take_from};
use super::store;
use crate::access::{Access, Authority, Routes};
use crate::audit::Changes;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::roles::{RoleError, check_somebody_is_left, claim, may_assign, may_give, may_take, portion_of, touch_user};
use crate::signals::SignalKind;
use crate::state::Api;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const MEMBER: &str = "/api/v1/groups/{group_id}/members/{user_id}";
    const ROLE: &str = "/api/v1/groups/{group_id}/roles/{role_id}";
    routes
        .get("/api/v1/groups/{group_id}/members", Access::Some(READ), list_members)
        .put(MEMBER, Access::Some(UPDATE), add_member)
        .delete(MEMBER, Access::Some(UPDATE), remove_member)
        .get("/api/v1/groups/{group_id}/roles", Access::Some(READ), list_roles)
        .put(ROLE, Access::Some(UPDATE), add_role)
        .delete(ROLE, Access::Some(UPDATE), remove_role);
}

/// A member of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupMember {
    /// The id of the user.
    #[schema(value_type = String, format = Uuid)]
    user_id: UserId,
    /// Their e-mail address, if it is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// Their name, if it is known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    /// Since when they are in it.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
}

/// A role of a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupRole {
    /// The id of the role.
    #[schema(value_type = String, format = Uuid)]
    role_id: RoleId,
    /// Its name.
    name: String,
}

/// Lists the members of a group
///
/// Not those of its parts.
#[utoipa::path(
    get,
    path = "/api/v1/groups/{group_id}/members",
    tag = "Groups",
    operation_id = "list_group_members",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "The members", body = inline(Envelope<Vec<GroupMember>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [
                {"user_id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example", "created_at": "2026-01-31T09:30:00Z"}]})),
        (status = 404, description = "The tenant has no such group"),
    )
)]
pub(crate) async fn list_members(
    request: HttpRequest,
    authority: Authority,
    group: Path<GroupId>,
    api: Data<Api>,
) -> Result<HttpResponse, GroupError> {
    let principal = authority.principal();
    let query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let page = query.page::<UserId>().map_err(GroupError::Invalid)?;
    let (scope, group, after, limit) = (principal.scope(), group.into_inner(), page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| {
        let known = attributes(&store::find(conn, scope, group)?.ok_or(GroupError::NotFound)?);
        authority.check_shown(READ, READ, known, MISSING)?;
        Ok::<_, GroupError>(store::members(conn, scope, group, after, limit)?)
    });
    let view = |member: store::Member| GroupMember {
        user_id: member.user_id,
        email: member.email,
        display_name: member.display_name,
        created_at: member.created_at,
    };
    Ok(page.answer(found.await?, |member| member.user_id, view))
}

/// Puts somebody into a group
///
/// The caller holds for good everything that the group gives, by its roles and by policies that ask for it, and may give
/// its roles (`role.assign`). Who is in stays in.
#[utoipa::path(
    put,
    path = "/api/v1/groups/{group_id}/members/{user_id}",
    tag = "Groups",
    operation_id = "add_group_member",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("user_id" = String, Path, description = "The id of the user", format = Uuid),
    ),
    responses(
        (status = 204, description = "They are in it"),
        (status = 404, description = "The tenant has no such group or user"),
    )
)]
pub(crate) async fn add_member(
    change: Change,
    authority: Authority,
    path: Path<(GroupId, UserId)>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let (group, user) = path.into_inner();
    let work = move |work: &mut Work<'_>| {
        let now = may_change(work, &authority, group)?;
        may_give_to(work, &now, group)?;
        if store::is_member(work.conn, work.scope, group, user)? {
            return Ok(Answer::no_content());
        }
        store::add_member(work.conn, work.scope, group, user, work.clock.now()).map_err(|error| match error {
            DbError::ForeignKey => GroupError::Role(RoleError::NoSuchUser),
            other => other.into(),
        })?;
        check_somebody_is_left(work.conn, &authority, work.scope)?;
        touch_user(work, user)?;
        let changes = Changes::between(&json!({}), &json!({ "member": user }));
        work.record(UPDATE.as_str(), "group", group.to_string(), changes)?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

/// Takes somebody out of a group
///
/// The caller holds everything that the group gives and that policies which ask for it speak of, and may take its roles
/// (`role.assign`).
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{group_id}/members/{user_id}",
    tag = "Groups",
    operation_id = "remove_group_member",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("user_id" = String, Path, description = "The id of the user", format = Uuid),
    ),
    responses(
        (status = 204, description = "They are not in it any more"),
        (status = 404, description = "The tenant has no such group, or they are not in it"),
        (status = 409, description = "Nobody who may do everything would be left"),
    )
)]
pub(crate) async fn remove_member(
    change: Change,
    authority: Authority,
    path: Path<(GroupId, UserId)>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let (group, user) = path.into_inner();
    let work = move |work: &mut Work<'_>| {
        let now = may_change(work, &authority, group)?;
        may_take_from(work, &now, group)?;
        if !store::remove_member(work.conn, work.scope, group, user)? {
            return Err(RoleError::NoSuchUser.into());
        }
        check_somebody_is_left(work.conn, &authority, work.scope)?;
        touch_user(work, user)?;
        let changes = Changes::between(&json!({ "member": user }), &json!({}));
        work.record(UPDATE.as_str(), "group", group.to_string(), changes)?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

/// Lists the roles of a group
///
/// Not those of the groups that it is a part of.
#[utoipa::path(
    get,
    path = "/api/v1/groups/{group_id}/roles",
    tag = "Groups",
    operation_id = "list_group_roles",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "The roles", body = inline(Envelope<Vec<GroupRole>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [
                {"role_id": "0190b2c4-0000-7000-8000-000000000003", "name": "PremiumCustomer"}]})),
        (status = 404, description = "The tenant has no such group"),
    )
)]
pub(crate) async fn list_roles(
    request: HttpRequest,
    authority: Authority,
    group: Path<GroupId>,
    api: Data<Api>,
) -> Result<HttpResponse, GroupError> {
    let principal = authority.principal();
    let query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let page = query.page::<String>().map_err(GroupError::Invalid)?;
    let (scope, group, after, limit) = (principal.scope(), group.into_inner(), page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| {
        let known = attributes(&store::find(conn, scope, group)?.ok_or(GroupError::NotFound)?);
        authority.check_shown(READ, READ, known, MISSING)?;
        Ok::<_, GroupError>(store::roles_of(conn, scope, group, after.as_deref(), limit)?)
    });
    Ok(page.answer(found.await?, |(_, name)| name.clone(), |(role_id, name)| GroupRole { role_id, name }))
}

/// Gives a group a role
///
/// All of its members have it, and those of its parts. The caller may give the role to people (`role.assign`), for good.
#[utoipa::path(
    put,
    path = "/api/v1/groups/{group_id}/roles/{role_id}",
    tag = "Groups",
    operation_id = "add_group_role",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("role_id" = String, Path, description = "The id of the role", format = Uuid),
    ),
    responses(
        (status = 204, description = "It has it"),
        (status = 404, description = "The tenant has no such group or role"),
    )
)]
pub(crate) async fn add_role(
    change: Change,
    authority: Authority,
    path: Path<(GroupId, RoleId)>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let (group, role) = path.into_inner();
    let work = move |work: &mut Work<'_>| {
        let now = may_change(work, &authority, group)?;
        may_assign(work, &now, &[role])?;
        may_give(&now, &portion_of(now.tenant(), &[role])?)?;
        if store::has_role(work.conn, work.scope, group, role)? {
            return Ok(Answer::no_content());
        }
        store::add_role(work.conn, work.scope, group, role, work.clock.now())?;
        check_somebody_is_left(work.conn, &authority, work.scope)?;
        finish(work, group, &Changes::between(&json!({}), &json!({ "role": role })))
    };
    change.run(&api, &Value::Null, work).await
}

/// Takes a role from a group
///
/// The caller may take the role from people (`role.assign`).
#[utoipa::path(
    delete,
    path = "/api/v1/groups/{group_id}/roles/{role_id}",
    tag = "Groups",
    operation_id = "remove_group_role",
    params(
        ("group_id" = String, Path, description = "The id of the group", format = Uuid),
        ("role_id" = String, Path, description = "The id of the role", format = Uuid),
    ),
    responses(
        (status = 204, description = "It does not have it any more"),
        (status = 404, description = "The tenant has no such group or role, or the group does not have it"),
        (status = 409, description = "Nobody who may do everything would be left"),
    )
)]
pub(crate) async fn remove_role(
    change: Change,
    authority: Authority,
    path: Path<(GroupId, RoleId)>,
    api: Data<Api>,
) -> Result<Answer, GroupError> {
    let (group, role) = path.into_inner();
    let work = move |work: &mut Work<'_>| {
        let now = may_change(work, &authority, group)?;
        may_assign(work, &now, &[role])?;
        may_take(&now, &portion_of(now.tenant(), &[role])?)?;
        if !store::remove_role(work.conn, work.scope, group, role)? {
            return Err(RoleError::NotFound.into());
        }
        check_somebody_is_left(work.conn, &authority, work.scope)?;
        finish(work, group, &Changes::between(&json!({ "role": role }), &json!({})))
    };
    change.run(&api, &Value::Null, work).await
}

/// Whether the caller may say who is in a group and what roles it has. Gives the caller as they are now.
fn may_change(work: &mut Work<'_>, caller: &Authority, group: GroupId) -> Result<Authority, GroupError> {
    let known = attributes(&store::find(work.conn, work.scope, group)?.ok_or(GroupError::NotFound)?);
    let now = caller.renewed(work.conn)?;
    now.check_shown(READ, UPDATE, known, MISSING)?;
    Ok(now)
}

fn finish(work: &mut Work<'_>, group: GroupId, changes: &Changes) -> Result<Answer, GroupError> {
    work.tell("group.roles_changed", json!({ "group_id": group }))?;
    claim::review(work.conn, work.scope, work.clock.now())?;
    work.signal(SignalKind::Access, None)?;
    work.record(UPDATE.as_str(), "group", group.to_string(), changes.clone())?;
    Ok(Answer::no_content())
}
