//! The password of a person.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use crate::audit::Author;
use crate::credentials::store;
use crate::events::{self, CredentialChange, Event};

/// Sets the password, of which this is the hash.
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

/// Takes the password away. What changes nothing leaves no trace.
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
    author.record(conn, scope, action, format!("user:{user}"), json!({}))?;
    events::store::record(conn, scope, author, &Event::password_changed(user, change))?;
    Ok(())
}
