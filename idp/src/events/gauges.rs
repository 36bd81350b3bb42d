//! How many events wait, for the metrics.

use std::sync::atomic::AtomicI64;

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_db::{Db, DbError};

use super::store;

/// How many events wait for their turn, and how many the receiver refused.
#[derive(Debug, Clone)]
pub struct Gauges {
    waiting: Gauge<i64, AtomicI64>,
    refused: Gauge<i64, AtomicI64>,
}

impl Gauges {
    /// Adds the numbers to the metrics of the service.
    pub fn register(registry: &mut Registry) -> Self {
        let gauges = Self { waiting: Gauge::default(), refused: Gauge::default() };
        registry.register(
            "security_events_waiting",
            "Security events that wait for their turn",
            gauges.waiting.clone(),
        );
        let help = "Security events that the receiver refused and that are sent again";
        registry.register("security_events_refused", help, gauges.refused.clone());
        gauges
    }

    /// Counts.
    pub async fn count(&self, db: &Db) -> Result<(), DbError> {
        let (waiting, refused) = db.read(store::backlog).await?;
        self.waiting.set(waiting);
        self.refused.set(refused);
        Ok(())
    }
}
