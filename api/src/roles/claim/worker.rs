//! The worker that goes through people whose roles may be others now.
//!
//! Every replica has one. Nothing happens outside of a transaction, and where a review has come to stands in its row: what
//! a crash leaves over, any replica goes on with.

use std::time::Duration;

use tenantry_db::{Connection, DbError, TenantScope};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::store;
use crate::change::lock_tenant;
use crate::state::Api;

/// How often the worker looks.
const EVERY: Duration = Duration::from_secs(1);
/// Pieces that are done in one go.
const AT_ONCE: usize = 1_000;

/// Goes through people whose roles may be others now.
#[derive(Debug, Clone)]
pub struct RoleReviews {
    api: Api,
}

impl RoleReviews {
    /// Looks at the rows of `api`.
    pub const fn new(api: Api) -> Self {
        Self { api }
    }

    /// Begins to look. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                for _ in 0..AT_ONCE {
                    match this.piece().await {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            tracing::debug!(%error, "roles could not be reviewed");
                            break;
                        }
                    }
                }
            }
        })
    }

    /// Does one piece of what is due. Says whether there was one.
    ///
    /// # Errors
    /// Those of the database: then nothing was done.
    pub async fn piece(&self) -> Result<bool, DbError> {
        let now = self.api.clock.now();
        let due = move |conn: &mut Connection| {
            Ok::<_, DbError>((store::next_expiry(conn, now)?, store::next_review(conn, now)?))
        };
        let (expiry, review) = self.api.db.read(due).await?;
        let Some(tenant) = expiry.or(review) else { return Ok(false) };
        let (api, is_expiry) = (self.api.clone(), expiry.is_some());
        let piece = move |conn: &mut Connection| {
            let scope = TenantScope::system(tenant, "review of roles");
            lock_tenant(conn, tenant)?;
            let tools = (&*api.clock, &*api.random);
            if is_expiry { store::expire_piece(conn, scope, tools) } else { store::review_piece(conn, scope, tools) }
        };
        let people = self.api.db.write(piece).await?;
        tracing::debug!(%tenant, people, is_expiry, "roles were reviewed");
        Ok(true)
    }
}
