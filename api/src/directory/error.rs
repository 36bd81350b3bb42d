//! Why people are not shown or changed.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::provider::ProviderError;
use crate::access::AccessError;
use crate::idempotency::IdempotencyError;
use crate::input::{PreconditionError, database_problem};

/// Why people are not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// What was sent is not what it should be.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is nobody of this id in the tenant.
    #[error("there is nobody of this id")]
    NotFound,
    /// Somebody else in the tenant has the address.
    #[error("somebody else has this e-mail address")]
    EmailTaken,
    /// They hold more than the caller.
    #[error("they may do more than you: somebody who may as much as they do has to do this")]
    HoldsMore,
    /// Without them nobody could administer the tenant, or undo what its policies forbid.
    #[error(
        "they are the last active administrator, or the last whom no policy keeps from changing policies: let somebody \
             else be one first"
    )]
    LastAdministrator,
    /// Somebody else is changing them.
    #[error("somebody else is changing them now: try again in a moment")]
    UnderWay,
    /// Another import of the tenant is under way.
    #[error("another import is under way: one comes after the other")]
    Importing,
    /// Their account belongs to another tenant.
    #[error("they are at home in another tenant, where their account is changed")]
    Guest,
    /// The access token or the roles of the caller are not enough.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// They are not what the caller has seen.
    #[error(transparent)]
    Precondition(#[from] PreconditionError),
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The identity provider did not do it.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Where what the identity provider finds wrong stands in what was sent here.
fn place(pointer: &str) -> String {
    match pointer.trim_start_matches('/') {
        "given_name" => "/first_name".to_owned(),
        "family_name" => "/last_name".to_owned(),
        "" => String::new(),
        name => format!("/{name}"),
    }
}

fn refusal(refused: &Problem) -> Problem {
    let errors =
        refused.errors.iter().map(|error| InputError { pointer: place(&error.pointer), ..error.clone() }).collect();
    let problem = match refused.status {
        404 => return Problem::not_found(),
        409 => Problem::conflict(),
        _ => Problem::invalid_input(),
    };
    let problem = problem.with_errors(errors);
    match &refused.detail {
        Some(detail) => problem.with_detail(detail.clone()),
        None => problem,
    }
}

impl IntoProblem for AccountError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NotFound => Problem::not_found()
                .with_kind("/problems/user-not-found", "There is nobody of this id")
                .with_detail(self.to_string()),
            Self::EmailTaken => Problem::conflict().with_detail(self.to_string()).with_errors(vec![InputError::new(
                "/email",
                "taken",
                self.to_string(),
            )]),
            Self::HoldsMore => Problem::forbidden()
                .with_kind("/problems/holds-more", "They may do more than you")
                .with_detail(self.to_string()),
            Self::LastAdministrator => Problem::conflict()
                .with_kind("/problems/last-administrator", "Somebody has to be left")
                .with_detail(self.to_string()),
            Self::Importing => Problem::conflict()
                .with_kind("/problems/import-under-way", "An import is under way")
                .with_detail(self.to_string()),
            Self::Guest => Problem::conflict()
                .with_kind("/problems/managed-elsewhere", "Managed by another tenant")
                .with_detail(self.to_string()),
            Self::Access(error) => error.problem(),
            Self::Precondition(error) => error.problem(),
            Self::Idempotency(error) => error.problem(),
            Self::UnderWay | Self::Provider(ProviderError::Unavailable(_)) => Problem::unavailable(),
            Self::Provider(ProviderError::Refused(refused)) => refusal(refused),
            Self::Database(error) => database_problem(error),
        }
    }
}

impl ResponseError for AccountError {
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
