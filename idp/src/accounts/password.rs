//! The password of a person.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use super::access::sign_out_everywhere;
use super::elsewhere::tell_elsewhere;
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
    follow(conn, scope, author, user, "user.set_password", change)
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
    follow(conn, scope, author, user, "user.remove_password", CredentialChange::Delete)
}

/// The event, at home and wherever the person is a member, what ends by the change, and the audit entry.
fn follow(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
    action: &'static str,
    change: CredentialChange,
) -> Result<(), DbError> {
    let event = Event::password_changed(user, change);
    events::store::record(conn, scope, author, &event)?;
    tell_elsewhere(conn, scope, author, user, &event)?;
    let mut detail = json!({});
    if change != CredentialChange::Create {
        detail["ended"] = sign_out_everywhere(conn, scope, author, user, Revocation::Administrator)?;
    }
    author.record(conn, scope, action, format!("user:{user}"), detail)
}
