//! What is done from time to time, whoever asks for what: rows whose time is over are removed.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::Db;
use tenantry_jose::Keyring;
use tenantry_types::Clock;

use crate::access::log;
use crate::audit::chain::retention;
use crate::config::{Config, OutboxConfig};
use crate::outbox;
use crate::roles::claim;

/// The time from one round to the next.
const INTERVAL: Duration = Duration::from_secs(60);

/// The kinds of messages that somebody takes: see `startup`.
const TAKEN: &[&str] = &[claim::ROLES_CHANGED];

/// The rounds of one process. Every replica makes them; what one has removed is not there for the others.
#[derive(Debug)]
pub(crate) struct Maintenance {
    db: Db,
    keyring: Keyring,
    clock: Arc<dyn Clock>,
    audit_days: u32,
    access_log_days: u32,
    outbox: OutboxConfig,
}

impl Maintenance {
    pub(crate) fn new(db: Db, keyring: Keyring, clock: Arc<dyn Clock>, config: &Config) -> Self {
        let (audit_days, access_log_days) = (config.audit.retention_days, config.access_log.retention_days);
        Self { db, keyring, clock, audit_days, access_log_days, outbox: config.outbox.clone() }
    }

    /// Makes rounds for ever.
    pub(crate) async fn run(self) {
        loop {
            tokio::time::sleep(INTERVAL).await;
            self.round().await;
        }
    }

    async fn round(&self) {
        match retention::prune(&self.db, &self.keyring, &self.clock, self.audit_days).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, "audit entries removed: their time was over"),
            Err(error) => tracing::error!(%error, "old audit entries could not be removed"),
        }
        match log::prune(&self.db, self.clock.now(), self.access_log_days).await {
            Ok(0) => {}
            Ok(decisions) => tracing::debug!(decisions, "logged decisions removed: their time was over"),
            Err(error) => tracing::warn!(%error, "old decisions could not be removed"),
        }
        match outbox::prune(&self.db, self.clock.now(), &self.outbox, TAKEN).await {
            Ok(0) => {}
            Ok(messages) => tracing::debug!(messages, "messages removed: their time was over"),
            Err(error) => tracing::warn!(%error, "old messages could not be removed"),
        }
    }
}
