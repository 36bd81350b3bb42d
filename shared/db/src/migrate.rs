//! Migrations: which are missing, applying them, and undoing them.

use std::collections::HashSet;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::dsl::sql;
use diesel::migration::{Migration, MigrationSource};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{QueryResult, RunQueryDsl, SqliteConnection, select, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::connection::Connection;
use crate::db::Db;
use crate::error::DbError;
use crate::mysql::MysqlConnection;

/// The same migrations for both backends, embedded with `diesel_migrations::embed_migrations!`.
///
/// Each step has the same name in both folders. On MySQL a step holds one statement that changes the schema, because
/// such a statement cannot be rolled back: a step that fails half-way would have to be mended by hand.
pub struct Migrations {
    /// From `migrations/<service>/sqlite`.
    pub sqlite: EmbeddedMigrations,
    /// From `migrations/<service>/mysql`.
    pub mysql: EmbeddedMigrations,
}

/// How long a starter waits for another that is migrating, in seconds.
const MYSQL_LOCK_SECONDS: u32 = 120;
/// A lock of the server is known by its name alone, so the name holds the database's; at most 64 characters.
const MYSQL_LOCK_NAME: &str = "CONCAT('tenantry.migrate.', LEFT(SHA1(DATABASE()), 32))";

impl Db {
    /// Applies the migrations that are missing and returns their names. Processes that start at the same time wait for
    /// each other, and each step is applied once.
    ///
    /// # Errors
    /// [`DbError::Migration`] when a step fails. On SQLite nothing is applied then; on MySQL the steps before it are.
    pub async fn migrate(&self, migrations: &'static Migrations) -> Result<Vec<String>, DbError> {
        self.with_writing_connection(|connection| match connection {
            Connection::Sqlite(c) => in_one_transaction(c, |c| apply(c, &migrations.sqlite)),
            Connection::Mysql(c) => under_a_lock(c, |c| apply(c, &migrations.mysql)),
        })
        .await
    }

    /// Undoes all migrations, the last first, and returns their names. Everything that is stored is lost.
    ///
    /// # Errors
    /// [`DbError::Migration`] when a step fails, cannot be undone, or is not among these.
    pub async fn revert_migrations(&self, migrations: &'static Migrations) -> Result<Vec<String>, DbError> {
        self.with_writing_connection(|connection| match connection {
            Connection::Sqlite(c) => in_one_transaction(c, |c| revert(c, &migrations.sqlite)),
            Connection::Mysql(c) => under_a_lock(c, |c| revert(c, &migrations.mysql)),
        })
        .await
    }

    /// The names of the migrations that are not applied, in order. Changes nothing: fit for a readiness check.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn pending_migrations(&self, migrations: &'static Migrations) -> Result<Vec<String>, DbError> {
        self.read(|connection| {
            let applied = applied_versions(connection)?;
            match connection {
                Connection::Sqlite(_) => names_except::<diesel::sqlite::Sqlite>(&migrations.sqlite, &applied),
                Connection::Mysql(_) => names_except::<diesel::mysql::Mysql>(&migrations.mysql, &applied),
            }
        })
        .await
    }
}

impl Migrations {
    /// The names of all steps, in order, for SQLite and for MySQL: a test holds them against each other.
    ///
    /// # Errors
    /// When the embedded migrations cannot be listed.
    pub fn names(&self) -> Result<(Vec<String>, Vec<String>), DbError> {
        let none = HashSet::new();
        Ok((
            names_except::<diesel::sqlite::Sqlite>(&self.sqlite, &none)?,
            names_except::<diesel::mysql::Mysql>(&self.mysql, &none)?,
        ))
    }
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = Text)]
    version: String,
}

fn applied_versions(connection: &mut Connection) -> QueryResult<HashSet<String>> {
    let table = match connection {
        Connection::Sqlite(_) => "(SELECT COUNT(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations')",
        Connection::Mysql(_) => {
            "(SELECT COUNT(*) FROM information_schema.tables \
              WHERE table_schema = DATABASE() AND table_name = '__diesel_schema_migrations')"
        }
    };
    if select(sql::<BigInt>(table)).get_result::<i64>(connection)? == 0 {
        return Ok(HashSet::new());
    }
    let rows = sql_query("SELECT version FROM __diesel_schema_migrations").load::<Version>(connection)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

fn names_except<DB: diesel::backend::Backend>(
    source: &EmbeddedMigrations,
    applied: &HashSet<String>,
) -> Result<Vec<String>, DbError> {
    let migrations: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed)?;
    let mut names: Vec<String> = migrations
        .iter()
        .filter(|migration| !applied.contains(&migration.name().version().to_string()))
        .map(|migration| migration.name().to_string())
        .collect();
    names.sort_unstable();
    Ok(names)
}

fn failed(error: impl std::fmt::Display) -> DbError {
    DbError::Migration(error.to_string())
}

fn apply<C, DB>(connection: &mut C, source: &EmbeddedMigrations) -> Result<Vec<String>, DbError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    let mut names = Vec::new();
    for migration in connection.pending_migrations(BorrowedSource(source)).map_err(failed)? {
        let name = migration.name().to_string();
        connection.run_migration(&*migration).map_err(|error| failed(format!("{name}: {error}")))?;
        tracing::info!(migration = %name, "migration applied");
        names.push(name);
    }
    Ok(names)
}

fn revert<C, DB>(connection: &mut C, source: &EmbeddedMigrations) -> Result<Vec<String>, DbError>
where
    C: MigrationHarness<DB>,
    DB: diesel::backend::Backend,
{
    let migrations: Vec<Box<dyn Migration<DB>>> = source.migrations().map_err(failed)?;
    let mut names = Vec::new();
    for version in connection.applied_migrations().map_err(failed)? {
        let migration = migrations
            .iter()
            .find(|migration| migration.name().version() == version)
            .ok_or_else(|| failed(format!("{version} is applied but not among the migrations of this program")))?;
        let name = migration.name().to_string();
        connection.revert_migration(&**migration).map_err(|error| failed(format!("{name}: {error}")))?;
        names.push(name);
    }
    Ok(names)
}

/// [`EmbeddedMigrations`] can be listed any number of times, but diesel asks for it by value.
struct BorrowedSource<'a>(&'a EmbeddedMigrations);

impl<DB: diesel::backend::Backend> MigrationSource<DB> for BorrowedSource<'_> {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
        self.0.migrations()
    }
}

/// Everything or nothing, with other processes kept out.
///
/// Foreign keys are not enforced meanwhile, as SQLite advises: rebuilding a table means dropping it, which would
/// delete the rows that refer to it. They are all checked before the commit.
fn in_one_transaction<T>(
    connection: &mut SqliteConnection,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, DbError>,
) -> Result<T, DbError> {
    connection.batch_execute("PRAGMA foreign_keys = OFF")?;
    let result = AnsiTransactionManager::begin_transaction_sql(connection, "BEGIN EXCLUSIVE")
        .map_err(DbError::from)
        .and_then(|()| {
            let result = work(connection).and_then(|value| check_foreign_keys(connection).map(|()| value));
            match result {
                Ok(value) => Ok(AnsiTransactionManager::commit_transaction(connection).map(|()| value)?),
                Err(error) => {
                    AnsiTransactionManager::rollback_transaction(connection)?;
                    Err(error)
                }
            }
        });
    connection.batch_execute("PRAGMA foreign_keys = ON")?;
    result
}

fn check_foreign_keys(connection: &mut SqliteConnection) -> Result<(), DbError> {
    #[derive(diesel::QueryableByName)]
    struct Violation {
        #[diesel(sql_type = Text)]
        table_name: String,
        #[diesel(sql_type = Text)]
        parent: String,
    }
    let violation = sql_query("SELECT \"table\" AS table_name, parent FROM pragma_foreign_key_check LIMIT 1")
        .load::<Violation>(connection)?
        .pop();
    match violation {
        None => Ok(()),
        Some(Violation { table_name, parent }) => {
            Err(failed(format!("rows of {table_name} refer to rows of {parent} that do not exist")))
        }
    }
}

/// One process at a time, by a lock that the server gives up when the connection ends.
fn under_a_lock<T>(
    connection: &mut MysqlConnection,
    work: impl FnOnce(&mut MysqlConnection) -> Result<T, DbError>,
) -> Result<T, DbError> {
    let ask = format!("CAST(GET_LOCK({MYSQL_LOCK_NAME}, {MYSQL_LOCK_SECONDS}) AS SIGNED)");
    if select(sql::<Nullable<BigInt>>(&ask)).get_result::<Option<i64>>(connection)? != Some(1) {
        return Err(DbError::Busy(format!("another process was migrating for {MYSQL_LOCK_SECONDS} s")));
    }
    let result = work(connection);
    connection.batch_execute(&format!("DO RELEASE_LOCK({MYSQL_LOCK_NAME})"))?;
    result
}
