//! The database as the services see it: units of work, each on a thread that may block.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use parking_lot::FairMutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::connection::{Connection, Role};
use crate::error::DbError;
use crate::pool::{Loan, Losses, Manager, PoolState, Session, Sessions};
use crate::unit_of_work::{self, Outcome};
use crate::url::{Backend, DatabaseUrl};

/// How many connections, and how long to wait for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolOptions {
    /// Connections to hold at most, at least 1. SQLite has one more, which does all the writing.
    pub max_connections: u32,
    /// How long a unit of work waits for its turn before it fails with [`DbError::Unavailable`].
    pub acquire_timeout: Duration,
}

impl Default for PoolOptions {
    fn default() -> Self {
        Self { max_connections: 8, acquire_timeout: Duration::from_secs(5) }
    }
}

/// A database. Clones share one pool.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    url: DatabaseUrl,
    acquire_timeout: Duration,
    /// One permit for each connection of the pool: who waits for a connection waits here, without holding a thread.
    turns: Arc<Semaphore>,
    /// MySQL: all connections. SQLite: those that read.
    pool: Sessions,
    losses: Arc<Losses>,
    writer: Option<Writer>,
    /// Told after each transaction of this process.
    written: watch::Sender<()>,
}

/// The one connection that writes to an SQLite database.
///
/// SQLite has one writer at a time anyway. Queueing for it in the process, fairly, is what keeps the longest wait short:
/// SQLite's own busy handler polls, and starves some.
struct Writer {
    /// Bounds the threads that wait for the mutex.
    turns: Arc<Semaphore>,
    /// `None` after the connection was discarded.
    session: FairMutex<Option<Session>>,
}

impl Db {
    /// Opens the database, making an SQLite file that is not there. Connects once.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with what the server or the file system said (wrong password, no such host, not
    /// writable …), without the password.
    pub async fn open(url: &DatabaseUrl, options: PoolOptions) -> Result<Self, DbError> {
        let url = url.clone();
        hop(move || Self::open_blocking(url, options)).await
    }

    fn open_blocking(url: DatabaseUrl, options: PoolOptions) -> Result<Self, DbError> {
        let PoolOptions { max_connections, acquire_timeout } = options;
        let max_connections = max_connections.max(1);
        let first = Session::connect(&url, Role::Write)?;
        let turns = || Arc::new(Semaphore::new(max_connections as usize));
        let losses = Losses::none();
        let (manager, writer) = match url.backend() {
            Backend::Sqlite => {
                let writer = Writer { turns: turns(), session: FairMutex::new(Some(first)) };
                (Manager::new(&url, Role::Read, &losses, None), Some(writer))
            }
            Backend::Mysql => (Manager::new(&url, Role::Write, &losses, Some(first)), None),
        };
        let pool = manager.into_pool(max_connections, acquire_timeout)?;
        let written = watch::Sender::new(());
        Ok(Self(Arc::new(Inner { url, acquire_timeout, turns: turns(), pool, losses, writer, written })))
    }

    /// Which backend this is.
    pub fn backend(&self) -> Backend {
        self.0.url.backend()
    }

    /// The address it was opened with.
    pub fn url(&self) -> &DatabaseUrl {
        &self.0.url
    }

    /// How many connections there are, for the metrics.
    pub fn pool_state(&self) -> PoolState {
        PoolState::of(&self.0.pool)
    }

    /// Runs queries that only read, one hop to a blocking thread for all of them. There is no transaction around them.
    /// On SQLite the connection refuses to write. The closure may run again after a connection was lost.
    ///
    /// # Errors
    /// What the closure returns; [`DbError::Unavailable`] when no connection is to be had in time;
    /// [`DbError::Panicked`] when the closure panics.
    pub async fn read<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let turn = self.0.turn(&self.0.turns).await?;
        let inner = Arc::clone(&self.0);
        hop(move || {
            let result = unit_of_work::repeat(|| inner.with_session(|session| unit_of_work::read(session, &mut work)));
            drop(turn);
            result
        })
        .await
    }

    /// Runs a transaction, one hop to a blocking thread for all of it: committed when the closure returns `Ok`, rolled
    /// back when it returns `Err` or panics. Transactions within it are savepoints.
    ///
    /// The closure runs again, from the beginning, when the transaction lost a deadlock, waited too long for a lock, or
    /// its connection broke before the commit; so it should do nothing but queries.
    ///
    /// # Errors
    /// What the closure returns; [`DbError::Unavailable`] when no connection is to be had in time; [`DbError::Busy`]
    /// when the last attempt failed like the ones before; [`DbError::OutcomeUnknown`] when the connection broke during
    /// the commit; [`DbError::Panicked`] when the closure panics; any other error of the commit.
    pub async fn write<T, E, F>(&self, mut work: F) -> Result<T, E>
    where
        F: FnMut(&mut Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let result = self
            .with_writer(move |inner| {
                unit_of_work::repeat(|| inner.with_writing_session(|session| unit_of_work::write(session, &mut work)))
            })
            .await;
        if result.is_ok() {
            self.0.written.send_replace(());
        }
        result
    }

    /// Changes after each transaction that this process has committed: what wakes those who work off what others have
    /// written. Commits of other processes are not seen, so look by yourself from time to time as well.
    pub fn written(&self) -> watch::Receiver<()> {
        self.0.written.subscribe()
    }

    /// Asks the database for a sign of life, as the readiness check does.
    ///
    /// # Errors
    /// [`DbError::Unavailable`].
    pub async fn ping(&self) -> Result<(), DbError> {
        self.read(|connection| {
            // Unlike `SELECT 1`, this reads the file.
            let query = match connection.backend() {
                Backend::Sqlite => "PRAGMA schema_version",
                Backend::Mysql => "DO 1",
            };
            connection.batch_execute(query).map_err(|error| DbError::Unavailable(error.to_string()))
        })
        .await
    }

    /// Waits for the units of work in flight, at most as long as one may wait for its turn, and ends all connections in
    /// an orderly way: a server logs no aborted connections, and an SQLite file is left without a write-ahead log. Work
    /// that is asked for afterwards fails with [`DbError::Unavailable`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.0);
        let all_turns = inner.pool.max_size();
        for turns in std::iter::once(&inner.turns).chain(inner.writer.as_ref().map(|writer| &writer.turns)) {
            // What is still running then keeps its connection until it is done.
            let _ = tokio::time::timeout(inner.acquire_timeout, turns.acquire_many(all_turns)).await;
            turns.close();
        }
        let ended: Result<(), DbError> = hop(move || {
            while let Some(mut loan) = inner.pool.try_get() {
                loan.discard();
            }
            if let Some(mut slot) = inner.writer.as_ref().and_then(|writer| writer.session.try_lock()) {
                *slot = None;
            }
            Ok(())
        })
        .await;
        if let Err(error) = ended {
            tracing::debug!(%error, "the database connections were not ended in an orderly way");
        }
    }

    /// Runs work with the connection that writes, outside a transaction and once only.
    pub(crate) async fn with_writing_connection<T, F>(&self, work: F) -> Result<T, DbError>
    where
        F: FnOnce(&mut Connection) -> Result<T, DbError> + Send + 'static,
        T: Send + 'static,
    {
        self.with_writer(move |inner| {
            inner.with_writing_session(|session| Outcome::Done(unit_of_work::guarded(session, work))).into_result()
        })
        .await
    }

    async fn with_writer<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Inner) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let turns = self.0.writer.as_ref().map_or(&self.0.turns, |writer| &writer.turns);
        let turn = self.0.turn(turns).await?;
        let inner = Arc::clone(&self.0);
        hop(move || {
            let result = work(&inner);
            drop(turn);
            result
        })
        .await
    }
}

impl fmt::Debug for Db {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Db").field(&self.0.url).finish()
    }
}

impl Inner {
    /// Waits for a connection to be free, in the order of asking.
    async fn turn(&self, turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, DbError> {
        if let Ok(turn) = Arc::clone(turns).try_acquire_owned() {
            return Ok(turn);
        }
        if let Ok(Ok(turn)) = tokio::time::timeout(self.acquire_timeout, Arc::clone(turns).acquire_owned()).await {
            return Ok(turn);
        }
        Err(DbError::Unavailable(if turns.is_closed() {
            "it was closed".to_owned()
        } else {
            format!("all connections were in use for {:?}", self.acquire_timeout)
        }))
    }

    fn with_session<T, E: From<DbError>>(&self, work: impl FnOnce(&mut Session) -> Outcome<T, E>) -> Outcome<T, E> {
        let mut loan: Loan = match self.pool.get() {
            Ok(loan) => loan,
            Err(error) => return Outcome::Done(Err(DbError::Unavailable(error.to_string()).into())),
        };
        let outcome = work(&mut loan);
        if matches!(outcome, Outcome::Lost(_)) {
            self.losses.note();
        }
        outcome
    }

    fn with_writing_session<T, E: From<DbError>>(
        &self,
        work: impl FnOnce(&mut Session) -> Outcome<T, E>,
    ) -> Outcome<T, E> {
        let Some(writer) = &self.writer else {
            return self.with_session(work);
        };
        let Some(mut slot) = writer.session.try_lock_for(self.acquire_timeout) else {
            let waited = self.acquire_timeout;
            return Outcome::Done(Err(DbError::Busy(format!("others were writing for {waited:?}")).into()));
        };
        let mut session = match slot.take().map_or_else(|| Session::connect(&self.url, Role::Write), Ok) {
            Ok(session) => session,
            Err(error) => return Outcome::Done(Err(error.into())),
        };
        let outcome = work(&mut session);
        if !session.is_broken() {
            *slot = Some(session);
        }
        outcome
    }
}

/// Runs blocking work on another thread, within the span of whoever asked.
async fn hop<T, E, F>(work: F) -> Result<T, E>
where
    F: FnOnce() -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    let span = tracing::Span::current();
    match tokio::task::spawn_blocking(move || span.in_scope(work)).await {
        Ok(result) => result,
        Err(error) if error.is_panic() => Err(DbError::Panicked(unit_of_work::message(&*error.into_panic())).into()),
        Err(_) => Err(DbError::Unavailable("the process is stopping".to_owned()).into()),
    }
}
