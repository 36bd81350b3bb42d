//! Tenants and their issuers.
//!
//! A tenant is reached at `{public_url}/t/{slug}` and at each of its verified login domains. The address a client used
//! is the issuer: discovery, endpoints, cookies and `iss` agree with it.

mod document;
pub mod domains;
mod issuer;
mod model;
pub mod routes;
pub mod store;

pub use document::TenantDocument;
pub use issuer::{Issuer, IssuerError, PublishedIssuer};
pub use model::{Tenant, TenantError, TenantName, TenantStatus};
pub use store::TenantDirectory;
