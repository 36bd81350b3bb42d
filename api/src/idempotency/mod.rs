//! Requests that may be sent twice and count once: the header `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header).
//!
//! The first answer is stored in the transaction of what it tells of, and given again to a repeat for a day. A repeat
//! with another content is refused, one that comes while the first is under way as well. What failed is not stored: a
//! repeat tries again; where something outside of the database was asked for, it goes on with it. Keys are those of one caller: two callers never meet.

mod key;
mod model;
mod respond;
mod store;

pub use key::IdempotencyKey;
pub use model::{Answer, IdempotencyError, Once};
pub use store::{Begun, abandon, answered, begin, complete, found, release};
