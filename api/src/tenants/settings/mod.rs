//! The settings of a tenant: branding, security, feature flags.
//!
//! The example for every resource: `model` holds the types and reads what a client sends, `store` the queries, `replace`
//! the change as one transaction, `routes` the HTTP. See `docs/ADDING-AN-ENDPOINT.md`.

pub mod by_tenant;
pub mod model;
mod parse;
mod replace;
pub mod routes;
mod store;

pub use replace::SettingsError;
