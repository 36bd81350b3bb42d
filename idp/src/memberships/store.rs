//! Queries on memberships and the roles of members.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each, rows_after};
use tenantry_types::{TenantId, UserId, UtcTime};

use super::{Claimant, Membership};
use crate::schema::{membership_roles, memberships, password_credentials, subjects, tenants, users};
use crate::tenants::TenantStatus;
use crate::users::{RoleName, Roles, UserStatus};

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
    // A member can be signed in: sessions and grants refer to this row, which goes with the membership.
    diesel::insert_into(subjects::table)
        .values((
            subjects::tenant_id.eq(scope.tenant_id()),
            subjects::user_id.eq(membership.user_id),
            subjects::home_tenant_id.eq(membership.home_tenant_id),
            subjects::guest_tenant_id.eq(Some(scope.tenant_id())),
        ))
        .execute(conn)?;
    Ok(())
}

/// Which member signs in under this name: the owner of an e-mail address wins over those who chose it as a handle, and then
/// whoever has been a member longer. Both queries are made in any case.
pub(super) fn find_for_sign_in(
    conn: &mut Connection,
    scope: TenantScope,
    name: &str,
) -> Result<Option<Claimant>, DbError> {
    macro_rules! member_by {
        ($column:expr) => {
            memberships::table
                .inner_join(
                    users::table
                        .on(users::tenant_id.eq(memberships::home_tenant_id).and(users::id.eq(memberships::user_id))),
                )
                .inner_join(tenants::table.on(tenants::id.eq(memberships::home_tenant_id)))
                .left_join(password_credentials::table.on(password_credentials::user_id.eq(users::id)))
                .filter(memberships::tenant_id.eq(scope.tenant_id()))
                .filter($column.eq(name.to_lowercase()))
                .order((memberships::created_at.asc(), memberships::user_id.asc()))
                .select((
                    users::id,
                    users::tenant_id,
                    users::status,
                    tenants::status,
                    password_credentials::hash.nullable(),
                ))
                .first::<(UserId, TenantId, UserStatus, TenantStatus, Option<String>)>(conn)
                .optional()?
        };
    }
    let by_email = member_by!(users::email_normalized);
    let by_username = member_by!(users::username_normalized);
    Ok(by_email.or(by_username).map(|(id, home, status, home_status, hash)| Claimant {
        id,
        home: TenantScope::system(home, "the password of a member"),
        may_sign_in: status.may_sign_in() && home_status == TenantStatus::Active,
        hash,
    }))
}

/// The memberships of those who live in a tenant, or of one of them, after one of these.
pub fn of_residents(
    conn: &mut Connection,
    home: TenantScope,
    who: Option<UserId>,
    after: Option<(UserId, TenantId)>,
    limit: i64,
) -> Result<Vec<(UserId, TenantId)>, DbError> {
    let mut query = memberships::table
        .filter(memberships::home_tenant_id.eq(home.tenant_id()))
        .select((memberships::user_id, memberships::tenant_id))
        .order((memberships::user_id.asc(), memberships::tenant_id.asc()))
        .limit(limit)
        .into_boxed();
    if let Some(user) = who {
        query = query.filter(memberships::user_id.eq(user));
    }
    if let Some((user, tenant)) = after {
        query = query.filter(rows_after!(memberships::user_id, user, memberships::tenant_id, tenant));
    }
    Ok(query.load(conn)?)
}

/// Ends a membership, with everything that the person has here; whether there was one.
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
