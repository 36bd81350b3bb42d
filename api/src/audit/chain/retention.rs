//! Retention: the entries of the oldest batches go when their time is over; the headers stay, and a signed statement
//! says how many have no entries any more. How old a batch is, is believed of its signed header alone: whoever can write to
//! the database must not be able to have entries removed before their time.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::{Connection, Db, TenantScope};
use tenantry_jose::{KeySet, Keyring, SigningKey};
use tenantry_types::{Clock, TenantId};

use super::SealError;
use super::model::{BatchClaims, PruningClaims, Statement as _, statement};
use super::store::{self, BatchRow, Chain};
use crate::audit::keys;

/// How many batches go in one transaction.
const BATCHES: i64 = 4;
/// How many tenants are asked for at once.
const TENANTS: i64 = 100;
const DAY: Duration = Duration::from_secs(86_400);

/// Removes the entries of whole batches that were sealed more than `days` ago; how many entries. 0 keeps everything. The
/// age of a batch counts from when it was sealed, which is later than every entry in it. Of several replicas that come to
/// one chain, one prunes it.
///
/// # Errors
/// [`SealError`].
pub async fn prune(db: &Db, keyring: &Keyring, clock: &Arc<dyn Clock>, days: u32) -> Result<usize, SealError> {
    if days == 0 {
        return Ok(0);
    }
    let before = clock.now() - DAY * days;
    let (mut gone, mut after, mut failure) = (0, None, None);
    loop {
        let due = db.read(move |conn| store::due_for_pruning(conn, before, after, TENANTS)).await?;
        let Some(last) = due.last().copied() else { break };
        let (ring, time) = (keyring.clone(), Arc::clone(clock));
        let keys = db.write(move |conn| {
            let signing = keys::current_or_new(conn, &ring, &*time)?;
            Ok::<_, SealError>(Keys { signing, trusted: keys::trusted(conn, &ring)?.keys })
        });
        let keys = keys.await?;
        for tenant in due {
            match prune_tenant(db, &keys, clock, days, tenant).await {
                Ok(entries) => gone += entries,
                Err(error) => {
                    tracing::error!(%tenant, %error, "the audit trail of a tenant is not pruned");
                    failure = Some(error);
                }
            }
        }
        after = Some(last);
    }
    failure.map_or(Ok(gone), Err)
}

/// What is signed with, and what is believed.
#[derive(Debug, Clone)]
struct Keys {
    signing: SigningKey,
    trusted: KeySet,
}

async fn prune_tenant(
    db: &Db,
    keys: &Keys,
    clock: &Arc<dyn Clock>,
    days: u32,
    tenant: TenantId,
) -> Result<usize, SealError> {
    let scope = TenantScope::system(tenant, "retention of the audit trail");
    let mut gone = 0;
    loop {
        let (keys, clock) = (keys.clone(), Arc::clone(clock));
        match db.write(move |conn| prune_some(conn, scope, &keys, &*clock, days)).await? {
            Some(entries) => gone += entries,
            None => return Ok(gone),
        }
    }
}

/// Removes the entries of a few batches: one transaction. `None` when there is nothing left to do.
fn prune_some(
    conn: &mut Connection,
    scope: TenantScope,
    keys: &Keys,
    clock: &dyn Clock,
    days: u32,
) -> Result<Option<usize>, SealError> {
    let now = clock.now();
    let before = now - DAY * days;
    let Some(chain) = store::lock_chain(conn, scope, now)? else { return Ok(None) };
    let mut end = removed(&chain, scope, keys)?;
    // From the oldest on and without a gap: a batch is only taken when all before it are.
    for row in store::batches_from(conn, scope, end.batches, BATCHES)? {
        let claims = header(&row, scope, keys, &end)?;
        if claims.sealed_at >= before {
            break;
        }
        end = End { batches: claims.number + 1, entries: claims.first + claims.size };
    }
    if end.batches == chain.pruned_batches {
        return Ok(None);
    }
    let claims = PruningClaims {
        tenant_id: scope.tenant_id(),
        batches: end.batches,
        entries: end.entries,
        retention_days: days,
        pruned_at: now,
    };
    let signed = keys.signing.sign_jwt(PruningClaims::TYPE, &claims)?;
    let gone = store::remove_entries(conn, scope, chain.pruned_entries, claims.entries)?;
    store::set_pruned(conn, scope, claims.batches, claims.entries, &signed, now)?;
    Ok(Some(gone))
}

/// Up to where something is so.
struct End {
    batches: i64,
    entries: i64,
}

/// Up to where entries were removed before, as this service has signed it.
fn removed(chain: &Chain, scope: TenantScope, keys: &Keys) -> Result<End, SealError> {
    let end = End { batches: chain.pruned_batches, entries: chain.pruned_entries };
    let Some(signed) = &chain.pruning else {
        let is_new = (end.batches, end.entries) == (0, 0);
        return if is_new { Ok(end) } else { Err(SealError::NotSealed(scope.tenant_id(), end.batches)) };
    };
    let said = statement::<PruningClaims>(signed, &keys.trusted).ok();
    let is_so = said.is_some_and(|said| {
        (said.tenant_id, said.batches, said.entries) == (scope.tenant_id(), end.batches, end.entries)
    });
    if is_so { Ok(end) } else { Err(SealError::NotSealed(scope.tenant_id(), end.batches)) }
}

/// What was signed of the batch that follows.
fn header(row: &BatchRow, scope: TenantScope, keys: &Keys, end: &End) -> Result<BatchClaims, SealError> {
    let claims = statement::<BatchClaims>(&row.signature, &keys.trusted).ok();
    let follows = |claims: &BatchClaims| {
        (claims.tenant_id, claims.number, claims.first) == (scope.tenant_id(), end.batches, end.entries)
            && claims.sealed_at == row.sealed_at
            && claims.size == row.size
    };
    claims.filter(follows).ok_or(SealError::NotSealed(scope.tenant_id(), row.number))
}
