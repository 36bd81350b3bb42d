//! What can go wrong with permissions.

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::idempotency::IdempotencyError;
use crate::input::database_problem;

/// Why permissions were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum PermissionError {
    /// What was sent is not a permission, or not a query.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is one of this name, of the tenant or built in.
    #[error("there is a permission of this name already")]
    NameTaken,
    /// Roles have it, or policies speak of it.
    #[error("roles have this permission, or policies speak of it: change them first")]
    InUse,
    /// There is none, or it is built in.
    #[error("the tenant has no such permission of its own")]
    NotFound,
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for PermissionError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NameTaken => Problem::conflict()
                .with_errors(vec![InputError::new("/name", "taken", self.to_string())])
                .with_detail(self.to_string()),
            Self::InUse => Problem::conflict().with_detail(self.to_string()),
            Self::NotFound => Problem::not_found().with_detail(self.to_string()),
            Self::Idempotency(error) => error.problem(),
            Self::Database(error) => database_problem(error),
        }
    }
}

tenantry_web::problem_response!(PermissionError);
