//! Ending sessions, each as one transaction.

use tenantry_db::{Connection, TenantScope};
use tenantry_types::{SessionId, UserId};

use crate::accounts;
use crate::audit::Author;
use crate::management::target::lock;
use crate::management::{ManagementError, Missing};
use crate::oauth::grants::Revocation;

/// Ends a session; that there is none, or that it has ended, is no fault.
pub fn end(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    session: SessionId,
) -> Result<(), ManagementError> {
    lock(conn, scope)?;
    accounts::end_session(conn, scope, author, session, Revocation::Administrator)?;
    Ok(())
}

/// Signs a person of the tenant out of it everywhere.
pub fn end_all_of(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<(), ManagementError> {
    lock(conn, scope)?;
    accounts::find_person(conn, scope, user)?.ok_or(ManagementError::NotFound(Missing::User))?;
    Ok(accounts::revoke_sessions(conn, scope, author, user)?)
}
