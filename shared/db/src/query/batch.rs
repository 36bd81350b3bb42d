//! Queries that are built for one backend at a time.

/// Evaluates an expression with the connection of the backend in use.
///
/// For what diesel has no common form for: inserts of many rows, `union`. Each arm is compiled for its backend.
///
/// ```ignore
/// each!(connection, c => diesel::insert_into(events::table).values(&rows).execute(c))
/// ```
#[macro_export]
macro_rules! each {
    ($connection:expr, $name:ident => $body:expr) => {
        match &mut *$connection {
            $crate::AnyConnection::Sqlite($name) => $body,
            $crate::AnyConnection::Mysql($name) => $body,
        }
    };
}

/// Inserts many rows within a transaction: over the wire with one statement; on SQLite, where a statement costs no trip, one
/// by one with a statement that stays prepared, which takes a fraction of the time that one for this number of rows takes to
/// be made. The rows are a slice of something insertable for which every column has a value.
///
/// ```ignore
/// insert_all!(connection, events::table, &rows)?;
/// ```
#[macro_export]
macro_rules! insert_all {
    ($connection:expr, $table:expr, $rows:expr) => {
        match &mut *$connection {
            $crate::AnyConnection::Sqlite(connection) => $rows.iter().try_for_each(|row| {
                diesel::RunQueryDsl::execute(diesel::insert_into($table).values(row), connection).map(|_| ())
            }),
            $crate::AnyConnection::Mysql(connection) => {
                diesel::RunQueryDsl::execute(diesel::insert_into($table).values($rows), connection).map(|_| ())
            }
        }
    };
}
