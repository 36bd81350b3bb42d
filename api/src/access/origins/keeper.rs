//! The worker that keeps the origins of tenants, so that a process that has just begun knows them as well.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tenantry_db::{Db, DbError, TenantScope};
use tenantry_types::TenantId;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{AllowedOrigins, store};

/// How often is looked whether this process has learned anything.
const EVERY: Duration = Duration::from_secs(2);
/// Tenants that are kept at each look at most.
const AT_ONCE: usize = 200;
/// Every so many looks the rows are read anew: other replicas may have learned something.
const READ_EVERY: u32 = 30;

/// Keeps the origins that this process learns of, and knows those that are kept.
#[derive(Debug, Clone)]
pub struct OriginKeeper {
    db: Db,
    origins: AllowedOrigins,
}

impl OriginKeeper {
    /// Keeps them in this database.
    pub fn new(db: Db, origins: AllowedOrigins) -> Self {
        Self { db, origins }
    }

    /// Reads what is kept.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn load(&self) -> Result<(), DbError> {
        let all = self.db.read(store::all).await?;
        *self.origins.kept.write() = all;
        Ok(())
    }

    /// Begins to look. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut kept = HashMap::new();
            for look in 1_u32.. {
                ticks.tick().await;
                let mut done = this.keep(&mut kept).await;
                if look % READ_EVERY == 0 {
                    done = done.and(this.load().await);
                }
                if let Err(error) = done {
                    tracing::debug!(%error, "the origins of tenants could not be kept, or read");
                }
            }
        })
    }

    /// Keeps what was learned since. `kept` is what this process has kept.
    async fn keep(&self, kept: &mut HashMap<TenantId, Arc<HashSet<String>>>) -> Result<(), DbError> {
        let known: HashMap<TenantId, Arc<HashSet<String>>> = self.origins.issuers.origins().collect();
        kept.retain(|tenant, _| known.contains_key(tenant));
        let is_new = |(tenant, origins): &(TenantId, Arc<HashSet<String>>)| kept.get(tenant) != Some(origins);
        let learned: Vec<_> = known.into_iter().filter(is_new).take(AT_ONCE).collect();
        if learned.is_empty() {
            return Ok(());
        }
        // Of a tenant that only strangers have named nothing is kept: it has no row before its first good token.
        let ids: Vec<TenantId> = learned.iter().map(|(tenant, _)| *tenant).collect();
        let here = self.db.read(move |conn| store::with_rows(conn, &ids)).await?;
        for (tenant, origins) in learned.into_iter().filter(|(tenant, _)| here.contains(tenant)) {
            let (scope, wanted) = (TenantScope::system(tenant, "keep the origins of clients"), Arc::clone(&origins));
            self.db.write(move |conn| store::keep(conn, scope, &wanted)).await?;
            kept.insert(tenant, origins);
        }
        Ok(())
    }
}
