//! Registered clients: relying parties, partner apps and machines.

pub mod authenticate;
pub mod management;
mod model;
pub mod origins;
mod redirect_uri;
pub mod store;

pub use authenticate::{ClientAuthError, authenticate};
pub use model::{AuthMethod, Client, ClientError, ClientName, GrantType, NewClient, PublicClientId, Secret};
pub use redirect_uri::RedirectUri;
pub use store::ClientDirectory;
