//! The console: this service as a relying party of its own identity provider.
//!
//! A person signs in with authorization code and PKCE. Tokens stay here, encrypted; the browser gets a cookie that
//! stands for them. `sign_in`, `callback`, `overview` and `sign_out` are the pages, `relying_party` speaks OpenID
//! Connect, `sessions` keeps who is signed in.

mod callback;
mod cookies;
mod error;
mod model;
mod overview;
pub mod pages;
mod parameters;
mod relying_party;
pub mod routes;
mod sessions;
mod sign_in;
mod sign_out;
mod state;
mod store;

pub use error::ConsoleError;
pub use state::{Console, ConsoleSettings, ConsoleSetupError};
