//! From decisions to rows.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tenantry_db::{Db, DbError};
use tenantry_types::{AccessLogId, Clock, Random, UtcTime};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::model::DecisionRecord;
use super::store::{self, Pending};

/// How many decisions may wait to be written before those who have more wait as well.
const WAITING: usize = 8_192;
/// How many are written with one statement.
const ROWS: usize = 500;
/// How long the first of them waits for others.
const GATHERING: Duration = Duration::from_millis(100);
/// The pauses between attempts while the database does not take them.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long an orderly end waits for the last of them.
const AT_THE_END: Duration = Duration::from_secs(10);

/// Where decisions are handed in. Clones lead to the same log.
#[derive(Debug, Clone)]
pub struct DecisionLog {
    queue: mpsc::Sender<Message>,
    /// Told when a statement is full, or somebody waits.
    due: Arc<Notify>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

#[derive(Debug)]
enum Message {
    Decision(Box<Made>),
    /// To be answered when everything before it is written.
    Flush(oneshot::Sender<()>),
}

/// A decision, and when it was made.
#[derive(Debug)]
struct Made {
    at: UtcTime,
    record: DecisionRecord,
}

#[derive(Debug, Clone, Default)]
struct Metrics {
    written: Counter,
    failures: Counter,
    lost: Counter,
    waiting: Gauge,
}

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register("access_log_written", "Decisions written to the log", metrics.written.clone());
        registry.register(
            "access_log_failures",
            "Attempts to write decisions that failed and were repeated",
            metrics.failures.clone(),
        );
        registry.register("access_log_lost", "Decisions that could not be logged", metrics.lost.clone());
        registry.register("access_log_waiting", "Decisions that wait to be written", metrics.waiting.clone());
        metrics
    }
}

impl DecisionLog {
    /// Starts the task that writes, on the current runtime. It ends when the last handle is gone and everything is written.
    pub fn start(db: Db, clock: Arc<dyn Clock>, random: Arc<dyn Random>, registry: &mut Registry) -> Self {
        let metrics = Metrics::register(registry);
        let (queue, received) = mpsc::channel(WAITING);
        let due = Arc::new(Notify::new());
        let writer =
            Writer { db, received, due: Arc::clone(&due), clock: Arc::clone(&clock), random, metrics: metrics.clone() };
        tokio::spawn(writer.run());
        Self { queue, due, clock, metrics }
    }

    /// Logs a decision. Returns at once unless too many wait to be written; then it waits for room.
    pub async fn record(&self, record: DecisionRecord) {
        let made = Made { at: self.clock.now(), record };
        self.metrics.waiting.inc();
        // The writer ends after its last handle; that it is gone means that the runtime is ending.
        if self.queue.send(Message::Decision(Box::new(made))).await.is_err() {
            self.metrics.waiting.dec();
            self.metrics.lost.inc();
            tracing::error!("a decision was not logged: the process is ending");
        }
        if self.queue.max_capacity() - self.queue.capacity() >= ROWS {
            self.due.notify_one();
        }
    }

    /// Waits until everything that was recorded before is written.
    pub async fn flush(&self) {
        let (done, written) = oneshot::channel();
        if self.queue.send(Message::Flush(done)).await.is_ok() {
            self.due.notify_one();
            // Not answered means that the writer is gone.
            let _ = written.await;
        }
    }

    /// For the end of the process: [`flush`](Self::flush), but not for longer than ten seconds.
    pub async fn close(&self) {
        if timeout(AT_THE_END, self.flush()).await.is_err() {
            let waiting = self.metrics.waiting.get();
            tracing::error!(waiting, "decisions are lost: the database did not take them before the end");
        }
    }
}

struct Writer {
    db: Db,
    received: mpsc::Receiver<Message>,
    due: Arc<Notify>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    metrics: Metrics,
}

impl Writer {
    async fn run(mut self) {
        let mut messages = Vec::with_capacity(ROWS);
        while self.gather(&mut messages).await {
            let (mut rows, mut flushes) = (Vec::with_capacity(messages.len()), Vec::new());
            for message in messages.drain(..) {
                match message {
                    Message::Decision(made) => rows.push(self.named(*made)),
                    Message::Flush(done) => flushes.push(done),
                }
            }
            if !rows.is_empty() {
                self.write(rows.into()).await;
            }
            for done in flushes {
                // Who no longer waits for it needs no answer.
                let _ = done.send(());
            }
        }
    }

    /// The decision under the id that it keeps, however often it has to be written. Whoever made it did not wait for that.
    fn named(&self, Made { at, record }: Made) -> Pending {
        Pending { id: AccessLogId::new(&*self.clock, &*self.random), created_at: at, record }
    }

    /// Takes what has come: as much as fits into one statement, or what comes within a moment; at once when somebody
    /// waits for it. `false` when nothing will come any more.
    async fn gather(&mut self, messages: &mut Vec<Message>) -> bool {
        if self.received.recv_many(messages, ROWS).await == 0 {
            return false;
        }
        let is_flushed = messages.iter().any(|message| matches!(message, Message::Flush(_)));
        if messages.len() < ROWS && !is_flushed {
            // Nobody who has a decision has to wake this task meanwhile, which would cost each of them more than the rest.
            let _ = timeout(GATHERING, self.due.notified()).await;
            while messages.len() < ROWS
                && let Ok(message) = self.received.try_recv()
            {
                messages.push(message);
            }
        }
        true
    }

    /// Writes rows, however long it takes. A row that the database refuses for what is in it would keep all others from
    /// being written: those are told apart, and the refused one goes to the process's log.
    async fn write(&self, rows: Arc<[Pending]>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let count = rows.len();
            let batch = Arc::clone(&rows);
            match self.db.write(move |conn| store::insert(conn, &batch)).await {
                Ok(()) => {
                    self.written(count);
                    return;
                }
                Err(DbError::Invalid(reason)) if count == 1 => {
                    tracing::error!(%reason, decision = ?rows, "a decision could not be logged");
                    self.metrics.lost.inc();
                    self.metrics.waiting.dec();
                    return;
                }
                // Written by an attempt whose end was not seen: all of it or nothing.
                Err(DbError::Conflict { .. }) if count == 1 => {
                    self.written(count);
                    return;
                }
                Err(DbError::Invalid(_) | DbError::Conflict { .. }) => {
                    for row in rows.iter() {
                        Box::pin(self.write([row.clone()].into())).await;
                    }
                    return;
                }
                Err(error) => {
                    self.metrics.failures.inc();
                    tracing::warn!(%error, decisions = count, "decisions could not be logged yet");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn written(&self, count: usize) {
        self.metrics.written.inc_by(count as u64);
        self.metrics.waiting.dec_by(i64::try_from(count).unwrap_or_default());
    }
}
