//! What is still to be told.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_db::TenantScope;
use tenantry_types::{TenantId, text_enum};

use crate::audit::{ActingParty, ActorKind, AuditEntry, Changes, Origin};
use crate::authn::{Principal, Subject};

text_enum! {
    /// What a task is about.
    pub enum TaskKind {
        /// The tenant and its administrator are to be made.
        Provision = "provision",
        /// It has another name.
        Name = "name",
        /// It is in use, or not any more.
        Status = "status",
        /// It has a domain, or not any more.
        Domain = "domain",
    }
}

/// A task that this process has the lease of.
#[derive(Debug, Clone)]
pub struct Task {
    /// Whose.
    pub tenant_id: TenantId,
    /// What it is about.
    pub kind: TaskKind,
    /// Which domain; empty for the others.
    pub subject: String,
    /// Counts the wishes: a task that was performed is done only if no newer one came meanwhile.
    pub generation: i64,
    /// What is wanted.
    pub payload: Value,
    /// How often it was tried in vain.
    pub attempts: i64,
}

impl Task {
    /// The scope for the rows of its tenant.
    pub fn scope(&self) -> TenantScope {
        TenantScope::system(self.tenant_id, "tasks of tenants")
    }

    /// How long is waited after this attempt: twice as long each time, five minutes at most.
    pub fn pause(&self) -> Duration {
        let doublings = u32::try_from(self.attempts).unwrap_or(u32::MAX).min(9);
        Duration::from_secs(1_u64 << doublings).min(Duration::from_secs(300))
    }
}

/// Who brought a task about, for the audit entry that is written when it is done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Author {
    kind: ActorKind,
    id: String,
    client: Option<String>,
    tenant: TenantId,
    /// Who acted in their name.
    #[serde(default)]
    party: Option<ActingParty>,
    address: Option<String>,
    request_id: Option<String>,
}

impl Author {
    /// The caller of a request.
    pub fn of(principal: &Principal, origin: &Origin) -> Self {
        let (kind, id, client) = match &principal.subject {
            Subject::User(id) => (ActorKind::User, id.to_string(), Some(principal.client_id.clone())),
            Subject::Client(id) => (ActorKind::Client, id.clone(), None),
        };
        let (address, request_id) = (origin.address.clone(), origin.request_id.clone());
        let party = principal.actor.as_ref().map(ActingParty::of);
        Self { kind, id, client, tenant: principal.tenant.id, party, address, request_id }
    }

    /// The tenant of the caller.
    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// What the audit trail of a tenant says of what they did to it.
    pub fn entry(self, action: &'static str, tenant_id: TenantId, changes: Changes) -> AuditEntry {
        AuditEntry {
            actor_kind: self.kind,
            actor_id: self.id,
            acting_client: self.client,
            action,
            target_kind: "tenant",
            target_id: tenant_id.to_string(),
            changes,
            actor_tenant: Some(self.tenant),
            acting_party: self.party,
            origin: Origin { address: self.address, request_id: self.request_id },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_five_minutes() {
        let pause = |attempts| {
            let (clock, random) = (tenantry_types::SystemClock, tenantry_types::SystemRandom);
            let tenant_id = TenantId::new(&clock, &random);
            let (kind, subject) = (TaskKind::Name, String::new());
            Task { tenant_id, kind, subject, generation: 1, payload: Value::Null, attempts }.pause().as_secs()
        };
        assert_eq!([pause(0), pause(1), pause(3), pause(9), pause(i64::MAX)], [1, 2, 8, 300, 300]);
    }
}
