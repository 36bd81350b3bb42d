//! Why a request does not reach its handler.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_types::Problem;
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::Decision;
use crate::authn::{AuthnError, Challenge};
use crate::input::database_problem;

/// Why a request does not reach its handler.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It is not known who is calling.
    #[error(transparent)]
    Authn(#[from] AuthnError),
    /// The token is for less than is needed.
    #[error("the access token has no scope that allows {0}")]
    InsufficientScope(&'static str),
    /// The roles of the person do not allow it.
    #[error("your roles do not allow {0}")]
    Forbidden(&'static str),
    /// It cannot be found out whether they may.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl AccessError {
    /// What a refusal means for the request; `None` for none.
    pub(super) fn of(decision: Decision) -> Option<Self> {
        match decision {
            Decision::Allow => None,
            Decision::InsufficientScope(permission) => Some(Self::InsufficientScope(permission)),
            Decision::Forbidden(permission) => Some(Self::Forbidden(permission)),
        }
    }

    /// What goes into `WWW-Authenticate`.
    pub fn challenge(&self) -> Option<Challenge> {
        // RFC 6750 §3.1 has one reason for both: the token gives less privilege than is needed. The scope is only named
        // where asking for it would help.
        let scope = match self {
            Self::Authn(error) => return error.challenge(),
            Self::InsufficientScope(scope) => Some(*scope),
            Self::Forbidden(_) => None,
            Self::Database(_) => return None,
        };
        Some(Challenge { error: Some("insufficient_scope"), description: Some(self.to_string()), scope })
    }
}

impl IntoProblem for AccessError {
    fn problem(&self) -> Problem {
        match self {
            Self::Authn(error) => error.problem(),
            Self::InsufficientScope(_) => Problem::forbidden()
                .with_kind("/problems/insufficient-scope", "The access token is not enough")
                .with_detail(self.to_string()),
            Self::Forbidden(_) => Problem::forbidden().with_detail(self.to_string()),
            Self::Database(error) => database_problem(error),
        }
    }
}

impl ResponseError for AccessError {
    fn status_code(&self) -> StatusCode {
        ProblemResponse::from(self.problem()).status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = respond(self);
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge()
            && let Ok(value) = HeaderValue::from_str(&challenge.header_value())
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
