//! Entries and batches as they are shown.

use serde::Serialize;
use serde_json::Value;
use tenantry_types::UtcTime;
use utoipa::ToSchema;

use crate::audit::StoredEntry;

/// Which entries are asked for: those that everything given here is true of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntryFilter {
    /// Done by this actor, or by this party in the name of another.
    pub actor: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// On this kind of thing.
    pub target_kind: Option<String>,
    /// On the thing with this id.
    pub target_id: Option<String>,
    /// In this request.
    pub request_id: Option<String>,
    /// At this time or later.
    pub from: Option<UtcTime>,
    /// Before this time.
    pub to: Option<UtcTime>,
}

/// An entry of the audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryView {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
    /// When it was done.
    #[schema(value_type = String, format = DateTime)]
    pub occurred_at: UtcTime,
    /// Who did it.
    pub actor: ActorView,
    /// What was done, by the name of the permission that allowed it.
    #[schema(example = "tenant_settings.update")]
    pub action: String,
    /// What it was done to.
    pub target: TargetView,
    /// What changed: `before` and `after` of each field, by its JSON Pointer. Secrets are masked.
    #[schema(value_type = Object, example = json!({"/security/mfa": {"before": "optional", "after": "required"}}))]
    pub changes: Value,
    /// The address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// Its place in the chain; absent until it is sealed, which takes about a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed: Option<PlaceView>,
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub struct ActorView {
    /// `user`, `client` or `system`.
    pub kind: String,
    /// The id of the user, the `client_id` of the client, or the task of the system.
    pub id: String,
    /// The tenant of the actor, when it is another than that of the entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Uuid)]
    pub tenant_id: Option<String>,
    /// The client through which a person acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Who acted in the name of the actor (RFC 8693 §4.1), when that was somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acting_party: Option<PartyView>,
}

/// Who acted in the name of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditActingParty)]
pub struct PartyView {
    /// `user` or `client`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// What something was done to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditTarget)]
pub struct TargetView {
    /// What kind of thing.
    #[schema(example = "tenant_settings")]
    pub kind: String,
    /// Which one.
    pub id: String,
}

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditPlace)]
pub struct PlaceView {
    /// The number of the batch.
    pub batch: i64,
    /// The position in the chain.
    pub position: i64,
}

impl EntryView {
    /// An entry with its place.
    pub fn new(entry: StoredEntry, sealed: Option<PlaceView>) -> Self {
        let acting_party = entry.acting_party_kind.zip(entry.acting_party_id).map(|(kind, id)| PartyView { kind, id });
        Self {
            id: entry.id,
            occurred_at: entry.occurred_at,
            actor: ActorView {
                kind: entry.actor_kind,
                id: entry.actor_id,
                tenant_id: entry.actor_tenant_id,
                client_id: entry.acting_client,
                acting_party,
            },
            action: entry.action,
            target: TargetView { kind: entry.target_kind, id: entry.target_id },
            // What is not JSON was not written by this service, and is shown as it is.
            changes: serde_json::from_str(&entry.changes).unwrap_or(Value::String(entry.changes)),
            address: entry.address,
            request_id: entry.request_id,
            sealed,
        }
    }
}

/// An entry with the proof that it is in the chain.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = ProvenAuditEntry)]
pub struct ProvenEntry {
    /// The entry.
    #[serde(flatten)]
    pub entry: EntryView,
    /// The proof; absent until it is sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<ProofView>,
}

/// That an entry is in a batch (RFC 9162 §2.1.3): whoever has it needs nothing else of the batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditProof)]
pub struct ProofView {
    /// The hash of the entry: SHA-256 over 0x00 and the documented encoding of its fields.
    pub leaf: String,
    /// Which entry of the batch it is, from 0.
    pub index: i64,
    /// How many entries the batch has.
    pub size: i64,
    /// The hashes that lead from the leaf to the root, from below.
    pub path: Vec<String>,
    /// The root of the batch, which is in its signed header.
    pub root: String,
    /// The signed header of the batch: a JWS.
    pub header: String,
}

/// The signed header of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AuditBatch)]
pub struct BatchView {
    /// Its number in the chain, from 0.
    pub number: i64,
    /// The position of its first entry in the chain.
    pub first: i64,
    /// How many entries were sealed in it.
    pub size: i64,
    /// The root of the Merkle tree over them.
    pub root: String,
    /// The hash of the batch before it; absent in the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Its hash: SHA-256 over `header`.
    pub hash: String,
    /// The signed header: a JWS that says all of this.
    pub header: String,
    /// When it was sealed.
    #[schema(value_type = String, format = DateTime)]
    pub sealed_at: UtcTime,
    /// Whether retention has removed its entries.
    pub pruned: bool,
}
