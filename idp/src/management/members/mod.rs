//! Members: people who live in another tenant.

mod change;
pub mod routes;
