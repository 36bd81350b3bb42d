//! The log of decisions: who was allowed or refused what, by which policy, on what grounds.
//!
//! [`DecisionLog::record`] takes a decision and returns at once; one task writes what has come, many rows with one
//! statement. What cannot be written is tried again, and when too much waits, whoever has another decision waits too:
//! nothing is dropped. Decisions that only wait in memory are lost when the process is killed; an orderly end writes them.

mod model;
mod retention;
pub mod routes;
mod store;
mod writer;

pub use model::{Context, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind};
pub use retention::prune;
pub use routes::AccessLogError;
pub use writer::DecisionLog;
