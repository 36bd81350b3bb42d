//! Why the trail is not shown.

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::access::{AccessError, MayRefuse};
use crate::input::database_problem;

/// Why the trail is not shown.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// What is asked for is not a search.
    #[error("the query is not valid")]
    Invalid(Vec<InputError>),
    /// The tenant has no such entry.
    #[error("no such entry")]
    NotFound,
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for AuditError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NotFound => Problem::not_found(),
            Self::Access(error) => error.problem(),
            Self::Database(error) => database_problem(error),
        }
    }
}

impl MayRefuse for AuditError {
    fn refusal(&self) -> Option<&AccessError> {
        match self {
            Self::Access(error) => Some(error),
            _ => None,
        }
    }
}

crate::refusable_response!(AuditError);
