//! People of a tenant: made, read, changed and removed; their roles.

pub mod change;
pub mod input;
pub mod routes;
