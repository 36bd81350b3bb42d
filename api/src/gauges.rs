//! What waits in the tables, for the metrics: what is not told, not sealed and not known to be so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

use diesel::dsl::min;
use diesel::prelude::*;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_db::{Connection, Db, DbError};
use tenantry_types::{Clock, UtcTime};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::schema::{account_doubts, audit_entries, audit_unsealed, outbox, tenant_tasks};
use crate::signals::Signals;

/// How often is counted. A scrape shows what was counted last.
const EVERY: Duration = Duration::from_secs(15);

type Number = Gauge<i64, AtomicI64>;
type Seconds = Gauge<f64, AtomicU64>;

/// Counts what waits. Every replica counts all of it.
#[derive(Debug, Clone)]
pub(crate) struct Gauges {
    db: Db,
    signals: Signals,
    clock: Arc<dyn Clock>,
    outbox_waiting: Number,
    outbox_failed: Number,
    tenant_tasks: Number,
    account_doubts: Number,
    audit_unsealed: Number,
    audit_lag: Number,
    signals_current: Number,
    signals_age: Seconds,
    connections: Number,
    connections_idle: Number,
    connections_most: Number,
}

/// What was counted.
struct Counted {
    outbox_waiting: i64,
    outbox_failed: i64,
    tenant_tasks: i64,
    account_doubts: i64,
    audit_unsealed: i64,
    oldest_unsealed: Option<UtcTime>,
}

impl Gauges {
    /// Adds the numbers to the metrics of the service.
    pub(crate) fn register(db: Db, signals: Signals, clock: Arc<dyn Clock>, registry: &mut Registry) -> Self {
        let mut number = |name: &str, help: &str| {
            let number = Number::default();
            registry.register(name, help, number.clone());
            number
        };
        let signals_age = Seconds::default();
        let this = Self {
            outbox_waiting: number("outbox_waiting", "Messages that are not delivered yet"),
            outbox_failed: number("outbox_failed", "Messages that were given up"),
            tenant_tasks: number("tenant_tasks", "What the identity provider is still to be told of tenants"),
            account_doubts: number(
                "account_doubts",
                "Accounts of which it is not known what the identity provider did",
            ),
            audit_unsealed: number("audit_unsealed", "Audit entries that are not sealed yet"),
            audit_lag: number("audit_unsealed_oldest_seconds", "The age of the oldest of them"),
            signals_current: number("signals_current", "1 while changes by other replicas are seen"),
            signals_age: signals_age.clone(),
            connections: number("database_connections", "Open connections to the database"),
            connections_idle: number("database_connections_idle", "Those that nobody uses"),
            connections_most: number("database_connections_most", "As many as there may be"),
            db,
            signals,
            clock,
        };
        let help = "Since the last look for changes by other replicas that succeeded";
        registry.register("signals_age_seconds", help, signals_age);
        this
    }

    /// Begins to count. Ends when the handle is aborted.
    pub(crate) fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                this.round().await;
            }
        })
    }

    async fn round(&self) {
        let pool = self.db.pool_state();
        self.connections.set(i64::from(pool.connections));
        self.connections_idle.set(i64::from(pool.idle));
        self.connections_most.set(i64::from(pool.max));
        self.signals_current.set(i64::from(self.signals.is_current()));
        self.signals_age.set(self.signals.age().as_secs_f64());
        match self.db.read(count).await {
            Ok(counted) => {
                self.outbox_waiting.set(counted.outbox_waiting);
                self.outbox_failed.set(counted.outbox_failed);
                self.tenant_tasks.set(counted.tenant_tasks);
                self.account_doubts.set(counted.account_doubts);
                self.audit_unsealed.set(counted.audit_unsealed);
                let lag = counted.oldest_unsealed.map(|oldest| self.clock.now().since(oldest).as_secs());
                self.audit_lag.set(i64::try_from(lag.unwrap_or(0)).unwrap_or(i64::MAX));
            }
            Err(error) => tracing::debug!(%error, "what waits could not be counted"),
        }
    }
}

fn count(conn: &mut Connection) -> Result<Counted, DbError> {
    let undelivered = || outbox::table.filter(outbox::delivered_at.is_null());
    let oldest = audit_unsealed::table
        .inner_join(audit_entries::table.on(
            audit_entries::tenant_id.eq(audit_unsealed::tenant_id).and(audit_entries::id.eq(audit_unsealed::entry_id)),
        ))
        .select(min(audit_entries::occurred_at));
    Ok(Counted {
        outbox_waiting: undelivered().filter(outbox::failed_at.is_null()).count().get_result(conn)?,
        outbox_failed: undelivered().filter(outbox::failed_at.is_not_null()).count().get_result(conn)?,
        tenant_tasks: tenant_tasks::table.count().get_result(conn)?,
        account_doubts: account_doubts::table.count().get_result(conn)?,
        audit_unsealed: audit_unsealed::table.count().get_result(conn)?,
        oldest_unsealed: oldest.first(conn)?,
    })
}
