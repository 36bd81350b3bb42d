//! `/api/v1/users/{id}/roles`: who has which role.

pub mod routes;
mod store;
