//! What an entry of the audit trail says.

use tenantry_types::text_enum;

use super::{Changes, Origin};
use crate::authn::{Principal, Subject};

text_enum! {
    /// What kind of actor did it.
    pub enum ActorKind {
        /// A person.
        User = "user",
        /// A client on its own behalf.
        Client = "client",
    }
}

/// One entry: who, what, on what, what changed, where from. When is set as it is recorded.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Its id.
    pub actor_id: String,
    /// The client through which a person acted.
    pub acting_client: Option<String>,
    /// What was done, by the name of the permission that allowed it.
    pub action: &'static str,
    /// The kind of thing it was done to.
    pub target_kind: &'static str,
    /// Its id.
    pub target_id: String,
    /// What changed; secrets never get in here.
    pub changes: Changes,
    /// Where from.
    pub origin: Origin,
}

impl AuditEntry {
    /// An entry about something that `principal` did.
    pub fn new(
        principal: &Principal,
        origin: Origin,
        action: &'static str,
        target_kind: &'static str,
        target_id: String,
        changes: Changes,
    ) -> Self {
        let (actor_kind, actor_id, acting_client) = match &principal.subject {
            Subject::User(id) => (ActorKind::User, id.to_string(), Some(principal.client_id.clone())),
            Subject::Client(id) => (ActorKind::Client, id.clone(), None),
        };
        Self { actor_kind, actor_id, acting_client, action, target_kind, target_id, changes, origin }
    }
}
