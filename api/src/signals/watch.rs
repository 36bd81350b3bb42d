//! Looking for signals, and passing them on.

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tenantry_db::{Db, DbError};
use tenantry_types::{Clock, SignalId, UtcTime};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::{Signal, store};

/// How often is looked.
const EVERY: Duration = Duration::from_millis(300);
/// When the last look that succeeded began longer ago than this, what is remembered counts as not known: so nothing is
/// answered by what was changed more than this before the request came.
const TRUSTED_FOR: Duration = Duration::from_secs(1);
/// How far is looked back at each look: for rows that were written by a clock that is behind, or committed late.
const OVERLAP: Duration = Duration::from_secs(20);
/// Signals that are taken at once. More of them, and everything is forgotten.
const MOST: i64 = 5_000;
/// How long rows are kept.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Every so many looks old rows are deleted.
const PRUNED_EVERY: u32 = 200;

type Listener = Box<dyn Fn(Option<&Signal>) + Send + Sync>;

/// The signals of all replicas. Clones share their listeners.
#[derive(Clone)]
pub struct Signals(Arc<Inner>);

struct Inner {
    /// Where rows are deleted.
    db: Db,
    /// Where is looked: connections of its own, so that a look does not wait for those who serve requests.
    looks: Db,
    clock: Arc<dyn Clock>,
    started: Instant,
    /// Milliseconds after `started` of the beginning of the last look that succeeded.
    looked: AtomicU64,
    listeners: OnceLock<Vec<Listener>>,
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}

impl Signals {
    /// The signals in this database, which `looks` leads to as well, by connections that nobody else uses.
    pub fn new(db: Db, looks: Db, clock: Arc<dyn Clock>) -> Self {
        let (looked, listeners) = (AtomicU64::new(0), OnceLock::new());
        Self(Arc::new(Inner { db, looks, clock, started: Instant::now(), looked, listeners }))
    }

    /// Says who wants to know; once, at start-up. They are told of a signal at least once, and of `None` when there
    /// may have been any: then everything is to be forgotten.
    pub fn listen(&self, listeners: Vec<Listener>) {
        // A second call is a mistake in wiring that every test of invalidation would find.
        let _ = self.0.listeners.set(listeners);
    }

    /// Tells this process, once the transaction that wrote them is committed.
    pub fn pass_on(&self, signals: &[Signal]) {
        for signal in signals {
            self.0.tell(Some(signal));
        }
    }

    /// Whether what is remembered can be trusted: signals were looked for a moment ago.
    pub fn is_current(&self) -> bool {
        self.age() < TRUSTED_FOR
    }

    /// How old what is remembered may be: the time since the last look that succeeded began, or since the start where none
    /// has.
    pub fn age(&self) -> Duration {
        let looked = Duration::from_millis(self.0.looked.load(Ordering::Relaxed));
        self.0.started.elapsed().saturating_sub(looked)
    }

    /// Ends the connections that are for looking: nothing that is remembered counts from then on.
    pub async fn close(&self) {
        self.0.looks.close().await;
    }

    /// Begins to look. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let inner = Arc::clone(&self.0);
        tokio::spawn(async move { inner.run().await })
    }
}

/// What was seen by the last looks.
#[derive(Default)]
struct Seen {
    ids: HashSet<SignalId>,
    until: Option<UtcTime>,
    /// Whether the last look failed.
    is_blind: bool,
}

impl Inner {
    async fn run(self: &Arc<Self>) {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut seen = Seen::default();
        for look in 1_u32.. {
            ticks.tick().await;
            // What is committed from now on may be missed by this look.
            let began = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
            match self.look(&mut seen).await {
                Ok(()) => {
                    if std::mem::take(&mut seen.is_blind) {
                        tracing::info!("changes by other replicas are seen again");
                    }
                    self.looked.store(began, Ordering::Relaxed);
                }
                Err(error) if !seen.is_blind => {
                    seen.is_blind = true;
                    tracing::warn!(%error, "changes by other replicas cannot be seen: nothing that is remembered counts");
                }
                Err(_) => {}
            }
            if look % PRUNED_EVERY == 0 {
                let this = Arc::clone(self);
                // Nobody waits for it, and least of all the next look.
                tokio::spawn(async move { this.prune().await });
            }
        }
    }

    async fn look(&self, seen: &mut Seen) -> Result<(), DbError> {
        let now = self.clock.now();
        let since = seen.until.unwrap_or(now) - OVERLAP;
        let found = self.looks.read(move |conn| store::since(conn, since, MOST)).await?;
        if found.len() as u64 >= MOST.unsigned_abs() {
            self.tell(None);
        }
        for (id, signal) in &found {
            if !seen.ids.contains(id) {
                self.tell(Some(signal));
            }
        }
        // Whoever is not found any more is older than what will be looked for.
        seen.ids = found.into_iter().map(|(id, _)| id).collect();
        seen.until = Some(now);
        Ok(())
    }

    async fn prune(&self) {
        let before = self.clock.now() - KEPT_FOR;
        let pruned: Result<(), DbError> = self.db.write(move |conn| store::prune(conn, before)).await;
        if let Err(error) = pruned {
            tracing::debug!(%error, "old signals were not deleted");
        }
    }

    fn tell(&self, signal: Option<&Signal>) {
        for listener in self.listeners.get().into_iter().flatten() {
            listener(signal);
        }
    }
}
