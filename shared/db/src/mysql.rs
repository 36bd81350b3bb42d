//! A diesel connection over the MySQL client that is written in Rust, so that no C library is needed.
//!
//! diesel-async speaks the protocol; this makes a blocking connection of it. Every connection has a small runtime of
//! its own, so the thread that asks also waits for the answer itself, with no other thread in between.

use std::time::Duration;

use diesel::QueryResult;
use diesel::connection::{
    CacheSize, Connection, Instrumentation, LoadConnection, SimpleConnection, TransactionManager,
    TransactionManagerStatus,
};
use diesel::internal::derives::multiconnection::{ConnectionSealed, MultiConnectionHelper};
use diesel::migration::{CREATE_MIGRATIONS_TABLE, MigrationConnection};
use diesel::mysql::Mysql;
use diesel::query_builder::{Query, QueryFragment, QueryId};
use diesel::r2d2::R2D2Connection;
use diesel_async::{
    AnsiTransactionManager, AsyncConnection, AsyncConnectionCore, AsyncMysqlConnection, SimpleAsyncConnection,
    TransactionManager as AsyncTransactionManager,
};
use futures_util::TryStreamExt;
use mysql_async::{OptsBuilder, Pool, PoolConstraints, PoolOpts, SslOpts};
use secrecy::ExposeSecret;
use tokio::runtime::Runtime;

use crate::error::{DbError, Trouble};
use crate::url::{MysqlTarget, Tls};

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// When an idle TCP connection is probed: a server that vanished without a word is noticed.
const KEEP_ALIVE_MILLIS: u32 = 30_000;
/// How long closing a connection may take before it is simply dropped.
const QUIT_TIMEOUT: Duration = Duration::from_millis(200);

/// A blocking connection to a server that speaks the MySQL protocol.
///
/// Not to be used on a thread that runs asynchronous tasks.
pub struct MysqlConnection {
    // Dropped in this order: the socket must be gone before the runtime it is registered with.
    inner: AsyncMysqlConnection,
    /// Holds this one connection, because only a pool of the client's ends a session in an orderly way.
    home: Pool,
    runtime: OwnRuntime,
    trouble: Option<Trouble>,
}

impl MysqlConnection {
    /// Connects; the session is left as the server makes it.
    pub(crate) fn connect(target: &MysqlTarget) -> Result<Self, DbError> {
        let unavailable = |reason: String| DbError::Unavailable(reason);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map(|runtime| OwnRuntime(Some(runtime)))
            .map_err(|error| unavailable(error.to_string()))?;
        let home = Pool::new(options(target));
        let inner = runtime.block_on(async {
            let connect = async {
                let connection = home.get_conn().await.map_err(|error| unavailable(error.to_string()))?;
                AsyncMysqlConnection::try_from(connection).await.map_err(|error| unavailable(error.to_string()))
            };
            tokio::time::timeout(CONNECT_TIMEOUT, connect)
                .await
                .unwrap_or_else(|_| Err(unavailable(format!("no answer within {CONNECT_TIMEOUT:?}"))))
        })?;
        Ok(Self { inner, home, runtime, trouble: None })
    }

    /// Ends the session in the server's eyes too, which otherwise logs an aborted connection.
    pub(crate) fn quit(self) {
        let Self { inner, home, runtime, .. } = self;
        runtime.block_on(async move {
            drop(inner);
            // A server that does not listen any more needs no goodbye.
            if tokio::time::timeout(QUIT_TIMEOUT, home.disconnect()).await.is_err() {
                tracing::debug!("the database server did not take the end of a session in time");
            }
        });
    }

    /// The last failure that is worth another attempt, whatever the unit of work made of it. Forgotten by the asking.
    pub(crate) fn take_trouble(&mut self) -> Option<Trouble> {
        self.trouble.take()
    }

    pub(crate) const fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    fn noticed<T>(&mut self, result: QueryResult<T>) -> QueryResult<T> {
        notice(&mut self.trouble, &result);
        result
    }
}

fn notice<T>(trouble: &mut Option<Trouble>, result: &QueryResult<T>) {
    // The first of its kind counts, except that nothing outranks a lost connection: what follows a deadlock (such as a
    // savepoint that is gone) is a consequence.
    if let Err(error) = result
        && let Some(now) = Trouble::of(error)
        && (trouble.is_none() || now == Trouble::Lost || *trouble == Some(Trouble::LockTimeout))
    {
        *trouble = Some(now);
    }
}

fn options(target: &MysqlTarget) -> OptsBuilder {
    let tls = match &target.tls {
        Tls::Off => None,
        Tls::PublicAuthorities => Some(SslOpts::default()),
        Tls::Authority(file) => {
            Some(SslOpts::default().with_disable_built_in_roots(true).with_root_certs(vec![file.clone().into()]))
        }
    };
    let one_connection = PoolConstraints::new(0, 1).map(|one| PoolOpts::new().with_constraints(one));
    OptsBuilder::default()
        .pool_opts(one_connection.map(|options| options.with_reset_connection(false)))
        .ip_or_hostname(target.host.as_str())
        .tcp_port(target.port)
        .user(Some(target.user.as_str()))
        .pass(Some(target.password.expose_secret()))
        .db_name(Some(target.database.as_str()))
        .socket(target.socket.as_deref())
        .ssl_opts(tls)
        .tcp_keepalive(Some(KEEP_ALIVE_MILLIS))
        // Go where the address says, not to a socket that the server mentions.
        .prefer_socket(false)
        // diesel has its own statement cache.
        .stmt_cache_size(0)
        // An update that changes nothing counts its rows, as it does on SQLite.
        .client_found_rows(true)
}

/// A runtime that may be dropped anywhere: a plain one panics when that happens within an asynchronous task.
struct OwnRuntime(Option<Runtime>);

impl OwnRuntime {
    fn block_on<F: Future>(&self, future: F) -> F::Output {
        match &self.0 {
            Some(runtime) => runtime.block_on(future),
            None => unreachable!("the runtime is taken out only when it is dropped"),
        }
    }
}

impl Drop for OwnRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl SimpleConnection for MysqlConnection {
    fn batch_execute(&mut self, query: &str) -> QueryResult<()> {
        let result = self.runtime.block_on(self.inner.batch_execute(query));
        self.noticed(result)
    }
}

impl ConnectionSealed for MysqlConnection {}

impl Connection for MysqlConnection {
    type Backend = Mysql;
    type TransactionManager = Transactions;

    fn establish(database_url: &str) -> diesel::ConnectionResult<Self> {
        use diesel::ConnectionError::{BadConnection, InvalidConnectionUrl};
        let url = database_url.parse::<crate::DatabaseUrl>().map_err(|e| InvalidConnectionUrl(e.to_string()))?;
        match &url.0 {
            crate::url::Target::Mysql(target) => Self::connect(target).map_err(|e| BadConnection(e.to_string())),
            crate::url::Target::Sqlite(_) => Err(InvalidConnectionUrl("not a mysql:// URL".to_owned())),
        }
    }

    fn execute_returning_count<T>(&mut self, source: &T) -> QueryResult<usize>
    where
        T: QueryFragment<Mysql> + QueryId,
    {
        let result = self.runtime.block_on(self.inner.execute_returning_count(source));
        self.noticed(result)
    }

    fn transaction_state(&mut self) -> &mut AnsiTransactionManager {
        self.inner.transaction_state()
    }

    fn instrumentation(&mut self) -> &mut dyn Instrumentation {
        self.inner.instrumentation()
    }

    fn set_instrumentation(&mut self, instrumentation: impl Instrumentation) {
        self.inner.set_instrumentation(instrumentation);
    }

    fn set_prepared_statement_cache_size(&mut self, size: CacheSize) {
        self.inner.set_prepared_statement_cache_size(size);
    }
}

type Row<'conn, 'query> = <AsyncMysqlConnection as AsyncConnectionCore>::Row<'conn, 'query>;

/// The rows of one answer, all of them received: the runtime is entered once for an answer instead of once for a row,
/// and nothing is left on the wire when the reader stops early.
pub struct Rows<'conn, 'query>(std::vec::IntoIter<Row<'conn, 'query>>);

impl<'conn, 'query> Iterator for Rows<'conn, 'query> {
    type Item = QueryResult<Row<'conn, 'query>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(Ok)
    }
}

impl LoadConnection for MysqlConnection {
    type Cursor<'conn, 'query> = Rows<'conn, 'query>;
    type Row<'conn, 'query> = Row<'conn, 'query>;

    fn load<'conn, 'query, T>(&'conn mut self, source: T) -> QueryResult<Self::Cursor<'conn, 'query>>
    where
        T: Query + QueryFragment<Mysql> + QueryId + 'query,
    {
        let Self { inner, runtime, trouble, .. } = self;
        let result = runtime.block_on(async { inner.load(source).await?.try_collect::<Vec<_>>().await });
        notice(trouble, &result);
        Ok(Rows(result?.into_iter()))
    }
}

/// Transactions of a [`MysqlConnection`]; nested ones are savepoints.
pub struct Transactions;

type Inner = <AsyncMysqlConnection as AsyncConnection>::TransactionManager;

impl TransactionManager<MysqlConnection> for Transactions {
    type TransactionStateData = AnsiTransactionManager;

    fn begin_transaction(connection: &mut MysqlConnection) -> QueryResult<()> {
        let result = connection.runtime.block_on(Inner::begin_transaction(&mut connection.inner));
        connection.noticed(result)
    }

    fn rollback_transaction(connection: &mut MysqlConnection) -> QueryResult<()> {
        let result = connection.runtime.block_on(Inner::rollback_transaction(&mut connection.inner));
        connection.noticed(result)
    }

    fn commit_transaction(connection: &mut MysqlConnection) -> QueryResult<()> {
        let result = connection.runtime.block_on(Inner::commit_transaction(&mut connection.inner));
        connection.noticed(result)
    }

    fn transaction_manager_status_mut(connection: &mut MysqlConnection) -> &mut TransactionManagerStatus {
        Inner::transaction_manager_status_mut(&mut connection.inner)
    }

    fn is_broken_transaction_manager(connection: &mut MysqlConnection) -> bool {
        Inner::is_broken_transaction_manager(&mut connection.inner)
    }
}

impl MultiConnectionHelper for MysqlConnection {
    fn to_any<'a>(lookup: &mut ()) -> &mut (dyn std::any::Any + 'a) {
        lookup
    }

    fn from_any(lookup: &mut dyn std::any::Any) -> Option<&mut ()> {
        lookup.downcast_mut()
    }
}

impl MigrationConnection for MysqlConnection {
    fn setup(&mut self) -> QueryResult<usize> {
        self.batch_execute(CREATE_MIGRATIONS_TABLE).map(|()| 0)
    }
}

impl R2D2Connection for MysqlConnection {
    fn ping(&mut self) -> QueryResult<()> {
        // One round trip, where a prepared statement may need two.
        self.batch_execute("DO 1")
    }

    fn is_broken(&mut self) -> bool {
        Transactions::is_broken_transaction_manager(self)
    }
}
