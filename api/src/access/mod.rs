//! May they: permissions, the scopes, roles and policies that give them, and the guard in front of every route.
//!
//! A route cannot be registered without saying what it needs: see [`Routes`]. What a caller may do is their
//! [`Authority`], which [`AccessControl`] makes of what the tenant has said and remembers until it changes.

mod absent;
mod authority;
mod caller;
mod control;
mod error;
mod facts;
mod guard;
mod hidden;
mod judge;
mod kinds;
mod loader;
pub mod log;
mod mending;
mod model;
mod origins;
mod permissions;
pub mod policy;
mod reach;
mod record;
mod residence;
mod routes;
mod store;
mod subject;
mod tenant;
mod told;

pub use authority::Authority;
pub use control::{AccessControl, Newcomers};
pub use error::{AccessError, MayRefuse, with_challenge};
pub use judge::{Reason, Who};
pub use kinds::{Attributes, Kept, Kind, Kinds, Known};
pub use model::{Decision, Module, Permission, scope_allows};
pub use origins::{AllowedOrigins, OriginKeeper};
pub use permissions::{PermissionPattern, PermissionSet, is_name};
pub use reach::{Portion, Turn};
pub use residence::TENANT_PARAMETER;
pub use routes::{Access, Route, Routes};
pub use store::anybody_has;
pub use subject::{Held, SubjectAccess};
pub use tenant::{Role, TenantAccess};
