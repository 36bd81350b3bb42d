//! Why an event is not taken.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde_json::json;
use tenantry_db::DbError;
use tenantry_jose::VerifyError;
use tenantry_types::Problem;
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::model::MalformedEvent;
use crate::authn::IssuerError;
use crate::idp::IdpError;
use crate::input::database_problem;

/// Why an event is not taken. What the sender can do nothing about is answered with a status that makes it try again.
#[derive(Debug, thiserror::Error)]
pub enum SecurityEventError {
    /// It does not come from whom it should (RFC 8935 §2). Nothing is said of the event, so that it is sent again.
    #[error("the Authorization header is not the one that the sender of security events has")]
    Sender,
    /// The body did not come as it should.
    #[error("{0}")]
    Body(ProblemResponse),
    /// It is not sent as a security event token.
    #[error("the content type must be application/secevent+jwt")]
    MediaType,
    /// It is not what a security event token is.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// It does not tell what its kind tells.
    #[error(transparent)]
    Event(#[from] MalformedEvent),
    /// What calls itself its issuer cannot be one of the identity provider.
    #[error("the issuer is not a tenant of the identity provider")]
    UnknownIssuer,
    /// The identity provider says that it has no such issuer, as it does of one that was just made.
    #[error("the issuer is not known to the identity provider now")]
    IssuerNotKnown,
    /// It may be signed with a key that is newer than those that could be had.
    #[error("the key is not among those that could be had")]
    KeyNotKnown,
    /// It is about another tenant than its issuer's.
    #[error("the event is of another tenant than its issuer")]
    OtherTenant,
    /// It cannot be checked now.
    #[error("events of this issuer cannot be checked now")]
    Unavailable(#[source] IdpError),
    /// Too many issuers that were not seen before.
    #[error("too many unknown issuers")]
    TooManyIssuers,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<IssuerError> for SecurityEventError {
    fn from(error: IssuerError) -> Self {
        match error {
            IssuerError::Unknown => Self::IssuerNotKnown,
            IssuerError::Unavailable(cause) => Self::Unavailable(cause),
            IssuerError::TooMany => Self::TooManyIssuers,
        }
    }
}

impl SecurityEventError {
    /// The code of RFC 8935 §2.4; none where a repeat may succeed: the sender is to try again then, and not to give up.
    pub fn code(&self) -> Option<&'static str> {
        Some(match self {
            // A body that is too large or broken is so at every repeat; one that came too slowly may not be.
            Self::Body(problem) if problem.status() == StatusCode::REQUEST_TIMEOUT => return None,
            Self::Body(_) | Self::MediaType | Self::Event(_) => "invalid_request",
            Self::Token(error) => match error {
                // The clocks differ: a little later it is good.
                VerifyError::IssuedInFuture | VerifyError::NotYetValid => return None,
                VerifyError::UnknownKey { .. } | VerifyError::AmbiguousKey | VerifyError::Algorithm => "invalid_key",
                VerifyError::Signature => "authentication_failed",
                VerifyError::Issuer | VerifyError::MissingClaim("iss") | VerifyError::InvalidClaim("iss") => {
                    "invalid_issuer"
                }
                VerifyError::Audience | VerifyError::MissingClaim("aud") | VerifyError::InvalidClaim("aud") => {
                    "invalid_audience"
                }
                _ => "invalid_request",
            },
            Self::UnknownIssuer | Self::OtherTenant => "invalid_issuer",
            Self::Sender
            | Self::IssuerNotKnown
            | Self::KeyNotKnown
            | Self::Unavailable(_)
            | Self::TooManyIssuers
            | Self::Database(_) => return None,
        })
    }
}

impl IntoProblem for SecurityEventError {
    fn problem(&self) -> Problem {
        match self {
            Self::Body(problem) => problem.problem().clone(),
            Self::Database(error) => database_problem(error),
            Self::Sender => Problem::unauthorized().with_detail(self.to_string()),
            _ => Problem::unavailable(),
        }
    }
}

impl ResponseError for SecurityEventError {
    fn status_code(&self) -> StatusCode {
        match self.code() {
            Some(_) => StatusCode::BAD_REQUEST,
            None => ProblemResponse::from(self.problem()).status(),
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(code) = self.code() {
            return HttpResponse::BadRequest()
                .insert_header(("Content-Language", "en"))
                .json(json!({ "err": code, "description": self.to_string() }));
        }
        let mut response = respond(self);
        if matches!(self, Self::Sender) {
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
