//! The token endpoint (RFC 6749 §3.2): one file for each grant.

mod authorization_code;
mod client_credentials;
mod core;
mod error;
mod refresh;
mod reply;
mod routes;

pub use error::TokenError;
pub use refresh::Granted;
pub use routes::token;
