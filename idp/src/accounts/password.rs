//! The password of a person.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use super::access::end_everywhere;
use super::memberships::places;
use crate::audit::Author;
use crate::credentials::store;
use crate::events::{self, CredentialChange, Event};
use crate::oauth::grants::Revocation;

/// Sets the password, of which this is the hash. Whoever is signed in by an older one is signed out: a password is replaced
/// when somebody else may know it.
pub fn set_password(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
    hash: &str,
) -> Result<(), DbError> {
    let change =
        if store::has_password(conn, scope, user)? { CredentialChange::Update } else { CredentialChange::Create };
    store::set_password(conn, scope, user, hash, author.now())?;
    tell(conn, scope, author, user, "user.set_password", change)
}

/// Takes the password away, and ends what was signed in to by it. What changes nothing leaves no trace.
pub fn remove_password(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<(), DbError> {
    if !store::remove_password(conn, scope, user)? {
        return Ok(());
    }
    tell(conn, scope, author, user, "user.remove_password", CredentialChange::Delete)
}

fn tell(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
    action: &'static str,
    change: CredentialChange,
) -> Result<(), DbError> {
    let mut detail = json!({});
    let replaced = change != CredentialChange::Create;
    if replaced {
        let (sessions, grants) = end_everywhere(conn, scope, author, user, Revocation::Administrator)?;
        detail["ended"] = json!({ "sessions": sessions, "grants": grants });
    }
    author.record(conn, scope, action, format!("user:{user}"), detail)?;
    events::store::record(conn, scope, author, &Event::password_changed(user, change))?;
    if replaced {
        for place in places(conn, scope, user)? {
            events::store::record(conn, place, author, &Event::session_revoked(user, None, author.now()))?;
        }
    }
    Ok(())
}
