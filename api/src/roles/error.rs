//! What can go wrong with roles.

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::access::{AccessError, MayRefuse};
use crate::idempotency::IdempotencyError;
use crate::input::{PreconditionError, database_problem};

/// Why roles were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// What was sent is not a role, or not a query.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is one of this name.
    #[error("there is a role of this name already")]
    NameTaken,
    /// There is one whose name looks the same.
    #[error("there is a role already whose name looks like this one")]
    NameAlike,
    /// Every tenant has it as it is.
    #[error("this role is part of the system: it cannot be changed or deleted")]
    System,
    /// Somebody has it, or inherits from it.
    #[error("somebody has this role, or another role inherits from it")]
    InUse,
    /// What would be given, taken or changed is more than the caller has.
    #[error("you cannot give, take or change what you do not hold yourself: {0}")]
    NotHeld(String),
    /// Nobody who may do everything would be left.
    #[error("somebody who may do everything in the tenant has to be left")]
    LastAdministrator,
    /// There is no such role.
    #[error("the tenant has no such role")]
    NotFound,
    /// There is no such person.
    #[error("the tenant has no such user")]
    NoSuchUser,
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

impl IntoProblem for RoleError {
    fn problem(&self) -> Problem {
        let problem = match self {
            Self::Invalid(errors) => return Problem::invalid_input().with_errors(errors.clone()),
            Self::NameTaken => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "taken", self.to_string())])
            }
            Self::NameAlike => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "alike", self.to_string())])
            }
            Self::System => Problem::conflict().with_kind("/problems/system-role", "The role is part of the system"),
            Self::InUse => Problem::conflict(),
            Self::NotHeld(_) => {
                Problem::forbidden().with_kind("/problems/not-held", "You do not hold what you want to give")
            }
            Self::LastAdministrator => {
                Problem::conflict().with_kind("/problems/last-administrator", "Somebody has to be left")
            }
            Self::NotFound | Self::NoSuchUser => Problem::not_found(),
            Self::Access(error) => return error.problem(),
            Self::Precondition(error) => return error.problem(),
            Self::Idempotency(error) => return error.problem(),
            Self::Database(error) => return database_problem(error),
        };
        problem.with_detail(self.to_string())
    }
}

impl MayRefuse for RoleError {
    fn refusal(&self) -> Option<&AccessError> {
        match self {
            Self::Access(error) => Some(error),
            _ => None,
        }
    }
}

crate::refusable_response!(RoleError);
