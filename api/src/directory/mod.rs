//! The people of a tenant, as far as this service has to know them.
//!
//! Whoever they are is decided at the identity provider; a row here says what was last heard of them: from security
//! events, from the answers to changes that were asked for here, and from the first token that they come with. A change
//! goes there first and is kept here when it is answered; what a crash leaves in between is looked up by a worker.

pub mod accounts;
pub(crate) mod bulk;
mod change;
mod connected;
mod derived;
mod doubts;
mod errand;
mod error;
mod kind;
pub mod model;
mod newcomers;
pub(crate) mod own;
mod parse;
pub mod provider;
mod reconcile;
mod roles_push;
pub mod routes;
mod store;
mod view;

pub use change::{Accounts, Asked};
pub use connected::Connected;
pub use doubts::doubt;
pub use error::AccountError;
pub use model::{AccountStatus, ProviderAccount};
pub use newcomers::Directory;
pub use provider::{AccountProvider, Answered, ProviderError};
pub use reconcile::Reconciler;
pub use roles_push::RolesRecipient;
