//! May they: permissions, the scopes and roles that give them, and the guard in front of every route.
//!
//! A route cannot be registered without saying what it needs: see [`Routes`]. The rules are in `model`; the table of
//! built-in roles is the one thing here that the policy engine will take the place of.

mod error;
mod guard;
mod model;
pub mod policy;
mod roles;
mod routes;

pub use error::AccessError;
pub use model::{Decision, Permission, decide, scope_allows};
pub use routes::{Access, Route, Routes};
