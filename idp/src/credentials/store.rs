//! Queries on password hashes.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{TenantId, UserId, UtcTime};

use crate::schema::password_credentials;

#[derive(Insertable)]
#[diesel(table_name = password_credentials, treat_none_as_default_value = false)]
struct NewPasswordCredential<'a> {
    user_id: UserId,
    tenant_id: TenantId,
    hash: &'a str,
    updated_at: UtcTime,
}

/// Sets the password hash of a user, whether there was one or not.
pub fn set_password(
    conn: &mut Connection,
    scope: TenantScope,
    user_id: UserId,
    hash: &str,
    now: UtcTime,
) -> Result<(), DbError> {
    let changed = diesel::update(password_credentials::table)
        .filter(password_credentials::tenant_id.eq(scope.tenant_id()))
        .filter(password_credentials::user_id.eq(user_id))
        .set((password_credentials::hash.eq(hash), password_credentials::updated_at.eq(now)))
        .execute(conn)?;
    if changed == 0 {
        let row = NewPasswordCredential { user_id, tenant_id: scope.tenant_id(), hash, updated_at: now };
        diesel::insert_into(password_credentials::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Replaces a hash that was made with weaker parameters, unless the password has changed meanwhile.
pub fn upgrade_hash(
    conn: &mut Connection,
    scope: TenantScope,
    user_id: UserId,
    old: &str,
    new: &str,
) -> Result<(), DbError> {
    diesel::update(password_credentials::table)
        .filter(password_credentials::tenant_id.eq(scope.tenant_id()))
        .filter(password_credentials::user_id.eq(user_id).and(password_credentials::hash.eq(old)))
        .set(password_credentials::hash.eq(new))
        .execute(conn)?;
    Ok(())
}

/// Whether a user has a password.
pub fn has_password(conn: &mut Connection, scope: TenantScope, user_id: UserId) -> Result<bool, DbError> {
    let found: Option<UserId> = password_credentials::table
        .filter(password_credentials::tenant_id.eq(scope.tenant_id()))
        .filter(password_credentials::user_id.eq(user_id))
        .select(password_credentials::user_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Takes the password of a user away; whether there was one.
pub fn remove_password(conn: &mut Connection, scope: TenantScope, user_id: UserId) -> Result<bool, DbError> {
    let gone = diesel::delete(password_credentials::table)
        .filter(password_credentials::tenant_id.eq(scope.tenant_id()))
        .filter(password_credentials::user_id.eq(user_id))
        .execute(conn)?;
    Ok(gone > 0)
}
