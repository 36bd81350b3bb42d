//! SQL functions whose diesel form does not fit both backends.

use diesel::sql_types::BigInt;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The sum of a column of whole numbers, as one; diesel's own `sum` makes a decimal of it. NULL over no rows.
    #[aggregate]
    #[sql_name = "SUM"]
    fn sum_of(column: BigInt) -> Nullable<BigInt>;
}
