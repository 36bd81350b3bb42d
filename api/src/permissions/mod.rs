//! Permissions: those that the routes of this service ask for, and those that a tenant adds for its own programs.

pub mod error;
pub mod routes;
mod store;

pub use error::PermissionError;
pub use store::unknown;
