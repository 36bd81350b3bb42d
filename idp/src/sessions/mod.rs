//! Single sign-on sessions: a browser that has signed in.
//!
//! The cookie holds a random secret of which only the digest is stored; it is new after every sign-in, so that a
//! session fixed beforehand is worth nothing. The `sid` of tokens is the id of the row, which opens nothing.

pub mod cookie;
mod model;
pub mod store;

pub use cookie::CookieJar;
pub use model::{ACR_PASSWORD, Authentication, Live, LiveSession, Session};
