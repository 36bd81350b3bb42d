//! Delivery of what lies in the outbox.
//!
//! A worker of each replica takes messages that are due, under a lease: while one has them, the others pass over them.
//! What could not be delivered is due again later, and what a recipient refuses for good is set aside. After a crash a
//! message may come a second time: recipients do the same for it again.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use serde_json::Value;
use tenantry_db::DbError;
use tenantry_types::{OutboxId, TenantId};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::metrics::Metrics;
use super::store;
use crate::state::Api;

/// How often the worker looks.
const EVERY: Duration = Duration::from_secs(1);
/// In how many looks the messages are counted once.
const COUNTED_EVERY: u64 = 30;
/// Messages that are taken, and under way, at once.
pub(super) const AT_ONCE: i64 = 16;
/// How long a message is left to whoever took it: longer than any delivery takes.
pub(super) const LEASE: Duration = Duration::from_secs(60);
/// The first pause after a delivery that failed; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A message on its way.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its id.
    pub id: OutboxId,
    /// Of which tenant.
    pub tenant_id: TenantId,
    /// What it tells of.
    pub kind: String,
    /// The rest.
    pub payload: Value,
    /// How often it was tried, this time included.
    pub attempts: u32,
}

/// What became of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It arrived, or there is nothing to do any more.
    Done,
    /// It did not arrive, for reasons that may pass.
    Later(String),
    /// It will never be taken.
    Refused(String),
}

/// Whoever takes messages of one kind.
pub trait Recipient: fmt::Debug + Send + Sync {
    /// Which kind.
    fn kind(&self) -> &'static str;
    /// Takes a message. A repeat has the same effect.
    fn deliver<'a>(&'a self, letter: &'a Letter) -> Pin<Box<dyn Future<Output = Delivery> + Send + 'a>>;
}

/// The worker of this replica. Messages of a kind that nobody takes stay where they are until their time is over.
#[derive(Debug, Clone)]
pub struct Deliveries {
    api: Api,
    recipients: Arc<[Arc<dyn Recipient>]>,
    metrics: Metrics,
}

impl Deliveries {
    /// Delivers to these.
    pub fn new(api: Api, recipients: impl Into<Arc<[Arc<dyn Recipient>]>>, registry: &mut Registry) -> Self {
        Self { api, recipients: recipients.into(), metrics: Metrics::register(registry) }
    }

    /// Begins to work. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for round in 0_u64.. {
                ticks.tick().await;
                this.deliver_all_due().await;
                if round % COUNTED_EVERY == 0 {
                    this.count().await;
                }
            }
        })
    }

    /// Counts what waits and what was refused, for the metrics.
    async fn count(&self) {
        let kinds = self.kinds();
        match self.api.db.read(move |conn| store::count(conn, &kinds)).await {
            Ok(counted) => self.metrics.counted(counted),
            Err(error) => tracing::debug!(%error, "the messages could not be counted"),
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.recipients.iter().map(|recipient| recipient.kind()).collect()
    }

    async fn deliver_all_due(&self) {
        loop {
            match self.round().await {
                Ok(taken) if taken as u64 == AT_ONCE.unsigned_abs() => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, "the outbox could not be read or written");
                    return;
                }
            }
        }
    }

    /// Delivers some of what is due. Says how many messages were taken.
    ///
    /// # Errors
    /// Those of the database; then what was taken is due again when its lease is over.
    pub async fn round(&self) -> Result<usize, DbError> {
        let kinds = self.kinds();
        let now = self.api.clock.now();
        let letters = self.api.db.write(move |conn| store::take(conn, &kinds, now)).await?;
        let taken = letters.len();
        let mut under_way = JoinSet::new();
        for letter in letters {
            let this = self.clone();
            under_way.spawn(async move {
                let delivery = this.deliver(&letter).await;
                this.note(&letter, delivery).await
            });
        }
        while let Some(noted) = under_way.join_next().await {
            // A recipient that panicked is logged by the runtime; its message is due again when its lease is over.
            if let Ok(noted) = noted {
                noted?;
            }
        }
        Ok(taken)
    }

    async fn deliver(&self, letter: &Letter) -> Delivery {
        match self.recipients.iter().find(|recipient| recipient.kind() == letter.kind) {
            Some(recipient) => recipient.deliver(letter).await,
            None => Delivery::Later("nobody takes it".to_owned()),
        }
    }

    async fn note(&self, letter: &Letter, delivery: Delivery) -> Result<(), DbError> {
        let (id, now) = (letter.id, self.api.clock.now());
        self.metrics.ended(&letter.kind, &delivery);
        match delivery {
            Delivery::Done => self.api.db.write(move |conn| store::delivered(conn, id, now)).await,
            Delivery::Later(reason) => {
                let pause = self.pause(letter.attempts);
                tracing::info!(message = %id, kind = letter.kind, attempts = letter.attempts, reason, "not delivered yet");
                self.api.db.write(move |conn| store::try_later(conn, id, now + pause)).await
            }
            Delivery::Refused(reason) => {
                tracing::warn!(message = %id, kind = letter.kind, reason, "a message was refused for good");
                self.api.db.write(move |conn| store::refused(conn, id, now)).await
            }
        }
    }

    /// Twice as long after each attempt, and spread, so that what failed together is not tried together.
    fn pause(&self, attempts: u32) -> Duration {
        let longest = (FIRST_PAUSE * 2_u32.pow(attempts.clamp(1, 12) - 1)).min(LONGEST_PAUSE);
        let mut spread = [0_u8];
        self.api.random.fill(&mut spread);
        longest.mul_f64(0.75 + f64::from(spread[0]) / 1024.0)
    }
}
