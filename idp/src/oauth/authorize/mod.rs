//! The authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2).
//!
//! A request passes three stages: [`checks`], a visible list of named rules; [`decision`], what stands between the user
//! and the code; and [`issue`], the code itself. Until the redirect URI is known to be the client's, errors are shown
//! to the user and never sent anywhere (RFC 9700 §4.11).

pub mod checks;
pub mod consent;
pub mod decision;
mod error;
pub mod interaction;
pub mod issue;
mod request;
mod routes;
pub mod sign_in;

pub use error::{AuthorizeError, ErrorCode, RedirectError};
pub use interaction::Interaction;
pub use request::{AuthorizationRequest, Prompt};
pub use routes::{by_get, by_post};
