//! Signing keys: one set per tenant, made on first use, kept encrypted, rotated with an overlap.
//!
//! A new key is published some time before it signs, so that whoever caches the key set knows it by then; an old key
//! stays published until the last token that it signed has expired.

mod model;
pub mod rotation;
mod routes;
pub mod store;

pub use model::{KeyError, PublishedKey, RotationPlan, TenantKeys};
pub use routes::jwks;
pub use store::KeyDirectory;
