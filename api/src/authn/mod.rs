//! Who is calling: access tokens of any tenant of the identity provider (RFC 6750, RFC 9068, RFC 9449).
//!
//! [`Authenticator`] turns a bearer token into a [`Principal`] in named steps, and remembers what it has verified.
//! [`Issuers`] knows which tenant an issuer belongs to and with which keys it signs. Nothing here looks at permissions:
//! that is the feature `access`.

mod authenticator;
mod bearer;
mod claims;
mod dpop;
mod error;
mod issuers;
mod principal;
mod rate_limit;
mod store;

pub use authenticator::Authenticator;
pub use bearer::{Credentials, Scheme, credentials};
pub use dpop::{Possession, ProofError};
pub use error::{AuthnError, Challenge, REALM};
pub use issuers::{Issuer, IssuerError, Issuers};
pub use principal::{Principal, PrincipalView, Subject, SubjectView, Tenant, TenantStatus};
