//! From a token to a principal.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use moka::future::Cache;
use tenantry_jose::{Algorithm, Expected, VerifiedJwt, VerifyError, peek, verify};
use tenantry_types::Clock;

use super::issuers::IssuerError;
use super::{AuthnError, Issuer, Issuers, Principal, claims};
use crate::revocations::LONGEST_TOKEN_LIFE;

/// The media type of access tokens (RFC 9068 §2.1). An ID token has another and is refused.
const TYPES: &[&str] = &["at+jwt"];

/// What the provider may sign with.
const ALGORITHMS: &[Algorithm] = &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256, Algorithm::Rs256];

/// How far the clocks of the two services may be apart.
const LEEWAY: Duration = Duration::from_secs(30);

/// Tokens that are remembered: about 15 MB at most.
const CAPACITY: u64 = 20_000;

/// Turns access tokens into principals. Clones share what is remembered.
#[derive(Debug, Clone)]
pub struct Authenticator(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuers: Issuers,
    /// The identifier of this resource, which `aud` must name.
    audience: String,
    clock: Arc<dyn Clock>,
    /// By the SHA-256 of the token, so that no token lies in memory for longer than its request.
    verified: Cache<[u8; 32], Principal>,
}

impl Authenticator {
    /// Accepts tokens of these issuers for this audience. A verified token is remembered until it expires, and for
    /// `remember_for` at most: then its issuer and key are looked at again.
    pub fn new(issuers: Issuers, audience: String, remember_for: Duration, clock: Arc<dyn Clock>) -> Self {
        let verified = Cache::builder().max_capacity(CAPACITY).time_to_live(remember_for).build();
        Self(Arc::new(Inner { issuers, audience, clock, verified }))
    }

    /// Who sent this token.
    ///
    /// # Errors
    /// [`AuthnError`].
    pub async fn authenticate(&self, token: &str) -> Result<Principal, AuthnError> {
        let key = hash(token);
        if let Some(principal) = self.0.verified.get(&key).await {
            return self.still_valid(principal);
        }
        let (verified, issuer) = self.verify(token).await?;
        let principal = claims::principal(&verified, &issuer.tenant)?;
        self.0.verified.insert(key, principal.clone()).await;
        Ok(principal)
    }

    /// The issuers that are known.
    pub fn issuers(&self) -> &Issuers {
        &self.0.issuers
    }

    fn still_valid(&self, principal: Principal) -> Result<Principal, AuthnError> {
        if self.0.clock.now() < principal.expires_at + LEEWAY {
            Ok(principal)
        } else {
            Err(VerifyError::Expired.into())
        }
    }

    async fn verify(&self, token: &str) -> Result<(VerifiedJwt, Arc<Issuer>), AuthnError> {
        let url = claimed_issuer(token)?;
        let mut issuer = self.0.issuers.find(&url).await?;
        let mut result = self.check(token, &issuer);
        if matches!(result, Err(VerifyError::UnknownKey { .. })) {
            // Perhaps the key is newer than what is known.
            issuer = self.0.issuers.newer_than(&issuer).await?;
            result = self.check(token, &issuer);
        }
        Ok((result?, issuer))
    }

    fn check(&self, token: &str, issuer: &Issuer) -> Result<VerifiedJwt, VerifyError> {
        let audience = [self.0.audience.as_str()];
        let mut expected = Expected::new(TYPES, Some(&issuer.url), Some(&audience), self.0.clock.now());
        expected.algorithms = ALGORITHMS;
        expected.leeway = LEEWAY;
        // Revocations are remembered for as long.
        expected.max_lifetime = Some(LONGEST_TOKEN_LIFE);
        verify(token, &issuer.keys, &expected)
    }
}

/// The issuer that the token claims: it chooses the keys that the token is checked with, and then has to be right.
fn claimed_issuer(token: &str) -> Result<String, AuthnError> {
    match peek(token)?.claims.remove("iss") {
        Some(serde_json::Value::String(issuer)) => Ok(issuer),
        _ => Err(AuthnError::Claim("iss")),
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

impl From<IssuerError> for AuthnError {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::Unknown => Self::UnknownIssuer,
            IssuerError::Unavailable(cause) => Self::Unavailable(cause),
            IssuerError::TooMany => Self::TooManyIssuers,
        }
    }
}
