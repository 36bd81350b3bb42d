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
