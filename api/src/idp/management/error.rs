//! Why the management API did not do what it was asked to.

use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::idp::IdpError;

/// Why the management API did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ManagementError {
    /// It cannot be reached, or cannot be understood. Whether it did what it was asked to is not known.
    #[error(transparent)]
    Unavailable(#[from] IdpError),
    /// This service has no key to prove itself with.
    #[error("idp.management.key_file is not there: run `tenantry-api keys client` and register what it prints")]
    NotSetUp,
    /// The key, the registration or the scopes of this service are not what they should be.
    #[error("the identity provider does not let this service manage it (status {0}): run `tenantry-api doctor`")]
    NotLetIn(u16),
    /// It refused, and says why. Nothing was done.
    #[error("the identity provider refused: {}", .0.title)]
    Refused(Box<Problem>),
}

impl ManagementError {
    /// Whether another attempt may succeed without anything being changed in what is sent.
    pub const fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// Whether it says that there is no such thing.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 404)
    }

    /// What a refusal is to whoever asked this service: the places that it names become those that `place` gives for them,
    /// in the input that came here. What has no place there is said of the input as a whole.
    pub fn problem_of(&self, place: impl Fn(&str) -> Option<&'static str>) -> Problem {
        let Self::Refused(refusal) = self else { return self.problem() };
        let errors: Vec<InputError> = refusal
            .errors
            .iter()
            .map(|error| InputError { pointer: place(&error.pointer).unwrap_or_default().to_owned(), ..error.clone() })
            .collect();
        let problem = if refusal.status == 409 { Problem::conflict() } else { Problem::invalid_input() };
        let problem = problem.with_errors(errors);
        match &refusal.detail {
            Some(detail) => problem.with_detail(detail.clone()),
            None => problem,
        }
    }
}

impl IntoProblem for ManagementError {
    fn problem(&self) -> Problem {
        match self {
            Self::Unavailable(_) | Self::NotSetUp | Self::NotLetIn(_) => {
                Problem::unavailable().with_detail("the identity provider cannot be asked now: try again in a moment")
            }
            Self::Refused(_) => self.problem_of(|_| None),
        }
    }
}
