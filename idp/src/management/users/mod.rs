//! People of a tenant: made, read, changed and removed; their roles and sessions.

pub mod change;
pub mod input;
pub mod routes;
