//! Telling the identity provider which roles somebody has, so that tokens name them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{UserId, UtcTime};

use super::provider::{AccountProvider, ProviderError};
use super::store;
use crate::outbox::{Delivery, Letter, Recipient};
use crate::schema::users;
use crate::state::Api;

/// What the messages are called: `{"user_id", "roles_version"}`.
pub const ROLES_CHANGED: &str = "account.roles_changed";

/// Takes messages about roles that changed.
///
/// What is sent is what somebody has at the time of sending, under the version that it has then, and the provider keeps the
/// highest version: so messages about one person may come twice and in any order.
#[derive(Debug)]
pub struct RolesRecipient {
    api: Api,
    provider: Arc<dyn AccountProvider>,
}

impl RolesRecipient {
    /// Tells this provider.
    pub fn new(api: Api, provider: Arc<dyn AccountProvider>) -> Self {
        Self { api, provider }
    }

    async fn tell(&self, letter: &Letter) -> Delivery {
        let Some(user) = letter.payload.get("user_id").and_then(Value::as_str).and_then(|id| id.parse().ok()) else {
            return Delivery::Refused("it names nobody".to_owned());
        };
        let (scope, now) = (TenantScope::system(letter.tenant_id, "tell roles"), self.api.clock.now());
        let (version, names) = match self.api.db.read(move |conn| roles_now(conn, scope, user, now)).await {
            Ok(Some(found)) => found,
            // They are gone, and so is their account.
            Ok(None) => return Delivery::Done,
            Err(error) => return Delivery::Later(error.to_string()),
        };
        match self.provider.set_roles(letter.tenant_id, user, version, names).await {
            Ok(()) => Delivery::Done,
            Err(error @ ProviderError::Unavailable(_)) => Delivery::Later(error.to_string()),
            Err(error) => Delivery::Refused(error.to_string()),
        }
    }
}

impl Recipient for RolesRecipient {
    fn kind(&self) -> &'static str {
        ROLES_CHANGED
    }

    fn deliver<'a>(&'a self, letter: &'a Letter) -> Pin<Box<dyn Future<Output = Delivery> + Send + 'a>> {
        Box::pin(self.tell(letter))
    }
}

/// The names of somebody's roles, and which version they are; `None` when they are not in the directory.
fn roles_now(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    now: UtcTime,
) -> Result<Option<(i64, Vec<String>)>, DbError> {
    // The version is read first: should roles change in between, the newer ones go out under the older version, and those
    // of the newer version follow.
    let version: Option<i64> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)))
        .select(users::roles_version)
        .first(conn)
        .optional()?;
    let Some(version) = version else { return Ok(None) };
    let roles = store::roles_of(conn, scope, &[user], now)?.remove(&user).unwrap_or_default();
    Ok(Some((version, roles.into_iter().map(|role| role.name).collect())))
}
