//! The OAuth 2.0 endpoints, one file per endpoint and per grant.
//!
//! oxide-auth's state machines decide the order of the checks; they are driven here, synchronously, inside the one
//! transaction that a request needs. What they do not know (client authentication, duplicates, OpenID Connect, rotation)
//! stands around them.

pub mod access_token;
pub mod authorize;
pub mod bearer;
pub mod claims;
pub mod codes;
pub mod grants;
pub mod id_token;
pub mod refresh_token;
pub mod registrar;
pub mod token;
