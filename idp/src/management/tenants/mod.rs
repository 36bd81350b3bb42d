//! Tenants: made, read, renamed, switched off and on.

pub mod change;
pub mod input;
pub mod routes;
