//! The rows of groups.

use std::collections::HashMap;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{GroupId, RoleId, TenantId, UserId, UtcTime};

use crate::access::policy::Filter as Visible;
use crate::schema::{group_members, group_roles, roles, user_groups, users};

/// A group.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = user_groups, treat_none_as_default_value = false)]
pub(super) struct Group {
    pub(super) id: GroupId,
    pub(super) tenant_id: TenantId,
    pub(super) parent_id: Option<GroupId>,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) version: i64,
    pub(super) created_at: UtcTime,
    pub(super) updated_at: UtcTime,
}

/// A member of a group.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Member {
    pub(super) user_id: UserId,
    pub(super) email: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) created_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = group_members)]
struct NewMember {
    tenant_id: TenantId,
    group_id: GroupId,
    user_id: UserId,
    created_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = group_roles)]
struct NewRole {
    tenant_id: TenantId,
    group_id: GroupId,
    role_id: RoleId,
    created_at: UtcTime,
}

/// Which groups a list asks for.
#[derive(Debug, Clone, Default)]
pub(super) struct Wanted {
    /// The one of this name.
    pub(super) name: Option<String>,
    /// Parts of this one.
    pub(super) parent: Option<GroupId>,
    /// Those that somebody is in.
    pub(super) member: Option<UserId>,
}

/// Groups in the order of their names, after one.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    wanted: &Wanted,
    visible: &Visible,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Group>, DbError> {
    let mut query = user_groups::table
        .filter(user_groups::tenant_id.eq(scope.tenant_id()))
        .filter(visible.to_sql())
        .order(user_groups::name.asc())
        .limit(limit)
        .select(Group::as_select())
        .into_boxed();
    if let Some(name) = &wanted.name {
        query = query.filter(user_groups::name.eq(name));
    }
    if let Some(parent) = wanted.parent {
        query = query.filter(user_groups::parent_id.eq(parent));
    }
    if let Some(member) = wanted.member {
        let of_member = group_members::table
            .filter(group_members::tenant_id.eq(scope.tenant_id()).and(group_members::user_id.eq(member)))
            .select(group_members::group_id);
        query = query.filter(user_groups::id.eq_any(of_member));
    }
    if let Some(after) = after {
        query = query.filter(user_groups::name.gt(after));
    }
    Ok(query.load(conn)?)
}

/// The groups with these ids.
pub(super) fn with_ids(conn: &mut Connection, scope: TenantScope, ids: &[String]) -> Result<Vec<Group>, DbError> {
    let rows = user_groups::table
        .filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::id.eq_any(ids)))
        .select(Group::as_select())
        .load(conn)?;
    Ok(rows)
}

/// One group.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, id: GroupId) -> Result<Option<Group>, DbError> {
    let row = user_groups::table
        .filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::id.eq(id)))
        .select(Group::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// What all groups of the tenant are called but this one.
pub(super) fn names_but(
    conn: &mut Connection,
    scope: TenantScope,
    id: GroupId,
    most: i64,
) -> Result<Vec<String>, DbError> {
    let others = user_groups::table.filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::id.ne(id)));
    Ok(others.select(user_groups::name).limit(most).load(conn)?)
}

/// How many groups the tenant has.
pub(super) fn count(conn: &mut Connection, scope: TenantScope) -> Result<i64, DbError> {
    Ok(user_groups::table.filter(user_groups::tenant_id.eq(scope.tenant_id())).count().get_result(conn)?)
}

/// Which group every group is a part of.
pub(super) fn parents(conn: &mut Connection, scope: TenantScope) -> Result<HashMap<GroupId, GroupId>, DbError> {
    let rows: Vec<(GroupId, Option<GroupId>)> = user_groups::table
        .filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::parent_id.is_not_null()))
        .select((user_groups::id, user_groups::parent_id))
        .load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, parent)| Some((id, parent?))).collect())
}

/// Adds a group.
pub(super) fn insert(conn: &mut Connection, group: &Group) -> Result<(), DbError> {
    diesel::insert_into(user_groups::table).values(group).execute(conn)?;
    Ok(())
}

/// Gives a group another name, description and parent.
pub(super) fn update(conn: &mut Connection, scope: TenantScope, group: &Group) -> Result<(), DbError> {
    diesel::update(
        user_groups::table.filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::id.eq(group.id))),
    )
    .set((
        user_groups::name.eq(&group.name),
        user_groups::description.eq(&group.description),
        user_groups::parent_id.eq(group.parent_id),
        user_groups::version.eq(group.version),
        user_groups::updated_at.eq(group.updated_at),
    ))
    .execute(conn)?;
    Ok(())
}

/// Removes a group with what it says of its members and roles. [`DbError::ForeignKey`] while others are a part of it.
pub(super) fn delete(conn: &mut Connection, scope: TenantScope, id: GroupId) -> Result<(), DbError> {
    let row = user_groups::table.filter(user_groups::tenant_id.eq(scope.tenant_id()).and(user_groups::id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// The members of a group, by their ids, after one.
pub(super) fn members(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Member>, DbError> {
    let mut query = group_members::table
        .inner_join(
            users::table.on(users::tenant_id.eq(group_members::tenant_id).and(users::id.eq(group_members::user_id))),
        )
        .filter(group_members::tenant_id.eq(scope.tenant_id()).and(group_members::group_id.eq(group)))
        .order(group_members::user_id.asc())
        .limit(limit)
        .select((group_members::user_id, users::email, users::display_name, group_members::created_at))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(group_members::user_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Whether somebody is in a group.
pub(super) fn is_member(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    user: UserId,
) -> Result<bool, DbError> {
    let row = group_members::table
        .filter(group_members::tenant_id.eq(scope.tenant_id()).and(group_members::group_id.eq(group)))
        .filter(group_members::user_id.eq(user));
    Ok(diesel::select(diesel::dsl::exists(row)).get_result(conn)?)
}

/// Whether a group has a role.
pub(super) fn has_role(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    role: RoleId,
) -> Result<bool, DbError> {
    let row = group_roles::table
        .filter(group_roles::tenant_id.eq(scope.tenant_id()).and(group_roles::group_id.eq(group)))
        .filter(group_roles::role_id.eq(role));
    Ok(diesel::select(diesel::dsl::exists(row)).get_result(conn)?)
}

/// Adds a member, or leaves them in. [`DbError::ForeignKey`] for somebody whom the tenant does not have.
pub(super) fn add_member(
    conn: &mut Connection,
    scope: TenantScope,
    group_id: GroupId,
    user_id: UserId,
    now: UtcTime,
) -> Result<(), DbError> {
    let row = NewMember { tenant_id: scope.tenant_id(), group_id, user_id, created_at: now };
    diesel::insert_into(group_members::table)
        .values(row)
        .upsert(
            (group_members::tenant_id, group_members::group_id, group_members::user_id),
            group_members::user_id.eq(user_id),
        )
        .execute(conn)?;
    Ok(())
}

/// Takes a member out. Says whether they were in.
pub(super) fn remove_member(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    user: UserId,
) -> Result<bool, DbError> {
    let row = group_members::table
        .filter(group_members::tenant_id.eq(scope.tenant_id()).and(group_members::group_id.eq(group)))
        .filter(group_members::user_id.eq(user));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

/// The roles of a group, by name, after one.
pub(super) fn roles_of(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<(RoleId, String)>, DbError> {
    let mut query = group_roles::table
        .inner_join(
            roles::table.on(roles::tenant_id.eq(group_roles::tenant_id).and(roles::id.eq(group_roles::role_id))),
        )
        .filter(group_roles::tenant_id.eq(scope.tenant_id()).and(group_roles::group_id.eq(group)))
        .order(roles::name.asc())
        .select((roles::id, roles::name))
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(roles::name.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Gives a group a role, or leaves it.
pub(super) fn add_role(
    conn: &mut Connection,
    scope: TenantScope,
    group_id: GroupId,
    role_id: RoleId,
    now: UtcTime,
) -> Result<(), DbError> {
    let row = NewRole { tenant_id: scope.tenant_id(), group_id, role_id, created_at: now };
    diesel::insert_into(group_roles::table)
        .values(row)
        .upsert((group_roles::tenant_id, group_roles::group_id, group_roles::role_id), group_roles::role_id.eq(role_id))
        .execute(conn)?;
    Ok(())
}

/// Takes a role from a group. Says whether it had it.
pub(super) fn remove_role(
    conn: &mut Connection,
    scope: TenantScope,
    group: GroupId,
    role: RoleId,
) -> Result<bool, DbError> {
    let row = group_roles::table
        .filter(group_roles::tenant_id.eq(scope.tenant_id()).and(group_roles::group_id.eq(group)))
        .filter(group_roles::role_id.eq(role));
    Ok(diesel::delete(row).execute(conn)? > 0)
}
