//! Retention: the entries of the oldest batches go when their time is over; the headers stay, and a signed statement
//! says how many have no entries any more.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::{Connection, Db, TenantScope};
use tenantry_jose::{Keyring, SigningKey};
use tenantry_types::{Clock, TenantId};

use super::SealError;
use super::model::{PruningClaims, Statement as _};
use super::store;
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
    let (mut gone, mut after) = (0, None);
    loop {
        let due = db.read(move |conn| store::due_for_pruning(conn, before, after, TENANTS)).await?;
        let Some(last) = due.last().copied() else { return Ok(gone) };
        let (ring, time) = (keyring.clone(), Arc::clone(clock));
        let key = db.write(move |conn| keys::current_or_new(conn, &ring, &*time)).await?;
        for tenant in due {
            gone += prune_tenant(db, &key, clock, days, tenant).await?;
        }
        after = Some(last);
    }
}

async fn prune_tenant(
    db: &Db,
    key: &SigningKey,
    clock: &Arc<dyn Clock>,
    days: u32,
    tenant: TenantId,
) -> Result<usize, SealError> {
    let scope = TenantScope::system(tenant, "retention of the audit trail");
    let mut gone = 0;
    loop {
        let (key, clock) = (key.clone(), Arc::clone(clock));
        match db.write(move |conn| prune_some(conn, scope, &key, &*clock, days)).await? {
            Some(entries) => gone += entries,
            None => return Ok(gone),
        }
    }
}

/// Removes the entries of a few batches: one transaction. `None` when there is nothing left to do.
fn prune_some(
    conn: &mut Connection,
    scope: TenantScope,
    key: &SigningKey,
    clock: &dyn Clock,
    days: u32,
) -> Result<Option<usize>, SealError> {
    let now = clock.now();
    let before = now - DAY * days;
    let Some(chain) = store::lock_chain(conn, scope, now)? else { return Ok(None) };
    // From the oldest on and without a gap: a batch is only taken when all before it are.
    let due = store::batches_from(conn, scope, chain.pruned_batches, BATCHES)?;
    let due = due.into_iter().zip(chain.pruned_batches..).take_while(|(b, n)| b.number == *n && b.sealed_at < before);
    let Some((last, _)) = due.last() else { return Ok(None) };
    let claims = PruningClaims {
        tenant_id: scope.tenant_id(),
        batches: last.number + 1,
        entries: last.first_position + last.size,
        retention_days: days,
        pruned_at: now,
    };
    let signed = key.sign_jwt(PruningClaims::TYPE, &claims)?;
    let gone = store::remove_entries(conn, scope, chain.pruned_entries, claims.entries)?;
    store::set_pruned(conn, scope, claims.batches, claims.entries, &signed, now)?;
    Ok(Some(gone))
}
