//! What an entry of the audit trail says.

use serde::{Deserialize, Serialize};
use tenantry_types::{TenantId, text_enum};

use super::{Changes, Origin};
use crate::authn::{Principal, Subject};

text_enum! {
    /// What kind of actor did it.
    pub enum ActorKind {
        /// A person.
        User = "user",
        /// A client on its own behalf.
        Client = "client",
        /// The service itself, by one of its tasks.
        System = "system",
    }
}

/// Somebody who acts in the name of the actor (the `act` claim of RFC 8693 §4.1).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActingParty {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Its id.
    pub id: String,
}

impl ActingParty {
    /// Who acts in the name of somebody.
    pub fn of(actor: &Subject) -> Self {
        let kind = match actor {
            Subject::User(_) => ActorKind::User,
            Subject::Client(_) => ActorKind::Client,
        };
        Self { kind, id: actor.id().to_owned() }
    }
}

/// One entry: who, what, on what, what changed, where from. When is set as it is recorded.
#[derive(Debug, Clone)]
pub struct AuditEntry {
    /// What kind of actor.
    pub actor_kind: ActorKind,
    /// Its id.
    pub actor_id: String,
    /// The tenant that the actor belongs to. It is kept where it is not the tenant of the entry: an administrator of the
    /// platform who changes something of a tenant's is visible there.
    pub actor_tenant: Option<TenantId>,
    /// Who acted in the name of the actor, when that was somebody else.
    pub acting_party: Option<ActingParty>,
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
        Self {
            actor_kind,
            actor_id,
            actor_tenant: Some(principal.tenant.id),
            acting_party: principal.actor.as_ref().map(ActingParty::of),
            acting_client,
            action,
            target_kind,
            target_id,
            changes,
            origin,
        }
    }

    /// An entry about something that the service did by itself; `task` names what it was doing.
    pub fn by_system(
        task: &'static str,
        action: &'static str,
        target_kind: &'static str,
        target_id: String,
        changes: Changes,
    ) -> Self {
        Self {
            actor_kind: ActorKind::System,
            actor_id: task.to_owned(),
            actor_tenant: None,
            acting_party: None,
            acting_client: None,
            action,
            target_kind,
            target_id,
            changes,
            origin: Origin::default(),
        }
    }
}
