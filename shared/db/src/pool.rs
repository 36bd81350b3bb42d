//! The pool of connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::InstrumentationEvent;
use diesel::r2d2::{self, CustomizeConnection, HandleError, ManageConnection, Pool, PooledConnection, R2D2Connection};
use parking_lot::Mutex;

use crate::connection::{Connection, Role};
use crate::error::DbError;
use crate::url::{Backend, DatabaseUrl};

/// A connection that was used this recently is taken for alive, without asking the server.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// How many statements a connection keeps prepared before another takes its place. The cache of diesel forgets none, and
/// conditions that are made of what tenants have said come in any number of forms.
const MOST_STATEMENTS: usize = 1_000;

/// A connection with what the pool remembers about it.
pub(crate) struct Session {
    pub(crate) connection: Connection,
    last_used: Instant,
    discard: bool,
    prepared: Arc<AtomicUsize>,
}

impl Session {
    pub(crate) fn connect(url: &DatabaseUrl, role: Role) -> Result<Self, DbError> {
        let mut connection = Connection::connect_as(url, role)?;
        let prepared = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&prepared);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self { connection, last_used: Instant::now(), discard: false, prepared })
    }

    /// Keeps more than another connection would for the same work.
    fn is_worn(&self) -> bool {
        self.prepared.load(Ordering::Relaxed) > MOST_STATEMENTS
    }

    /// Not to be used again.
    pub(crate) fn discard(&mut self) {
        self.discard = true;
    }

    pub(crate) fn is_broken(&mut self) -> bool {
        self.discard || R2D2Connection::is_broken(&mut self.connection)
    }
}

/// When a connection was last found dead: those last used before then are suspect, however recently that was.
pub(crate) struct Losses {
    since: Instant,
    /// Nanoseconds after `since`.
    last: AtomicU64,
}

impl Losses {
    pub(crate) fn none() -> Arc<Self> {
        Arc::new(Self { since: Instant::now(), last: AtomicU64::new(0) })
    }

    pub(crate) fn note(&self) {
        self.last.store(self.moment(Instant::now()), Ordering::Relaxed);
    }

    fn after(&self, last_used: Instant) -> bool {
        self.last.load(Ordering::Relaxed) > self.moment(last_used)
    }

    fn moment(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.since).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Why a connection could not be made or used.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        Self(error.into_reason())
    }
}

/// Makes and checks connections, by the scheme of the address.
pub(crate) struct Manager {
    url: DatabaseUrl,
    role: Role,
    losses: Arc<Losses>,
    /// Made beforehand, for the pool to begin with.
    first: Mutex<Option<Session>>,
}

impl Manager {
    /// `first` is a connection that the pool begins with instead of making one.
    pub(crate) fn new(url: &DatabaseUrl, role: Role, losses: &Arc<Losses>, first: Option<Session>) -> Self {
        Self { url: url.clone(), role, losses: Arc::clone(losses), first: Mutex::new(first) }
    }

    pub(crate) fn into_pool(self, max_connections: u32, acquire_timeout: Duration) -> Result<Sessions, DbError> {
        let remote = self.url.backend() == Backend::Mysql;
        Pool::builder()
            .max_size(max_connections)
            // Connections are made when they are needed.
            .min_idle(Some(0))
            .connection_timeout(acquire_timeout)
            .test_on_check_out(remote)
            // Servers, proxies and firewalls end connections that are old or idle; a file does not.
            .max_lifetime(remote.then_some(Duration::from_secs(30 * 60)))
            .idle_timeout(Some(Duration::from_secs(10 * 60)))
            .error_handler(Box::new(LogFailure))
            .connection_customizer(Box::new(SayGoodbye))
            .build(self)
            .map_err(|error| DbError::Unavailable(error.to_string()))
    }
}

impl ManageConnection for Manager {
    type Connection = Session;
    type Error = Failure;

    fn connect(&self) -> Result<Session, Failure> {
        if let Some(first) = self.first.lock().take() {
            return Ok(first);
        }
        Ok(Session::connect(&self.url, self.role)?)
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), Failure> {
        if session.last_used.elapsed() >= TRUSTED_FOR || self.losses.after(session.last_used) {
            R2D2Connection::ping(&mut session.connection).map_err(|error| {
                self.losses.note();
                Failure(error.to_string())
            })?;
        }
        Ok(())
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.last_used = Instant::now();
        session.is_broken() || session.is_worn()
    }
}

/// The pool itself.
pub(crate) type Sessions = Pool<Manager>;
/// A connection on loan.
pub(crate) type Loan = PooledConnection<Manager>;

#[derive(Debug)]
struct SayGoodbye;

impl CustomizeConnection<Session, Failure> for SayGoodbye {
    fn on_release(&self, session: Session) {
        session.connection.close();
    }
}

#[derive(Debug)]
struct LogFailure;

impl HandleError<Failure> for LogFailure {
    fn handle_error(&self, error: Failure) {
        tracing::warn!(%error, "a database connection failed");
    }
}

/// How many connections there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open connections. On SQLite those that read; one more writes.
    pub connections: u32,
    /// Open connections that nobody is using.
    pub idle: u32,
    /// As many as there may be.
    pub max: u32,
}

impl PoolState {
    pub(crate) fn of(pool: &Sessions) -> Self {
        let r2d2::State { connections, idle_connections, .. } = pool.state();
        Self { connections, idle: idle_connections, max: pool.max_size() }
    }
}
