//! The database layer on real databases: every body runs on SQLite and, when `TEST_DATABASE_URL` names a server, on
//! that too.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod migrations;
mod pool;
mod queries;
mod recovery;
mod stored_types;
mod support;
mod transactions;
