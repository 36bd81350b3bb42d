//! The domains of a tenant: claimed, verified, preferred, removed.
//!
//! Anybody can claim a domain; it counts once the tenant has shown that it is theirs, by a record in the DNS or a file on
//! the web. Then it belongs to that tenant alone, and the identity provider lets people sign in there. It is looked at
//! again from time to time.

mod change;
mod check;
mod model;
mod perform;
mod public_address;
mod recheck;
pub mod routes;
mod store;

pub use check::{Verifier, VerifierError};
pub use model::{DomainView, Method};
pub(super) use perform::{give_up, perform};
pub use recheck::Recheck;
pub(super) use store::{claim, first_names, is_verified_by_anybody, list};
