//! Tokens that were good and are not any more, before their time is over.
//!
//! A revocation is a row, written in the transaction of what brings it about, and known to every replica by heart: a
//! request is checked without a query. Rows go when no token can be left that they concern.

mod memory;
mod model;
mod store;

pub use memory::{Revocations, is_revoked};
pub use model::{LONGEST_TOKEN_LIFE, Revocation, Revoked, TokenFacts};
pub use store::revoke;
