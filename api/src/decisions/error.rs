//! Why a question is not answered.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use crate::access::AccessError;
use crate::input::database_problem;

/// Why a question is not answered.
#[derive(Debug, thiserror::Error)]
pub enum DecisionError {
    /// It is none.
    #[error("the question is not valid")]
    Invalid(Vec<InputError>),
    /// A request of AuthZEN is not one (Authorization API 1.0: 400).
    #[error("{0}")]
    Malformed(String),
    /// There is nobody of this id.
    #[error("the tenant has no such user")]
    NoSuchUser,
    /// The caller may not ask about others.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for DecisionError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::Malformed(_) => Problem::malformed_request().with_detail(self.to_string()),
            Self::NoSuchUser => Problem::not_found().with_detail(self.to_string()),
            Self::Access(error) => error.problem(),
            Self::Database(error) => database_problem(error),
        }
    }
}

impl ResponseError for DecisionError {
    fn status_code(&self) -> StatusCode {
        ProblemResponse::from(self.problem()).status()
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            // With its challenge (RFC 6750 §3).
            Self::Access(error) => error.error_response(),
            other => respond(other),
        }
    }
}
