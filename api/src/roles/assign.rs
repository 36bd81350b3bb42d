//! The rules of giving and taking.

use diesel::prelude::*;
use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{RoleId, UserId};

use super::RoleError;
use crate::access::{Authority, PermissionSet};
use crate::change::Work;
use crate::schema::users;
use crate::signals::SignalKind;

/// Whether the caller, by what stands in the database now, may give or take these roles: they hold everything that the
/// roles allow, what they inherit included. Gives the caller as they are now.
///
/// # Errors
/// [`RoleError::NotFound`] for a role that is not there, [`RoleError::NotHeld`].
pub fn may_give(work: &mut Work<'_>, caller: &Authority, roles: &[RoleId]) -> Result<Authority, RoleError> {
    let now = caller.renewed(work.conn)?;
    holds_roles(&now, roles)?;
    Ok(now)
}

/// The same for a caller who is known as they are now.
///
/// # Errors
/// As of [`may_give`].
pub fn holds_roles(now: &Authority, roles: &[RoleId]) -> Result<(), RoleError> {
    for id in roles {
        let role = now.tenant().role(*id).ok_or(RoleError::NotFound)?;
        check_held(now, &role.permissions)?;
    }
    Ok(())
}

/// Whether the caller holds all of these.
pub(super) fn check_held(caller: &Authority, permissions: &PermissionSet) -> Result<(), RoleError> {
    let missing: Vec<String> = permissions
        .patterns()
        .into_iter()
        .filter(|pattern| !pattern.parse().is_ok_and(|pattern| caller.holds(&pattern)))
        .take(10)
        .collect();
    if missing.is_empty() { Ok(()) } else { Err(RoleError::NotHeld(missing.join(", "))) }
}

/// Whether somebody who may do everything is left, after roles were taken or people switched off. To be called in the
/// transaction that did it, with the tenant's row locked. A client is not held to it: it can give the role again.
///
/// # Errors
/// [`RoleError::LastAdministrator`].
pub fn check_somebody_is_left(conn: &mut Connection, before: &Authority, scope: TenantScope) -> Result<(), RoleError> {
    if before.subject().is_none() {
        return Ok(());
    }
    let now = before.renewed(conn)?;
    let all = now.tenant().roles_that_allow_all();
    if crate::access::anybody_has(conn, scope, &all)? { Ok(()) } else { Err(RoleError::LastAdministrator) }
}

/// Notes that roles of a user were given or taken here: their tokens do not count for it any more, the identity provider is
/// told, and every replica forgets what it remembers.
pub fn touch_user(work: &mut Work<'_>, user: UserId) -> Result<(), DbError> {
    let row = users::table.filter(users::tenant_id.eq(work.scope.tenant_id()).and(users::id.eq(user)));
    diesel::update(row)
        .set((
            users::roles_managed.eq(true),
            users::roles_version.eq(users::roles_version + 1),
            users::updated_at.eq(work.clock.now()),
        ))
        .execute(work.conn)?;
    work.tell("account.roles_changed", json!({ "user_id": user }))?;
    work.signal(SignalKind::Subject, Some(user.as_str()))
}
