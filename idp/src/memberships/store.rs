//! Queries on memberships and the roles of members.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{TenantId, UserId, UtcTime};

use super::Membership;
use crate::schema::{membership_roles, memberships, users};
use crate::users::{RoleName, Roles};

/// The most tenants that one person is a member of: each of them is told when something about them changes.
pub const MOST: i64 = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = memberships)]
struct MembershipRow {
    user_id: UserId,
    home_tenant_id: TenantId,
    roles_version: i64,
    created_at: UtcTime,
}

impl From<MembershipRow> for Membership {
    fn from(row: MembershipRow) -> Self {
        Self {
            user_id: row.user_id,
            home_tenant_id: row.home_tenant_id,
            roles_version: row.roles_version,
            created_at: row.created_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = membership_roles, treat_none_as_default_value = false)]
struct NewRole<'a> {
    tenant_id: TenantId,
    user_id: UserId,
    role: &'a str,
}

/// The membership of a person in the tenant.
pub fn find(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<Option<Membership>, DbError> {
    let row = memberships::table
        .filter(memberships::tenant_id.eq(scope.tenant_id()).and(memberships::user_id.eq(user)))
        .select(MembershipRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Where a person lives, whichever tenant that is: the one question that crosses tenants. The scope says who asks.
pub fn home_of(conn: &mut Connection, _: TenantScope, user: UserId) -> Result<Option<TenantId>, DbError> {
    Ok(users::table.filter(users::id.eq(user)).select(users::tenant_id).first(conn).optional()?)
}

/// The tenants that somebody who lives in this one is a member of, in the order in which they are locked.
pub fn tenants_of(conn: &mut Connection, home: TenantScope, user: UserId) -> Result<Vec<TenantId>, DbError> {
    Ok(memberships::table
        .filter(memberships::home_tenant_id.eq(home.tenant_id()).and(memberships::user_id.eq(user)))
        .select(memberships::tenant_id)
        .order(memberships::tenant_id.asc())
        .limit(MOST)
        .load(conn)?)
}

/// Adds a membership.
pub fn insert(conn: &mut Connection, scope: TenantScope, membership: &Membership) -> Result<(), DbError> {
    diesel::insert_into(memberships::table)
        .values((
            memberships::tenant_id.eq(scope.tenant_id()),
            memberships::user_id.eq(membership.user_id),
            memberships::home_tenant_id.eq(membership.home_tenant_id),
            memberships::roles_version.eq(membership.roles_version),
            memberships::created_at.eq(membership.created_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a membership; whether there was one.
pub fn delete(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let gone = diesel::delete(memberships::table)
        .filter(memberships::tenant_id.eq(scope.tenant_id()).and(memberships::user_id.eq(user)))
        .execute(conn)?;
    Ok(gone > 0)
}

/// Memberships in the order of the ids of the people, after one.
pub fn list(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Membership>, DbError> {
    let mut query = memberships::table
        .filter(memberships::tenant_id.eq(scope.tenant_id()))
        .select(MembershipRow::as_select())
        .order(memberships::user_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(memberships::user_id.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// The names of the roles of a member, in order.
pub fn roles(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<Vec<String>, DbError> {
    Ok(membership_roles::table
        .filter(membership_roles::tenant_id.eq(scope.tenant_id()).and(membership_roles::user_id.eq(user)))
        .select(membership_roles::role)
        .order(membership_roles::role.asc())
        .load(conn)?)
}

/// Gives a member these roles and no others.
pub fn replace_roles(conn: &mut Connection, scope: TenantScope, user: UserId, roles: &Roles) -> Result<(), DbError> {
    diesel::delete(membership_roles::table)
        .filter(membership_roles::tenant_id.eq(scope.tenant_id()).and(membership_roles::user_id.eq(user)))
        .execute(conn)?;
    let row = |role| NewRole { tenant_id: scope.tenant_id(), user_id: user, role: RoleName::as_str(role) };
    let rows: Vec<_> = roles.names.iter().map(row).collect();
    if !rows.is_empty() {
        each!(conn, c => diesel::insert_into(membership_roles::table).values(&rows).execute(c))?;
    }
    diesel::update(memberships::table)
        .filter(memberships::tenant_id.eq(scope.tenant_id()).and(memberships::user_id.eq(user)))
        .set(memberships::roles_version.eq(roles.version))
        .execute(conn)?;
    Ok(())
}
