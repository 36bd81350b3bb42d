//! A database of its own for each test.

#![allow(clippy::expect_used, reason = "a test without its database can only stop")]

use diesel::connection::SimpleConnection;
use tempfile::TempDir;
use tenantry_db::{Connection, DatabaseUrl, Db, DbError, PoolOptions};
use tenantry_types::{SystemClock, SystemRandom, TenantId};

/// Names the server to make databases on, as in `mysql://root@127.0.0.1:3307`. Without it tests run on SQLite.
pub const TEST_DATABASE_URL: &str = "TEST_DATABASE_URL";

/// An empty database that exists as long as this value.
#[derive(Debug)]
pub struct TestDatabase {
    url: DatabaseUrl,
    kept: Kept,
}

#[derive(Debug)]
enum Kept {
    /// Deleted with everything in it.
    Folder { _folder: TempDir },
    /// The server, and the name of the database to drop there.
    Server { server: DatabaseUrl, name: String },
}

impl TestDatabase {
    /// An SQLite file, or a database on the server that `TEST_DATABASE_URL` names.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn create() -> Self {
        match Self::on_server().await {
            Some(database) => database,
            None => Self::sqlite(),
        }
    }

    /// One for each backend there is: an SQLite file and, when `TEST_DATABASE_URL` is set, a database on that server.
    ///
    /// # Panics
    /// When one cannot be made.
    pub async fn on_each_backend() -> Vec<Self> {
        std::iter::once(Self::sqlite()).chain(Self::on_server().await).collect()
    }

    /// An SQLite file that is made when it is opened.
    ///
    /// # Panics
    /// When there is nowhere to put it.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = DatabaseUrl::sqlite(&folder.path().join("test.db")).expect("a path that is a URL");
        Self { url, kept: Kept::Folder { _folder: folder } }
    }

    /// A database on the server that `TEST_DATABASE_URL` names, when it is set.
    ///
    /// # Panics
    /// When it cannot be made.
    pub async fn on_server() -> Option<Self> {
        let server = std::env::var(TEST_DATABASE_URL).ok().filter(|url| !url.is_empty())?;
        // Every account may use this database, and a URL has to name one.
        let server: DatabaseUrl = format!("{}/information_schema", server.trim_end_matches('/'))
            .parse()
            .expect("TEST_DATABASE_URL is mysql://user:password@host:port, without a database");
        let name = format!("test_{}", TenantId::new(&SystemClock, &SystemRandom)).replace('-', "");
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
        let on = server.clone();
        tokio::task::spawn_blocking(move || run(&on, &create))
            .await
            .expect("nothing in it panics")
            .expect("a new database on the server of TEST_DATABASE_URL");
        Some(Self { url: server.with_database(&name), kept: Kept::Server { server, name } })
    }

    /// Where it is.
    pub fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// Opens it with the default options.
    ///
    /// # Panics
    /// When it cannot be opened.
    pub async fn open(&self) -> Db {
        Db::open(&self.url, PoolOptions::default()).await.expect("a test database that opens")
    }
}

fn run(server: &DatabaseUrl, statement: &str) -> Result<(), DbError> {
    let mut connection = Connection::connect(server)?;
    connection.batch_execute(statement)?;
    connection.close();
    Ok(())
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Kept::Server { server, name } = &self.kept {
            let (server, statement) = (server.clone(), format!("DROP DATABASE IF EXISTS {name}"));
            // Not on this thread, which may run asynchronous tasks. A server that is gone took the database with it.
            let dropped = std::thread::spawn(move || run(&server, &statement)).join();
            drop(dropped);
        }
    }
}
