//! Whether a token is a security event of a tenant of the identity provider, for this service.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use serde_json::Value;
use tenantry_jose::{Algorithm, Expected, VerifiedJwt, VerifyError, peek, verify};
use tenantry_types::{Clock, TenantId};
use tenantry_web::config::Secret;

use super::SecurityEventError;
use super::model::{MalformedEvent, SecurityEvent};
use crate::authn::{Issuer, Issuers};

/// The media type in the header (RFC 8417 §2.3). No access token and no ID token has it.
const TYPES: &[&str] = &["secevent+jwt"];

/// What the provider may sign with.
const ALGORITHMS: &[Algorithm] = &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256, Algorithm::Rs256];

/// How far the clocks of the two services may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// How long ago a token may have been signed. It is signed when it is sent, however old the event is; what is known of those
/// that were received is kept for longer than this, so that none is taken twice.
const OLDEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Takes events of the tenants of one identity provider.
#[derive(Debug, Clone)]
pub struct Receiver {
    issuers: Issuers,
    /// What `aud` may name.
    audiences: Vec<String>,
    clock: Arc<dyn Clock>,
    /// What the sender has to know, if anything.
    authorization: Option<Secret>,
}

impl Receiver {
    /// Takes events of these issuers for these audiences.
    pub const fn new(issuers: Issuers, audiences: Vec<String>, clock: Arc<dyn Clock>) -> Self {
        Self { issuers, audiences, clock, authorization: None }
    }

    /// The same, from a sender alone who comes with this `Authorization` header.
    #[must_use]
    pub fn authorized_by(self, authorization: Option<Secret>) -> Self {
        Self { authorization, ..self }
    }

    /// Whether the headers of a request are the sender's (RFC 8935 §2). How long it takes says nothing of what is expected.
    ///
    /// # Errors
    /// [`SecurityEventError::Sender`].
    pub fn check_sender(&self, headers: &HeaderMap) -> Result<(), SecurityEventError> {
        let Some(expected) = &self.authorization else { return Ok(()) };
        let mut values = headers.get_all(AUTHORIZATION);
        let sent = values.next().filter(|_| values.next().is_none());
        let is_known =
            sent.is_some_and(|sent| verify_slices_are_equal(sent.as_bytes(), expected.expose().as_bytes()).is_ok());
        if is_known { Ok(()) } else { Err(SecurityEventError::Sender) }
    }

    /// Checks a token and reads what it tells, and of whose issuer it is.
    ///
    /// # Errors
    /// [`SecurityEventError`].
    pub async fn read(&self, token: &str) -> Result<(Arc<Issuer>, SecurityEvent), SecurityEventError> {
        let Some(Value::String(url)) = peek(token)?.claims.remove("iss") else {
            return Err(VerifyError::MissingClaim("iss").into());
        };
        if !self.issuers.is_plausible(&url) {
            return Err(SecurityEventError::UnknownIssuer);
        }
        let mut issuer = self.issuers.find_anew(&url).await?;
        let mut verified = self.check(token, &issuer);
        if matches!(verified, Err(VerifyError::UnknownKey { .. })) {
            // Perhaps the key is newer than what is known.
            let newer = self.issuers.newer_than(&issuer).await?;
            if Arc::ptr_eq(&newer, &issuer) {
                return Err(SecurityEventError::KeyNotKnown);
            }
            issuer = newer;
            verified = self.check(token, &issuer);
        }
        let verified = verified?;
        check_tenant(&verified, issuer.tenant.id)?;
        let event = SecurityEvent::read(verified.claims, &url, issuer.tenant.id)?;
        Ok((issuer, event))
    }

    fn check(&self, token: &str, issuer: &Issuer) -> Result<VerifiedJwt, VerifyError> {
        let audiences: Vec<&str> = self.audiences.iter().map(String::as_str).collect();
        let mut expected = Expected::new(TYPES, Some(&issuer.url), Some(&audiences), self.clock.now());
        expected.algorithms = ALGORITHMS;
        expected.leeway = LEEWAY;
        // An event does not expire (RFC 8417 §2.2).
        expected.require_expiry = false;
        expected.max_age = Some(OLDEST);
        verify(token, &issuer.keys, &expected)
    }
}

/// A tenant tells of itself only.
fn check_tenant(token: &VerifiedJwt, tenant: TenantId) -> Result<(), SecurityEventError> {
    match token.claims.get("tenant_id").and_then(Value::as_str).map(str::parse::<TenantId>) {
        Some(Ok(claimed)) if claimed == tenant => Ok(()),
        Some(_) => Err(SecurityEventError::OtherTenant),
        None => Err(MalformedEvent("tenant_id is missing").into()),
    }
}
