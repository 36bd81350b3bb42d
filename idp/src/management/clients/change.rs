//! Changes of clients, each as one transaction.

use std::time::Duration;

use serde_json::json;
use tenantry_db::{Connection, TenantScope};
use tenantry_types::Sha256Hash;

use super::input::Changes;
use crate::audit::Author;
use crate::clients::store::Registration;
use crate::clients::{ClientError, NewClient, PublicClientId, store};
use crate::management::reply::Made;
use crate::management::target::lock;
use crate::management::{ManagementError, Missing};

/// Registers a client, or finds it as it is wanted.
pub fn put(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    client: &NewClient,
) -> Result<(Made, Registration), ManagementError> {
    lock(conn, scope)?;
    if let Some(found) = store::registration(conn, scope, &client.client_id)? {
        if found.client.auth_method != client.auth_method {
            return Err(ManagementError::IdTaken(vec!["/token_endpoint_auth_method".to_owned()]));
        }
        return Ok((Made::Before, found));
    }
    store::insert(conn, scope, &*author.clock, client)?;
    author.record(conn, scope, "client.create", format!("client:{}", client.client_id), json!({}))?;
    let made = store::registration(conn, scope, &client.client_id)?;
    Ok((Made::Now, made.ok_or(ManagementError::NotFound(Missing::Client))?))
}

/// Changes a client. What changes nothing leaves no trace.
pub fn update(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    client_id: &PublicClientId,
    changes: &Changes,
) -> Result<Registration, ManagementError> {
    lock(conn, scope)?;
    let before = store::registration(conn, scope, client_id)?.ok_or(ManagementError::NotFound(Missing::Client))?;
    let after = Registration {
        client: changes.apply(&before.client),
        is_active: changes.is_active.unwrap_or(before.is_active),
        updated_at: author.now(),
        ..before.clone()
    };
    if after.is_active == before.is_active && format!("{:?}", after.client) == format!("{:?}", before.client) {
        return Ok(before);
    }
    store::update(conn, scope, &after)?;
    let detail = json!({ "scope": after.client.scope, "is_active": after.is_active });
    author.record(conn, scope, "client.update", format!("client:{client_id}"), detail)?;
    Ok(after)
}

/// Removes a client and everything that was granted to it; that it is not there is no fault.
pub fn delete(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    client_id: &PublicClientId,
) -> Result<(), ManagementError> {
    lock(conn, scope)?;
    if store::delete(conn, scope, client_id)? {
        author.record(conn, scope, "client.delete", format!("client:{client_id}"), json!({}))?;
    }
    Ok(())
}

/// Gives a client a new secret; the one before stays good for `keep_old`.
pub fn rotate_secret(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    client_id: &PublicClientId,
    hash: &Sha256Hash,
    keep_old: Duration,
) -> Result<Registration, ManagementError> {
    lock(conn, scope)?;
    let now = author.now();
    store::replace_secret(conn, scope, client_id.as_str(), hash, now + keep_old, now)?;
    author.record(conn, scope, "client.rotate_secret", format!("client:{client_id}"), json!({}))?;
    let found = store::registration(conn, scope, client_id)?;
    Ok(found.ok_or_else(|| ClientError::Unknown(client_id.to_string()))?)
}
