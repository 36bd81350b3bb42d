//! What the identity provider tells of people, sessions and tenants, as it happens: security event tokens (RFC 8417) that
//! it pushes here (RFC 8935).
//!
//! `verify` says whether a token is one of a tenant's issuer for this service, `model` reads what it tells, and `receive`
//! does what follows from it in one transaction with the note that it was received. A repeat does nothing; an event that
//! was overtaken by a later one changes nothing.

mod error;
pub mod model;
mod receive;
pub mod routes;
mod store;
mod verify;

pub use error::SecurityEventError;
pub use verify::Receiver;
