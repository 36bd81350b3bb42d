//! Memberships: a person lives in one tenant and can be a member of others.

mod model;
pub mod store;

pub use model::Membership;
