//! Login domains of a tenant. The caller says that a domain is verified; it is believed.

mod change;
pub mod routes;
