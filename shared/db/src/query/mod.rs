//! What the two backends say differently, as nodes of a query.

mod batch;
mod functions;
mod keyset;
mod lock_rows;
mod upsert;

pub use functions::sum_of;
pub use lock_rows::{LockRows, LockRowsDsl};
pub use upsert::{Excluded, Upsert, UpsertDsl, excluded};
