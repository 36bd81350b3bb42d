//! Sessions of the people of a tenant: seen, and ended.

mod change;
pub mod routes;
