//! Memberships: a person lives in one tenant and can be a member of others, where they sign in with the same account.

mod model;
pub mod person;
pub mod store;

pub use model::Membership;
pub use person::{Claimant, Person};
