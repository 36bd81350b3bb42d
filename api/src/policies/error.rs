//! What can go wrong with policies.

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::access::{AccessError, MayRefuse};
use crate::idempotency::IdempotencyError;
use crate::input::{PreconditionError, database_problem};

/// Why policies were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// What was sent is not a policy, or not a query.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is one of this name.
    #[error("there is a policy of this name already")]
    NameTaken,
    /// There is one whose name looks the same.
    #[error("there is a policy already whose name looks like this one")]
    NameAlike,
    /// It is assigned to them already.
    #[error("the policy is assigned to them already")]
    AlreadyAssigned,
    /// The caller does not hold what the policy speaks of.
    #[error("you cannot give, forbid, or free anybody of, what you do not hold by your roles: {0}")]
    NotHeld(String),
    /// The caller could not change policies any more, or no administrator could.
    #[error("this policy could forbid every administrator, or you, to change policies, and nobody could undo it")]
    LocksOut,
    /// An allow would come to be for everyone.
    #[error(
        "this was the last assignment of a policy that allows something, so that it would be for everyone: assign it to somebody \
         else first, switch it off first, or say everyone=true"
    )]
    LastAssignment,
    /// There is no such policy, version or assignment.
    #[error("the tenant has no such {0}")]
    NotFound(&'static str),
    /// The access token, the roles of the caller or a policy about policies do not allow it.
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

impl PolicyError {
    /// One thing that is wrong with what was sent.
    pub(super) fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![InputError::new(pointer, code, detail)])
    }

    /// The same, with more that is wrong.
    pub(super) fn with(self, more: Vec<InputError>) -> Self {
        match self {
            Self::Invalid(mut errors) => {
                errors.extend(more);
                Self::Invalid(errors)
            }
            other => other,
        }
    }
}

impl IntoProblem for PolicyError {
    fn problem(&self) -> Problem {
        let problem = match self {
            Self::Invalid(errors) => return Problem::invalid_input().with_errors(errors.clone()),
            Self::NameTaken => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "taken", self.to_string())])
            }
            Self::NameAlike => {
                Problem::conflict().with_errors(vec![InputError::new("/name", "alike", self.to_string())])
            }
            Self::AlreadyAssigned => Problem::conflict(),
            Self::NotHeld(_) => {
                Problem::forbidden().with_kind("/problems/not-held", "You do not hold what you want to give")
            }
            Self::LocksOut => Problem::conflict().with_kind("/problems/locks-out", "Nobody could undo it"),
            Self::LastAssignment => {
                Problem::conflict().with_kind("/problems/last-assignment", "The policy would be for everyone")
            }
            Self::NotFound(_) => Problem::not_found(),
            Self::Access(error) => return error.problem(),
            Self::Precondition(error) => return error.problem(),
            Self::Idempotency(error) => return error.problem(),
            Self::Database(error) => return database_problem(error),
        };
        problem.with_detail(self.to_string())
    }
}

impl MayRefuse for PolicyError {
    fn refusal(&self) -> Option<&AccessError> {
        match self {
            Self::Access(error) => Some(error),
            _ => None,
        }
    }
}

crate::refusable_response!(PolicyError);
