//! Why a caller is not known, with the public face of each reason.

use std::fmt::Write as _;

use tenantry_jose::VerifyError;
use tenantry_types::Problem;
use tenantry_web::problems::IntoProblem;

use super::ProofError;
use super::bearer::Scheme;
use super::dpop::ALGORITHMS;
use crate::idp::IdpError;

/// The protection space that challenges name (RFC 9110 §11.5).
pub const REALM: &str = "tenantry-api";

/// Why nobody is known to be calling.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AuthnError {
    /// No bearer token.
    #[error("no access token was sent: send one as 'Authorization: Bearer …'")]
    Missing,
    /// More than one `Authorization` header.
    #[error("there must be one Authorization header")]
    SeveralCredentials,
    /// A token in the query.
    #[error("an access token in the query is not accepted: send it in the Authorization header")]
    TokenInQuery,
    /// `Bearer` without what can be a token.
    #[error("the Authorization header is malformed")]
    MalformedHeader,
    /// The token itself is not good.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// The token's issuer is not one of the identity provider's.
    #[error("the issuer of the token is not known")]
    UnknownIssuer,
    /// The token is of another tenant than its issuer.
    #[error("the token does not belong to the tenant of its issuer")]
    OtherTenant,
    /// A claim that every access token has (RFC 9068 §2.2) is missing or has another form.
    #[error("the claim {0} of the token is missing or not valid")]
    Claim(&'static str),
    /// The token is bound to a key, and was sent as if whoever has it may use it.
    #[error("the access token is bound to a key and is no bearer token")]
    Bound,
    /// The token is bound to no key, and was sent as if it were.
    #[error("the access token is bound to no key: send it as 'Authorization: Bearer …'")]
    NotBound,
    /// There is no proof that whoever sends a bound token has its key.
    #[error("the DPoP proof is not valid: {0}")]
    Proof(#[from] ProofError),
    /// The token was good, and is not any more: the person, the session or the tenant was switched off.
    #[error("the access token was revoked")]
    Revoked,
    /// The keys of the issuer are not known and cannot be had now.
    #[error("access tokens of this issuer cannot be checked now")]
    Unavailable(#[source] IdpError),
    /// Too many issuers that were not seen before.
    #[error("too many unknown issuers: try again in a moment")]
    TooManyIssuers,
}

impl IntoProblem for AuthnError {
    fn problem(&self) -> Problem {
        match self {
            Self::Missing => Problem::unauthorized().with_detail(self.to_string()),
            Self::SeveralCredentials | Self::TokenInQuery | Self::MalformedHeader => {
                Problem::malformed_request().with_detail(self.to_string())
            }
            Self::Token(_)
            | Self::UnknownIssuer
            | Self::OtherTenant
            | Self::Claim(_)
            | Self::Bound
            | Self::NotBound
            | Self::Revoked => Problem::unauthorized()
                .with_kind("/problems/invalid-token", "The access token is not valid")
                .with_detail(self.to_string()),
            Self::Proof(_) => Problem::unauthorized()
                .with_kind("/problems/invalid-dpop-proof", "The DPoP proof is not valid")
                .with_detail(self.to_string()),
            Self::Unavailable(_) | Self::TooManyIssuers => Problem::unavailable(),
        }
    }
}

tenantry_web::problem_response!(AuthnError);

impl AuthnError {
    /// What goes into `WWW-Authenticate`; `None` where trying other credentials would not help.
    pub fn challenge(&self) -> Option<Challenge> {
        let error = match self {
            // Nothing was tried, so nothing is wrong yet (RFC 6750 §3.1).
            Self::Missing => return Some(Challenge::default()),
            Self::SeveralCredentials | Self::TokenInQuery | Self::MalformedHeader => "invalid_request",
            Self::Token(_)
            | Self::UnknownIssuer
            | Self::OtherTenant
            | Self::Claim(_)
            | Self::Bound
            | Self::NotBound
            | Self::Revoked => "invalid_token",
            Self::Proof(_) => "invalid_dpop_proof",
            Self::Unavailable(_) | Self::TooManyIssuers => return None,
        };
        let scheme = if matches!(self, Self::Proof(_)) { Scheme::Dpop } else { Scheme::Bearer };
        Some(Challenge { scheme, error: Some(error), description: Some(self.to_string()), ..Challenge::default() })
    }
}

/// A challenge: `Bearer` (RFC 6750 §3) or `DPoP` (RFC 9449 §7.1).
#[derive(Debug, Clone)]
pub struct Challenge {
    /// Which of them.
    pub scheme: Scheme,
    /// `invalid_request`, `invalid_token`, `insufficient_scope` or `insufficient_user_authentication`.
    pub error: Option<&'static str>,
    /// What is wrong, for a developer.
    pub description: Option<String>,
    /// The scope that would do.
    pub scope: Option<&'static str>,
    /// Ways to be authenticated that would do, with spaces between (RFC 9470 §3).
    pub acr_values: Option<String>,
    /// The most seconds since the sign-in that would do.
    pub max_age: Option<u64>,
}

impl Default for Challenge {
    fn default() -> Self {
        Self { scheme: Scheme::Bearer, error: None, description: None, scope: None, acr_values: None, max_age: None }
    }
}

impl Challenge {
    /// That a token can also be sent with a proof of possession, and how proofs may be signed.
    pub fn dpop() -> Self {
        Self { scheme: Scheme::Dpop, ..Self::default() }
    }

    /// The value of the header.
    pub fn header_value(&self) -> String {
        let scheme = match self.scheme {
            Scheme::Bearer => "Bearer",
            Scheme::Dpop => "DPoP",
        };
        let mut value = format!("{scheme} realm=\"{REALM}\"");
        if let Some(error) = self.error {
            let _ = write!(value, ", error=\"{error}\"");
        }
        if let Some(description) = &self.description {
            // RFC 6750 §3: printable ASCII without `"` and `\`.
            let plain: String = description
                .chars()
                .map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '\'' })
                .collect();
            let _ = write!(value, ", error_description=\"{plain}\"");
        }
        if let Some(scope) = self.scope {
            let _ = write!(value, ", scope=\"{scope}\"");
        }
        if self.scheme == Scheme::Dpop {
            let names: Vec<&str> = ALGORITHMS.iter().map(|algorithm| algorithm.as_str()).collect();
            let _ = write!(value, ", algs=\"{}\"", names.join(" "));
        }
        if let Some(ways) = &self.acr_values {
            let _ = write!(value, ", acr_values=\"{ways}\"");
        }
        if let Some(seconds) = self.max_age {
            let _ = write!(value, ", max_age=\"{seconds}\"");
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_well_formed_whatever_they_say() {
        let challenge = AuthnError::Token(VerifyError::Expired).challenge().unwrap_or_default();
        assert_eq!(
            challenge.header_value(),
            "Bearer realm=\"tenantry-api\", error=\"invalid_token\", error_description=\"the token has expired\""
        );
        assert_eq!(AuthnError::Missing.challenge().unwrap_or_default().header_value(), "Bearer realm=\"tenantry-api\"");
        let hostile = Challenge { description: Some("a\"\r\nb\\…".into()), ..Challenge::default() };
        assert_eq!(hostile.header_value(), "Bearer realm=\"tenantry-api\", error_description=\"a'''b''\"");
    }
}
