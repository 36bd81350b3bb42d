//! Security events: what others have to know of people, sessions and tenants, as signed tokens (RFC 8417) that are pushed
//! to one receiver (RFC 8935).
//!
//! An event is a row, written in the transaction of what it tells. A worker of each replica delivers the rows: those of one
//! tenant one after the other, in the order of their ids.

mod bell;
mod gauges;
mod model;
pub mod push;
mod retry_after;
mod set;
pub mod store;

pub use bell::Bell;
pub use gauges::Gauges;
pub use model::{CredentialChange, Event, EventKind};
pub use set::{SetClaims, claims};
