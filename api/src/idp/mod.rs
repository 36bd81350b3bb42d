//! The way to the identity provider.
//!
//! The only place this service calls: addresses that come from a token, a query or an answer are never called unless
//! they lie below the configured one.

mod client;
mod management;

pub use client::{IdpClient, IdpError, IssuerRecord, IssuerTenant};
pub use management::{
    ClientKeyError, ClientKeyFile, DomainState, ManagementClient, ManagementError, Member, NewAdministrator, NewTenant,
    RolesOf, SessionRecord, SessionsPage, TenantChange, TenantRecord,
};
