//! What people are signed in to: the sessions of their browsers at the identity provider, seen and ended.
//!
//! They are kept there and nowhere else. What is ended is ended there first, and then refused here in the transaction that
//! has its audit entry, so that tokens which are out are good for nothing from then on.

mod end;
mod error;
mod kind;
pub mod own;
pub mod routes;
mod view;

pub use error::SessionError;
