//! Telling the identity provider which roles somebody has, so that tokens name them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{TenantId, UserId};

use super::provider::{AccountProvider, ProviderError};
use crate::outbox::{Delivery, Letter, Recipient};
use crate::roles::claim;
use crate::state::Api;

/// How often roles are sent in one delivery, where the provider has later ones.
const AT_ONCE: usize = 2;

/// What became of roles that were sent.
enum Pushed {
    /// The provider has them.
    Taken,
    /// It has others, of this version.
    Overtaken(i64),
    /// They were not sent, or it did not answer.
    Not(Delivery),
}

/// Takes messages about roles that changed.
///
/// What is sent is what somebody has at the time of sending, under the version that it has then, and the provider keeps the
/// highest version: so messages about one person may come twice and in any order. Where the provider has a higher one, by
/// another program or because this database is from a copy, what is had here is sent again under one beyond it.
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
        for _ in 0..AT_ONCE {
            match self.push(letter.tenant_id, user).await {
                Pushed::Taken => return Delivery::Done,
                Pushed::Overtaken(version) => {
                    tracing::warn!(tenant = %letter.tenant_id, account = %user, version, "somebody else sets roles");
                }
                Pushed::Not(delivery) => return delivery,
            }
        }
        // Whoever goes on doing it is answered with pauses that grow: of two who both want the last word neither gets it.
        Delivery::Later("the identity provider has later roles again and again".to_owned())
    }

    async fn push(&self, tenant: TenantId, user: UserId) -> Pushed {
        let (scope, now) = (TenantScope::system(tenant, "tell roles"), self.api.clock.now());
        let later = |error: DbError| Pushed::Not(Delivery::Later(error.to_string()));
        let (version, names) = match self.api.db.read(move |conn| claim::names_now(conn, scope, user, now)).await {
            Ok(Some(found)) => found,
            // They are gone, and so is their account; or an earlier message was late, and has told it.
            Ok(None) => return Pushed::Not(Delivery::Done),
            Err(error) => return later(error),
        };
        match self.provider.set_roles(tenant, user, version, names.clone()).await {
            Ok(there) if there > version => {
                let note = move |conn: &mut Connection| claim::overtaken(conn, scope, user, there);
                self.api.db.write(note).await.map_or_else(later, |()| Pushed::Overtaken(there))
            }
            Ok(_) => {
                let note = move |conn: &mut Connection| claim::told(conn, scope, user, version, &names);
                self.api.db.write(note).await.map_or_else(later, |()| Pushed::Taken)
            }
            Err(error @ ProviderError::Unavailable(_)) => Pushed::Not(Delivery::Later(error.to_string())),
            // They are gone there, and the event that tells of it is on its way.
            Err(error) if error.is_missing() => Pushed::Not(Delivery::Done),
            Err(error) => Pushed::Not(Delivery::Refused(error.to_string())),
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
