//! One connection type over both backends, and how a session is set up.

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, Connection as _, SimpleConnection, TransactionManager};
use diesel::result::QueryResult;
use diesel::{RunQueryDsl, SqliteConnection, sql_query};

use crate::error::{DbError, Trouble};
use crate::mysql::MysqlConnection;
use crate::url::{Backend, DatabaseUrl, Target};

pub use multi::{AnyConnection, MultiBackend, MultiField, MultiRawValue, MultiRow};

/// The connection that queries run on.
pub type Connection = AnyConnection;

/// How long SQLite waits for another process that is writing.
const SQLITE_BUSY_TIMEOUT: Duration = Duration::from_secs(5);

mod multi {
    #![allow(missing_docs, reason = "most of this module is written by a derive macro")]

    use super::{MysqlConnection, SqliteConnection};

    /// A connection to either backend. Queries that both understand run on it as they are; [`each!`](crate::each) takes
    /// the variants apart for those that do not.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        Sqlite(SqliteConnection),
        Mysql(MysqlConnection),
    }
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything, on MySQL; on SQLite the one connection that writes.
    Write,
    /// Only reading: an SQLite connection that refuses to write.
    Read,
}

impl AnyConnection {
    /// Connects and sets the session up. Blocks: not for a thread that runs asynchronous tasks.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with what the server or the file system said, without the password.
    pub fn connect(url: &DatabaseUrl) -> Result<Self, DbError> {
        Self::connect_as(url, Role::Write)
    }

    pub(crate) fn connect_as(url: &DatabaseUrl, role: Role) -> Result<Self, DbError> {
        let connected = match &url.0 {
            Target::Sqlite(path) => open_sqlite(path, role).map(Self::Sqlite),
            Target::Mysql(target) => MysqlConnection::connect(target).and_then(|mut connection| {
                set_up_mysql(&mut connection)?;
                Ok(Self::Mysql(connection))
            }),
        };
        connected.map_err(|error| DbError::Unavailable(format!("{url}: {}", url.redact(&error.into_reason()))))
    }

    /// Ends the session in an orderly way. Blocks like [`connect`](Self::connect).
    pub fn close(self) {
        if let Self::Mysql(connection) = self {
            connection.quit();
        }
    }

    /// Which backend this is.
    pub const fn backend(&self) -> Backend {
        match self {
            Self::Sqlite(_) => Backend::Sqlite,
            Self::Mysql(_) => Backend::Mysql,
        }
    }

    /// Runs a part of a transaction that is undone alone when it returns an error. The savepoint of `db.write`; within
    /// `db.read` a transaction that only reads.
    ///
    /// # Errors
    /// What the closure returns, and failures of the savepoint itself.
    pub fn savepoint<T, E: From<DbError>>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E> {
        type Transactions = <AnyConnection as diesel::Connection>::TransactionManager;
        Transactions::begin_transaction(self).map_err(DbError::from)?;
        match work(self) {
            Ok(value) => {
                Transactions::commit_transaction(self).map_err(DbError::from)?;
                Ok(value)
            }
            Err(error) => {
                if let Err(failure) = Transactions::rollback_transaction(self) {
                    // The savepoint of a transaction that the database has undone is gone, and that is known. After any
                    // other failure nothing of this transaction may be committed.
                    tracing::debug!(%failure, "a savepoint could not be rolled back");
                    if !self.is_in_trouble() {
                        Transactions::transaction_manager_status_mut(self).set_in_error();
                    }
                }
                Err(error)
            }
        }
    }

    /// Begins a transaction that will write: on SQLite with the lock taken at once, because a transaction that reads
    /// first and then wants to write is refused when another has written in between.
    pub(crate) fn begin_write(&mut self) -> QueryResult<()> {
        match self {
            Self::Sqlite(connection) => AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN IMMEDIATE"),
            Self::Mysql(connection) => crate::mysql::Transactions::begin_transaction(connection),
        }
    }

    pub(crate) fn commit(&mut self) -> QueryResult<()> {
        <Self as diesel::Connection>::TransactionManager::commit_transaction(self)
    }

    pub(crate) fn roll_back(&mut self) -> QueryResult<()> {
        <Self as diesel::Connection>::TransactionManager::rollback_transaction(self)
    }

    fn is_in_trouble(&self) -> bool {
        matches!(self, Self::Mysql(connection) if connection.is_in_trouble())
    }

    /// The last failure worth another attempt since it was last asked for.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        match self {
            // A write transaction has the lock from its beginning: nothing can go wrong later.
            Self::Sqlite(_) => None,
            Self::Mysql(connection) => connection.take_trouble(),
        }
    }
}

fn open_sqlite(path: &std::path::Path, role: Role) -> Result<SqliteConnection, DbError> {
    let unavailable = |error: &dyn std::fmt::Display| DbError::Unavailable(error.to_string());
    if role == Role::Write {
        create_privately(path).map_err(|error| unavailable(&error))?;
    }
    let text = path.to_str().ok_or_else(|| unavailable(&"the path is not UTF-8"))?;
    // A relative name must not be taken for a URI.
    let name = if path.is_absolute() { text.to_owned() } else { format!("./{text}") };
    let mut connection = SqliteConnection::establish(&name).map_err(|error| unavailable(&error))?;
    connection.batch_execute(&format!("PRAGMA busy_timeout = {}", SQLITE_BUSY_TIMEOUT.as_millis()))?;
    if role == Role::Write {
        use_write_ahead_log(&mut connection)?;
    }
    // With the write-ahead log, NORMAL keeps the file whole through a power cut (the last commits may be missing), and
    // FULL costs a sync of the disk for each transaction.
    for pragma in [
        "PRAGMA synchronous = NORMAL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA trusted_schema = OFF",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA journal_size_limit = 67108864",
    ] {
        connection.batch_execute(pragma)?;
    }
    if role == Role::Read {
        connection.batch_execute("PRAGMA query_only = ON")?;
    }
    Ok(connection)
}

/// Makes the file, and the folder it is in, before SQLite does: readable by this user only. SQLite gives the same
/// rights to the files that it puts beside it.
fn create_privately(path: &std::path::Path) -> std::io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(|_| ())
}

/// Several starters may do this to a new file at once, and then the busy timeout does not always apply.
fn use_write_ahead_log(connection: &mut SqliteConnection) -> Result<(), DbError> {
    #[derive(diesel::QueryableByName)]
    struct Mode {
        #[diesel(sql_type = diesel::sql_types::Text)]
        journal_mode: String,
    }
    const PAUSE: Duration = Duration::from_millis(10);
    let mut waited = Duration::ZERO;
    loop {
        match sql_query("PRAGMA journal_mode = WAL").get_result::<Mode>(connection) {
            Ok(mode) if mode.journal_mode == "wal" => return Ok(()),
            Ok(mode) => {
                let reason = format!("the file system does not allow a write-ahead log (mode {})", mode.journal_mode);
                return Err(DbError::Unavailable(reason));
            }
            Err(error) if Trouble::of(&error).is_some() && waited < SQLITE_BUSY_TIMEOUT => {
                std::thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn set_up_mysql(connection: &mut MysqlConnection) -> QueryResult<()> {
    // READ COMMITTED takes no gap locks, so fewer deadlocks. Strict mode refuses what does not fit instead of cutting
    // it. The wait for a row is bounded, because a request is.
    connection.batch_execute(
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,\
         ONLY_FULL_GROUP_BY,NO_ENGINE_SUBSTITUTION', SESSION innodb_lock_wait_timeout = 5",
    )
}
