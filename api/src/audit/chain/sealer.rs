//! The sealer: what was committed is appended to the chains.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::{Connection, Db, DbError, TenantScope};
use tenantry_jose::{JoseError, Keyring, SigningKey};
use tenantry_types::{Clock, TenantId};

use super::model::{BatchClaims, Statement as _};
use super::store;
use crate::audit::keys::{self, AuditKeyError};
use crate::audit::merkle::{Digest, Tree};

/// The most entries in one batch, which is one transaction.
const BATCH: i64 = 512;
/// How many tenants are asked for at once.
const TENANTS: i64 = 100;
/// The longest time until what was written is looked for.
const INTERVAL: Duration = Duration::from_secs(3);
/// How long others may add to a batch after a commit has woken the sealer.
const GATHERING: Duration = Duration::from_millis(100);

/// Why nothing was sealed.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key that signs cannot be had.
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    /// A header could not be signed.
    #[error(transparent)]
    Signature(#[from] JoseError),
    /// The head of a chain is not what this service writes.
    #[error("the head of the audit chain of tenant {0} is not readable: see `tenantry-api audit verify`")]
    Head(TenantId),
    /// A batch, or what is said to be removed, is not what was signed: nothing is removed on the strength of it.
    #[error("batch {1} of the audit chain of tenant {0} is not what was sealed: see `tenantry-api audit verify`")]
    NotSealed(TenantId, i64),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Appends entries to the chains of their tenants. Every replica has one; of several that come to the same chain one
/// appends, because its head is locked meanwhile, and the others pass on. A batch is one transaction: whatever becomes of
/// the process, an entry is sealed once or still waits.
#[derive(Debug, Clone)]
pub struct Sealer {
    db: Db,
    keyring: Keyring,
    clock: Arc<dyn Clock>,
}

/// What came of one transaction.
enum Outcome {
    /// As many entries as fit: there may be more.
    Full(usize),
    /// All that waited, or another replica is at it.
    Done(usize),
}

impl Sealer {
    /// A sealer with these keys.
    pub fn new(db: Db, keyring: Keyring, clock: Arc<dyn Clock>) -> Self {
        Self { db, keyring, clock }
    }

    /// Seals for ever: soon after each commit of this process, and every few seconds what others have committed.
    pub async fn run(self) {
        let mut written = self.db.written();
        loop {
            match self.seal_all().await {
                Ok(0) => {}
                Ok(entries) => tracing::debug!(entries, "audit entries sealed"),
                Err(error) => tracing::error!(%error, "audit entries could not be sealed"),
            }
            // The commits of the sealer itself are no news.
            written.mark_unchanged();
            if tokio::time::timeout(INTERVAL, written.changed()).await.is_ok() {
                tokio::time::sleep(GATHERING).await;
            }
        }
    }

    /// Seals everything that waits now; how many entries. A tenant that cannot be sealed keeps no other from it.
    ///
    /// # Errors
    /// The last [`SealError`] that there was.
    pub async fn seal_all(&self) -> Result<usize, SealError> {
        let (mut sealed, mut after, mut failure) = (0, None, None);
        loop {
            let tenants = self.db.read(move |conn| store::waiting_tenants(conn, after, TENANTS)).await?;
            let Some(last) = tenants.last().copied() else { break };
            let key = self.key().await?;
            for tenant in tenants {
                match self.seal(tenant, &key).await {
                    Ok(entries) => sealed += entries,
                    Err(error) => {
                        tracing::error!(%tenant, %error, "audit entries of a tenant could not be sealed");
                        failure = Some(error);
                    }
                }
            }
            after = Some(last);
        }
        failure.map_or(Ok(sealed), Err)
    }

    async fn key(&self) -> Result<SigningKey, SealError> {
        let keyring = self.keyring.clone();
        if let Some(key) = self.db.read(move |conn| keys::current(conn, &keyring)).await? {
            return Ok(key);
        }
        let (keyring, clock) = (self.keyring.clone(), Arc::clone(&self.clock));
        Ok(self.db.write(move |conn| keys::current_or_new(conn, &keyring, &*clock)).await?)
    }

    async fn seal(&self, tenant: TenantId, key: &SigningKey) -> Result<usize, SealError> {
        let scope = TenantScope::system(tenant, "sealing of the audit trail");
        let mut sealed = 0;
        loop {
            let (key, clock) = (key.clone(), Arc::clone(&self.clock));
            match self.db.write(move |conn| seal_batch(conn, scope, &key, &*clock)).await? {
                Outcome::Full(entries) => sealed += entries,
                Outcome::Done(entries) => return Ok(sealed + entries),
            }
        }
    }
}

/// Seals one batch: one transaction.
fn seal_batch(
    conn: &mut Connection,
    scope: TenantScope,
    key: &SigningKey,
    clock: &dyn Clock,
) -> Result<Outcome, SealError> {
    let now = clock.now();
    let Some(chain) = store::lock_chain(conn, scope, now)? else { return Ok(Outcome::Done(0)) };
    let entries = store::waiting(conn, scope, BATCH)?;
    if entries.is_empty() {
        return Ok(Outcome::Done(0));
    }
    let mut buffer = Vec::new();
    let leaves: Vec<(String, Digest)> = entries
        .into_iter()
        .map(|entry| {
            let leaf = entry.leaf(&mut buffer);
            (entry.id, leaf)
        })
        .collect();
    let size = i64::try_from(leaves.len()).unwrap_or(BATCH);
    let previous = chain.head.as_deref().map(str::parse).transpose();
    let claims = BatchClaims {
        tenant_id: scope.tenant_id(),
        number: chain.batches,
        first: chain.entries,
        size,
        root: leaves.iter().map(|(_, leaf)| *leaf).collect::<Tree>().root(),
        previous: previous.map_err(|_| SealError::Head(scope.tenant_id()))?,
        sealed_at: now,
    };
    let signature = key.sign_jwt(BatchClaims::TYPE, &claims)?;
    store::append(conn, scope, &claims, &signature, &leaves)?;
    Ok(if size == BATCH { Outcome::Full(leaves.len()) } else { Outcome::Done(leaves.len()) })
}
