//! The audit trail: who did what to what, and what changed.
//!
//! An entry is written in the transaction of the change it tells of: both are there, or neither.

mod changes;
mod model;
mod origin;
mod store;

pub use changes::{Change, Changes};
pub use model::{ActorKind, AuditEntry};
pub use origin::Origin;
pub use store::record;
