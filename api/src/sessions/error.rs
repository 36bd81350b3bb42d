//! Why sessions are not shown or ended.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use crate::access::AccessError;
use crate::idempotency::IdempotencyError;
use crate::idp::ManagementError;
use crate::input::database_problem;

/// Why sessions are not shown or ended.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// What was sent is not what it should be.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is no session of this id that lasts, or it is somebody else's.
    #[error("there is no session of this id, or it has ended")]
    NotFound,
    /// There is nobody of this id in the tenant.
    #[error("there is nobody of this id")]
    NoSuchUser,
    /// Whose it is holds more than the caller.
    #[error("they may do more than you: somebody who may as much as they do has to do this")]
    HoldsMore,
    /// The access token or the roles of the caller are not enough.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The identity provider did not do it.
    #[error(transparent)]
    Provider(#[from] ManagementError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for SessionError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NotFound => Problem::not_found()
                .with_kind("/problems/session-not-found", "There is no such session")
                .with_detail(self.to_string()),
            Self::NoSuchUser => Problem::not_found()
                .with_kind("/problems/user-not-found", "There is nobody of this id")
                .with_detail(self.to_string()),
            Self::HoldsMore => Problem::forbidden()
                .with_kind("/problems/holds-more", "They may do more than you")
                .with_detail(self.to_string()),
            Self::Access(error) => error.problem(),
            Self::Idempotency(error) => error.problem(),
            Self::Provider(error) => error.problem(),
            Self::Database(error) => database_problem(error),
        }
    }
}

impl ResponseError for SessionError {
    fn status_code(&self) -> StatusCode {
        ProblemResponse::from(self.problem()).status()
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Access(error) = self {
            return error.error_response();
        }
        let mut response = respond(self);
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
