//! The console: this service as a relying party of its own identity provider.
//!
//! A person signs in with authorization code and PKCE. Tokens stay here, encrypted; the browser gets a cookie that
//! stands for them. `sign_in`, `callback`, `overview` and `sign_out` are the pages, `relying_party` speaks OpenID
//! Connect, `sessions` keeps who is signed in. The other pages are made by scripts (`shell`, `assets/console`), which ask
//! the API through the `gateway`.

mod callback;
mod cookies;
mod error;
mod gateway;
mod gateway_error;
mod model;
mod overview;
pub mod pages;
mod parameters;
mod refusal;
mod relying_party;
mod return_path;
pub mod routes;
mod sessions;
mod shell;
mod sign_in;
mod sign_out;
mod signed_in;
mod state;
mod store;

pub use error::ConsoleError;
pub use gateway::gate;
pub use gateway_error::GatewayError;
pub use state::{Console, ConsoleSettings, ConsoleSetupError};
