//! Access tokens presented to our own endpoints (RFC 6750).

use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use tenantry_jose::{Expected, verify};
use tenantry_types::{GrantId, Problem, ScopeSet, UserId};
use tenantry_web::problems::{self, IntoProblem};

use super::{access_token, grants};
use crate::fault::Fault;
use crate::state::CLOCK_LEEWAY_SECONDS;
use crate::state::Idp;
use crate::tenants::Issuer;

/// A user's token that is good here and now.
#[derive(Debug)]
pub struct UserToken {
    /// Whose it is.
    pub user: UserId,
    /// What it is good for.
    pub scope: ScopeSet,
    /// To which client it was given.
    pub client_id: String,
}

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// There is none. No error code then (RFC 6750 §3.1).
    #[error("an access token is needed")]
    Missing,
    /// There are two, or it is in the wrong place.
    #[error("the request must present one token, in the Authorization header")]
    Malformed,
    /// It is not good.
    #[error("the access token is not good")]
    Invalid,
    /// It is not good for this.
    #[error("the access token needs the scope {0}")]
    InsufficientScope(&'static str),
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl IntoProblem for BearerError {
    fn problem(&self) -> Problem {
        let problem = match self {
            Self::Missing | Self::Invalid => Problem::unauthorized(),
            Self::Malformed => Problem::malformed_request(),
            Self::InsufficientScope(_) => Problem::forbidden(),
            Self::Fault(fault) => return fault.problem(),
        };
        problem.with_detail(self.to_string())
    }
}

impl BearerError {
    /// RFC 6750 §3.
    fn challenge(&self) -> Option<String> {
        match self {
            Self::Missing => Some("Bearer".to_owned()),
            Self::Malformed => Some("Bearer error=\"invalid_request\"".to_owned()),
            Self::Invalid => Some(format!("Bearer error=\"invalid_token\", error_description=\"{self}\"")),
            Self::InsufficientScope(scope) => Some(format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"")),
            Self::Fault(_) => None,
        }
    }
}

impl ResponseError for BearerError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = problems::respond(self);
        if let Some(Ok(value)) = self.challenge().as_deref().map(header::HeaderValue::from_str) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The user's token of a request to one of our own endpoints, which must be good for `scope`.
pub async fn user_token(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    scope: &'static str,
) -> Result<UserToken, BearerError> {
    let token = presented(request)?;
    let keys = idp.keys.of(issuer.scope()).await.map_err(Fault::from)?;
    let audience = [&*issuer.url];
    let mut expected = Expected::new(&[access_token::TYP], Some(&issuer.url), Some(&audience), idp.clock.now());
    expected.leeway = Duration::from_secs(CLOCK_LEEWAY_SECONDS);
    let jwt = verify(token, keys.verifying(), &expected).map_err(|_| BearerError::Invalid)?;
    let parsed = |name| jwt.text(name).ok_or(BearerError::Invalid);
    let user: UserId = parsed("sub")?.parse().map_err(|_| BearerError::Invalid)?;
    let grant: GrantId = parsed("grant_id")?.parse().map_err(|_| BearerError::Invalid)?;
    let scopes: ScopeSet = jwt.text("scope").unwrap_or_default().parse().map_err(|_| BearerError::Invalid)?;
    let client_id = parsed("client_id")?.to_owned();
    if !scopes.contains(scope) {
        return Err(BearerError::InsufficientScope(scope));
    }
    let tenant = issuer.scope();
    let alive = idp.db.read(move |conn| grants::is_alive(conn, tenant, grant)).await.map_err(Fault::from)?;
    if alive { Ok(UserToken { user, scope: scopes, client_id }) } else { Err(BearerError::Invalid) }
}

/// The token in the `Authorization` header of a request.
pub fn presented(request: &HttpRequest) -> Result<&str, BearerError> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let value = values.next().ok_or(BearerError::Missing)?;
    if values.next().is_some() {
        return Err(BearerError::Malformed);
    }
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(BearerError::Malformed)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(BearerError::Missing) }
}
