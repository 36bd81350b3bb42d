//! What can go wrong with groups.

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::access::{AccessError, MayRefuse};
use crate::idempotency::IdempotencyError;
use crate::input::{PreconditionError, database_problem};
use crate::roles::RoleError;

/// Why groups were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum GroupError {
    /// What was sent is not a group, or not a query.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is one of this name.
    #[error("there is a group of this name already")]
    NameTaken,
    /// There is one whose name looks the same.
    #[error("there is a group already whose name looks like this one")]
    NameAlike,
    /// Other groups are a part of it.
    #[error("other groups are a part of this one")]
    HasParts,
    /// There is no such group.
    #[error("the tenant has no such group")]
    NotFound,
    /// A rule of roles is against it.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// It is not what the caller has seen.
    #[error(transparent)]
    Precondition(#[from] PreconditionError),
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for GroupError {
    fn problem(&self) -> Problem {
        let problem = match self {
            Self::Invalid(errors) => return Problem::invalid_input().with_errors(errors.clone()),
            Self::NameTaken => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "taken", self.to_string())])
            }
            Self::NameAlike => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "alike", self.to_string())])
            }
            Self::HasParts => Problem::conflict(),
            Self::NotFound => Problem::not_found(),
            Self::Role(error) => return error.problem(),
            Self::Access(error) => return error.problem(),
            Self::Precondition(error) => return error.problem(),
            Self::Idempotency(error) => return error.problem(),
            Self::Database(error) => return database_problem(error),
        };
        problem.with_detail(self.to_string())
    }
}

impl MayRefuse for GroupError {
    fn refusal(&self) -> Option<&AccessError> {
        match self {
            Self::Access(error) | Self::Role(RoleError::Access(error)) => Some(error),
            _ => None,
        }
    }
}

crate::refusable_response!(GroupError);
