//! One database layer over SQLite and MySQL, the backend chosen by the URL at run time.
//!
//! - [`Db`] runs units of work: `db.read(|c| …)` and `db.write(|c| …)`, the latter a transaction that is tried again
//!   when the database undid it. Each is one hop to a thread that may block, however many queries it makes.
//! - Queries are plain diesel on a [`Connection`]. The little that the backends say differently is in [`query`]
//!   ([`UpsertDsl`], [`LockRowsDsl`], [`each!`], [`rows_after!`], …); feature code does not branch on the backend.
//! - [`DbError`] says what a failure means to the caller.
//! - [`TenantScope`] goes into every function on a table of tenants' rows.
//! - [`Migrations`] is a pair of embedded folders, applied exactly once however many processes start;
//!   [`SchemaReport`] describes the result, so that a test can hold the two folders against each other.

mod connection;
mod db;
mod error;
mod migrate;
mod mysql;
mod pool;
pub mod query;
mod schema_report;
mod scope;
mod unit_of_work;
mod url;

pub use connection::{AnyConnection, Connection, MultiBackend, MultiField, MultiRawValue, MultiRow};
pub use db::{Db, PoolOptions};
pub use diesel_migrations::EmbeddedMigrations;
pub use error::DbError;
pub use migrate::Migrations;
pub use mysql::{MysqlConnection, Rows as MysqlRows, Transactions as MysqlTransactions};
pub use pool::PoolState;
pub use query::{LockRowsDsl, UpsertDsl, excluded, sum_of};
pub use schema_report::{Column, ColumnKind, ForeignKey, SchemaReport, Table};
pub use scope::TenantScope;
pub use url::{Backend, DatabaseUrl, DatabaseUrlError};
