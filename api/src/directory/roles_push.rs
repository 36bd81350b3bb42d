//! Telling the identity provider which roles somebody has, so that tokens name them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use tenantry_db::{Connection, TenantScope};

use super::provider::{AccountProvider, ProviderError};
use crate::outbox::{Delivery, Letter, Recipient};
use crate::roles::claim;
use crate::state::Api;

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
        let (version, names) = match self.api.db.read(move |conn| claim::names_now(conn, scope, user, now)).await {
            Ok(Some(found)) => found,
            // They are gone, and so is their account; or an earlier message was late, and has told it.
            Ok(None) => return Delivery::Done,
            Err(error) => return Delivery::Later(error.to_string()),
        };
        match self.provider.set_roles(letter.tenant_id, user, version, names.clone()).await {
            Ok(()) => {
                let note = move |conn: &mut Connection| claim::told(conn, scope, user, version, &names);
                match self.api.db.write(note).await {
                    Ok(()) => Delivery::Done,
                    Err(error) => Delivery::Later(error.to_string()),
                }
            }
            Err(error @ ProviderError::Unavailable(_)) => Delivery::Later(error.to_string()),
            // They are gone there, and the event that tells of it is on its way.
            Err(error) if error.is_missing() => Delivery::Done,
            Err(error) => Delivery::Refused(error.to_string()),
        }
    }
}

impl Recipient for RolesRecipient {
    fn kind(&self) -> &'static str {
        claim::ROLES_CHANGED
    }

    fn deliver<'a>(&'a self, letter: &'a Letter) -> Pin<Box<dyn Future<Output = Delivery> + Send + 'a>> {
        Box::pin(self.tell(letter))
    }
}
