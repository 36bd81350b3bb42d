//! The audit trail: who did what to what, and what changed; and the proof that it is still what it was.
//!
//! An entry is written in the transaction of the change it tells of: both are there, or neither. A [`chain::Sealer`]
//! takes what was committed and appends it to the chain of its tenant: batches, each a Merkle tree over its entries,
//! signed, and bound to the batch before it. [`verify`] proves that nothing sealed was changed, removed, reordered or
//! added to; [`chain`] says what is provable and what is not.

pub mod chain;
mod changes;
pub mod entries;
mod entry;
pub mod keys;
pub mod masking;
pub mod merkle;
mod model;
mod origin;
mod store;
mod taken_away;
pub mod verify;

pub use changes::{Change, Changes};
pub use entry::StoredEntry;
pub use model::{ActingParty, ActorKind, AuditEntry};
pub use origin::Origin;
pub use store::record;
pub use taken_away::Export;
