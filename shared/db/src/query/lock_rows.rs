//! Rows locked by reading them.

use diesel::QueryResult;
use diesel::query_builder::{AsQuery, AstPass, Query, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;

use crate::connection::MultiBackend;

/// A query that locks the rows it finds until the end of the transaction.
///
/// On SQLite it is the query as it stands: a write transaction has the whole database to itself.
#[derive(Debug, Clone, Copy)]
#[must_use = "a query does nothing until it is run"]
pub struct LockRows<Q, const SKIPPING: bool> {
    query: Q,
}

/// Adds [`lock_rows`](Self::lock_rows) to queries. It comes last, after `limit`.
pub trait LockRowsDsl: AsQuery + Sized {
    /// Locks the rows that are found, waiting for those that others hold. For `db.write` only.
    fn lock_rows(self) -> LockRows<Self::Query, false> {
        LockRows { query: self.as_query() }
    }

    /// Locks the rows that are found and passes over those that others hold: how workers share a queue.
    fn lock_rows_skipping(self) -> LockRows<Self::Query, true> {
        LockRows { query: self.as_query() }
    }
}

impl<Q: AsQuery> LockRowsDsl for Q {}

impl<Q: QueryFragment<MultiBackend>, const SKIPPING: bool> QueryFragment<MultiBackend> for LockRows<Q, SKIPPING> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        self.query.walk_ast(pass.reborrow())?;
        if matches!(pass.backend(), MultiBackend::Mysql(_)) {
            pass.push_sql(if SKIPPING { " FOR UPDATE SKIP LOCKED" } else { " FOR UPDATE" });
        }
        Ok(())
    }
}

impl<Q: QueryId, const SKIPPING: bool> QueryId for LockRows<Q, SKIPPING> {
    type QueryId = LockRows<Q::QueryId, SKIPPING>;

    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query, const SKIPPING: bool> Query for LockRows<Q, SKIPPING> {
    type SqlType = Q::SqlType;
}

impl<Q, Conn, const SKIPPING: bool> RunQueryDsl<Conn> for LockRows<Q, SKIPPING> {}
