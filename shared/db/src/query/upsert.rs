//! Inserts that change the row that is there already.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::query_builder::{AsChangeset, AstPass, InsertStatement, QueryFragment, QueryId};
use diesel::query_dsl::RunQueryDsl;
use diesel::query_source::{Column, QuerySource, Table};
use diesel::result::{Error, QueryResult};

use crate::connection::MultiBackend;

/// An insert of one row that, where a row with the same key is, changes that one instead.
///
/// MySQL has no way to say which key: any unique key of the table counts there. So give the one that can be met. The
/// number of rows that it reports differs between backends and means nothing.
#[derive(Debug, Clone, Copy)]
#[must_use = "a query does nothing until it is run"]
pub struct Upsert<S, K, C> {
    insert: S,
    key: K,
    changes: C,
}

/// Adds [`upsert`](Self::upsert) to inserts.
pub trait UpsertDsl<T: Table>: Sized {
    /// Where a row with the same `key` (a column or a tuple of them, with a unique key over exactly these) is, makes
    /// these `changes` to it instead. [`excluded`] stands for the value that could not be inserted. To leave the row as
    /// it is, set a column of the key to itself.
    ///
    /// ```ignore
    /// insert_into(consents::table)
    ///     .values(&consent)
    ///     .upsert((consents::tenant_id, consents::id), consents::scope.eq(excluded(consents::scope)))
    ///     .execute(connection)?;
    /// ```
    fn upsert<K, C>(self, key: K, changes: C) -> Upsert<Self, K, C::Changeset>
    where
        K: SelectableExpression<T>,
        C: AsChangeset<Target = T>;
}

impl<T: Table, U, Op> UpsertDsl<T> for InsertStatement<T, U, Op> {
    fn upsert<K, C>(self, key: K, changes: C) -> Upsert<Self, K, C::Changeset>
    where
        K: SelectableExpression<T>,
        C: AsChangeset<Target = T>,
    {
        Upsert { insert: self, key, changes: changes.as_changeset() }
    }
}

impl<S, K, C> QueryFragment<MultiBackend> for Upsert<S, K, C>
where
    S: QueryFragment<MultiBackend>,
    K: QueryFragment<MultiBackend>,
    C: QueryFragment<MultiBackend>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if self.changes.is_noop(pass.backend())? {
            return Err(Error::QueryBuilderError(
                "an upsert that changes nothing: set a column of the key to itself".into(),
            ));
        }
        self.insert.walk_ast(pass.reborrow())?;
        if matches!(pass.backend(), MultiBackend::Sqlite(_)) {
            pass.push_sql(" ON CONFLICT (");
            self.key.walk_ast(pass.reborrow())?;
            pass.push_sql(") DO UPDATE SET ");
        } else {
            pass.push_sql(" ON DUPLICATE KEY UPDATE ");
        }
        self.changes.walk_ast(pass)
    }
}

impl<S, K, C> QueryId for Upsert<S, K, C> {
    // Changes have no identity in diesel: the prepared statement is found again by its text.
    type QueryId = ();

    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S, K, C, Conn> RunQueryDsl<Conn> for Upsert<S, K, C> {}

/// In the changes of an [`upsert`](UpsertDsl::upsert): the value of this column that could not be inserted.
pub const fn excluded<C: Column>(column: C) -> Excluded<C> {
    Excluded(column)
}

/// The expression made by [`excluded`].
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Excluded<C>(C);

impl<C: Column> QueryFragment<MultiBackend> for Excluded<C> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        if matches!(pass.backend(), MultiBackend::Sqlite(_)) {
            pass.push_sql("excluded.");
            pass.push_identifier(C::NAME)
        } else {
            // MySQL 8.0.20 prefers another form, which MariaDB does not know; both know this one.
            pass.push_sql("VALUES(");
            pass.push_identifier(C::NAME)?;
            pass.push_sql(")");
            Ok(())
        }
    }
}

impl<C: Column + Expression> Expression for Excluded<C> {
    type SqlType = <C as Expression>::SqlType;
}

impl<C: Column> AppearsOnTable<C::Table> for Excluded<C> where Self: Expression {}

impl<C: Column, QS: QuerySource> SelectableExpression<QS> for Excluded<C> where Self: AppearsOnTable<QS> {}

impl<C> ValidGrouping<()> for Excluded<C> {
    type IsAggregate = is_aggregate::No;
}
