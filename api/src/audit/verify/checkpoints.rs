//! Chains held against checkpoints that were kept elsewhere.

use std::collections::BTreeMap;

use tenantry_db::{Db, DbError, TenantScope};
use tenantry_jose::KeySet;
use tenantry_types::TenantId;

use super::findings::{FindingKind, Findings, Place};
use crate::audit::chain::store::{Chain, batches_from};
use crate::audit::chain::{CheckpointClaims, statement};

/// The checkpoints that are believed, by tenant; of one tenant only, when it is named.
pub(super) fn read(
    signed: &[String],
    keys: &KeySet,
    only: Option<TenantId>,
    findings: &mut Findings,
) -> BTreeMap<TenantId, Vec<CheckpointClaims>> {
    let mut checkpoints: BTreeMap<TenantId, Vec<CheckpointClaims>> = BTreeMap::new();
    for (line, signed) in (1_u64..).zip(signed) {
        match statement::<CheckpointClaims>(signed, keys) {
            Ok(claims) if only.is_none_or(|only| only == claims.tenant_id) => {
                checkpoints.entry(claims.tenant_id).or_default().push(claims);
            }
            Ok(_) => {}
            Err(error) => {
                let detail = format!("checkpoint {line}: {error}");
                findings.add(FindingKind::CheckpointNotSigned, Place::default(), detail);
            }
        }
    }
    checkpoints
}

/// What was there at the time of each checkpoint is there.
pub(super) async fn check(
    db: &Db,
    scope: TenantScope,
    checkpoints: &[CheckpointClaims],
    head: &Chain,
    findings: &mut Findings,
) -> Result<(), DbError> {
    for claims in checkpoints {
        let last = claims.batches - 1;
        if head.batches < claims.batches {
            let detail = format!(
                "at {} there were {} batches with {} entries, and now there are {} batches",
                claims.taken_at, claims.batches, claims.entries, head.batches
            );
            findings.add(FindingKind::Truncated, Place::of_batch(head.batches), detail);
            continue;
        }
        let found = db.read(move |conn| batches_from(conn, scope, last, 1)).await?;
        let agrees = found.first().is_some_and(|batch| {
            let entries = batch.first_position.saturating_add(batch.size);
            (batch.number, &batch.hash, entries) == (last, &claims.head.to_string(), claims.entries)
        });
        if !agrees {
            let detail = format!("at {} this was another batch", claims.taken_at);
            findings.add(FindingKind::Rewritten, Place::of_batch(last), detail);
        }
    }
    Ok(())
}
