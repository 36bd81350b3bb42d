//! The rows of who has which role.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _, excluded};
use tenantry_types::{RoleAssignmentId, RoleId, TenantId, UserId, UtcTime};

use crate::roles::model::RoleFamily;
use crate::schema::{roles, user_roles, users};

/// Roles that one user has at most.
pub(super) const MOST: i64 = 200;

/// That somebody has a role.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Assignment {
    pub(super) role_id: RoleId,
    pub(super) name: String,
    pub(super) role_family: RoleFamily,
    pub(super) assigned_by: Option<String>,
    pub(super) expires_at: Option<UtcTime>,
    pub(super) created_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = user_roles, treat_none_as_default_value = false)]
struct NewAssignment<'a> {
    id: RoleAssignmentId,
    tenant_id: TenantId,
    user_id: UserId,
    role_id: RoleId,
    assigned_by: Option<&'a str>,
    expires_at: Option<UtcTime>,
    created_at: UtcTime,
}

/// Whether the tenant has this user.
pub(super) fn is_user(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)));
    Ok(diesel::select(diesel::dsl::exists(row)).get_result(conn)?)
}

/// The roles that a user has by themselves, by name, after one.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Assignment>, DbError> {
    let mut query = user_roles::table
        .inner_join(roles::table.on(roles::tenant_id.eq(user_roles::tenant_id).and(roles::id.eq(user_roles::role_id))))
        .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(user)))
        .order(roles::name.asc())
        .select((
            user_roles::role_id,
            roles::name,
            roles::role_family,
            user_roles::assigned_by,
            user_roles::expires_at,
            user_roles::created_at,
        ))
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(roles::name.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Gives a role, or gives it for another time.
pub(super) fn save(
    conn: &mut Connection,
    scope: TenantScope,
    id: RoleAssignmentId,
    (user_id, role_id): (UserId, RoleId),
    assigned_by: &str,
    (expires_at, now): (Option<UtcTime>, UtcTime),
) -> Result<(), DbError> {
    let tenant_id = scope.tenant_id();
    let row =
        NewAssignment { id, tenant_id, user_id, role_id, assigned_by: Some(assigned_by), expires_at, created_at: now };
    diesel::insert_into(user_roles::table)
        .values(row)
        .upsert(
            (user_roles::tenant_id, user_roles::user_id, user_roles::role_id),
            (
                user_roles::expires_at.eq(excluded(user_roles::expires_at)),
                user_roles::assigned_by.eq(excluded(user_roles::assigned_by)),
                user_roles::expiry_told.eq(false),
            ),
        )
        .execute(conn)?;
    Ok(())
}

/// Takes a role. Says whether they had it.
pub(super) fn delete(conn: &mut Connection, scope: TenantScope, user: UserId, role: RoleId) -> Result<bool, DbError> {
    let row = user_roles::table
        .filter(user_roles::tenant_id.eq(scope.tenant_id()))
        .filter(user_roles::user_id.eq(user).and(user_roles::role_id.eq(role)));
    Ok(diesel::delete(row).execute(conn)? > 0)
}
