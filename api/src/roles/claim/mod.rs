//! The roles that the tokens of a person name: the claim `roles`, which the identity provider writes and is told of here.
//!
//! These are the names of all roles that they hold in the tenant now: their own, those of their groups and of what these
//! are a part of, and those that any of these inherits from. When one person's roles change, a message says so
//! (`account.roles_changed`). When what many have changes (a group, what a role inherits), the tenant is [reviewed]: a
//! worker goes through its people in pieces, each one transaction, and tells of those whose names are not those that were
//! told last. An assignment whose time is over is noticed by the same worker.
//!
//! Of somebody to whom nobody has given roles here, the claim is the provider's own, and [adopted](adopt()).
//!
//! [reviewed]: review

mod adopt;
mod model;
mod store;
mod worker;

pub use adopt::{Adoption, FromToken, ToldRoles, adopt, adopt_from_token, forget, is_awaited, is_news};
pub use store::{ROLES_CHANGED, changed, names_now, overtaken, review, told};
pub use worker::RoleReviews;
