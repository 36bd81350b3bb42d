//! The predicates of keyset pagination.

/// The rows after a given one, in ascending order of a column and then of one that tells equal rows apart.
///
/// `rows_after!(created_at, time, id, last)` stands for `(created_at, id) > (time, last)`, which the backends do not
/// have in common. Written so that both use an index that begins with the first column. The first value is used twice:
/// give a copy or a reference.
///
/// ```ignore
/// users::table.filter(rows_after!(users::created_at, time, users::id, last)).order((users::created_at, users::id))
/// ```
#[macro_export]
macro_rules! rows_after {
    ($column:expr, $value:expr, $tie_column:expr, $tie_value:expr $(,)?) => {
        $column.ge($value).and($column.gt($value).or($tie_column.gt($tie_value)))
    };
}

/// The rows after a given one, in descending order of both columns; otherwise like [`rows_after!`](crate::rows_after).
#[macro_export]
macro_rules! rows_before {
    ($column:expr, $value:expr, $tie_column:expr, $tie_value:expr $(,)?) => {
        $column.le($value).and($column.lt($value).or($tie_column.lt($tie_value)))
    };
}
