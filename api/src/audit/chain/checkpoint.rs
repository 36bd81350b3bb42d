//! Checkpoints: how far the chains had come, signed, to be kept elsewhere.

use std::sync::Arc;

use tenantry_db::{Db, TenantScope};
use tenantry_jose::Keyring;
use tenantry_types::{Clock, TenantId};

use super::SealError;
use super::model::{CheckpointClaims, Statement as _};
use super::store;
use crate::audit::keys;

/// How many chains are read at once.
const CHAINS: i64 = 500;

/// A signed checkpoint of one chain, or of all that have a batch.
///
/// # Errors
/// [`SealError`].
pub async fn take(
    db: &Db,
    keyring: &Keyring,
    clock: &Arc<dyn Clock>,
    tenant: Option<TenantId>,
) -> Result<Vec<String>, SealError> {
    let (ring, time) = (keyring.clone(), Arc::clone(clock));
    let key = db.write(move |conn| keys::current_or_new(conn, &ring, &*time)).await?;
    let (mut signed, mut after) = (Vec::new(), None);
    loop {
        let chains = db.read(move |conn| match tenant {
            None => store::chains(conn, after, CHAINS),
            Some(id) => {
                let chain = store::chain(conn, TenantScope::system(id, "checkpoint of the audit trail"))?;
                Ok(chain.into_iter().filter(|chain| chain.batches > 0).map(|chain| (id, chain)).collect())
            }
        });
        let chains = chains.await?;
        for (tenant_id, chain) in &chains {
            let head = chain.head.as_deref().and_then(|head| head.parse().ok()).ok_or(SealError::Head(*tenant_id))?;
            let claims = CheckpointClaims {
                tenant_id: *tenant_id,
                batches: chain.batches,
                entries: chain.entries,
                head,
                taken_at: clock.now(),
            };
            signed.push(key.sign_jwt(CheckpointClaims::TYPE, &claims)?);
        }
        after = chains.last().map(|(tenant_id, _)| *tenant_id);
        if after.is_none() || tenant.is_some() {
            return Ok(signed);
        }
    }
}
