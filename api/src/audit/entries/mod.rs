//! Reading the audit trail: search, export, and the proof that an entry is in it.

mod error;
mod export;
mod kind;
mod model;
pub mod routes;
mod store;

pub use error::AuditError;
pub use model::{BatchView, EntryFilter, EntryView, ProvenEntry};
