//! Registered clients of a tenant: made, read, changed, removed; their secrets.

pub mod change;
mod input;
pub mod routes;
