//! The people of a tenant, as far as this service has to know them.
//!
//! Whoever they are is decided at the identity provider; a row here says what was last heard of them: from security
//! events, from the answers to changes that were asked for here, and from the first token that they come with.

pub mod accounts;
pub mod model;
mod newcomers;

pub use model::{AccountStatus, ProviderAccount};
pub use newcomers::Directory;
