//! What is signed: headers of batches, statements of retention, checkpoints.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tenantry_jose::{Expected, KeySet, VerifyError, verify};
use tenantry_types::{TenantId, UtcTime};

use crate::audit::merkle::Digest;

/// Something that is signed, under a media type of its own, so that one can never be taken for another (RFC 8725 §3.11).
pub trait Statement: Serialize + DeserializeOwned {
    /// The `typ` of its JWS.
    const TYPE: &'static str;
}

/// The header of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchClaims {
    /// Whose chain it belongs to.
    pub tenant_id: TenantId,
    /// Its number in the chain, from 0.
    pub number: i64,
    /// The position of its first entry in the chain, from 0.
    pub first: i64,
    /// How many entries it has, at least 1.
    pub size: i64,
    /// The root of the Merkle tree over its entries.
    pub root: Digest,
    /// The hash of the batch before it: SHA-256 over its compact JWS. Absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was sealed.
    pub sealed_at: UtcTime,
}

impl Statement for BatchClaims {
    const TYPE: &'static str = "audit-batch+jwt";
}

/// That the entries of the first batches were removed because their time was over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PruningClaims {
    /// Whose chain it is about.
    pub tenant_id: TenantId,
    /// The batches before this number have no entries any more.
    pub batches: i64,
    /// The entries before this position are gone.
    pub entries: i64,
    /// For how many days entries were to be kept.
    pub retention_days: u32,
    /// When they were removed.
    pub pruned_at: UtcTime,
}

impl Statement for PruningClaims {
    const TYPE: &'static str = "audit-pruning+jwt";
}

/// How far a chain had come at some time: to be kept where nobody who can change the database can change it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointClaims {
    /// Whose chain it is about.
    pub tenant_id: TenantId,
    /// How many batches it had.
    pub batches: i64,
    /// How many entries were sealed in it.
    pub entries: i64,
    /// The hash of its last batch.
    pub head: Digest,
    /// When that was.
    pub taken_at: UtcTime,
}

impl Statement for CheckpointClaims {
    const TYPE: &'static str = "audit-checkpoint+jwt";
}

/// The statement that a compact JWS makes, when one of these keys has signed it. These are records and no tokens: they
/// do not expire, and a clock that was wrong once makes none of them false.
///
/// # Errors
/// Why it is not believed.
pub fn statement<S: Statement>(signed: &str, keys: &KeySet) -> Result<S, VerifyError> {
    let expected = Expected {
        require_expiry: false,
        leeway: Duration::from_secs(1),
        ..Expected::new(&[], None, None, UtcTime::MAX)
    };
    let expected = Expected { typ: &[S::TYPE], ..expected };
    verify(signed, keys, &expected)?.claims_as().map_err(|_| VerifyError::Json("payload"))
}
