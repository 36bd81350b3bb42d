//! Why something about a tenant was not done, with the public face of each reason.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_jose::KeyringError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::settings::SettingsError;
use crate::access::AccessError;
use crate::idempotency::IdempotencyError;
use crate::idp::ManagementError;
use crate::input::{PreconditionError, database_problem};

/// Why something about a tenant was not done.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// What was sent is not right.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// There is no such tenant, or not for this caller.
    #[error("there is no such tenant")]
    NotFound,
    /// The tenant has no such domain.
    #[error("the tenant has no such domain")]
    NoSuchDomain,
    /// There is no such module.
    #[error("there is no such module")]
    NoSuchModule,
    /// This is for administrators of the platform.
    #[error("only administrators of the platform may do this")]
    NotPlatform,
    /// The caller may not.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Something else has what was asked for.
    #[error("something else has what was asked for")]
    Taken(&'static str),
    /// What is there does not allow it.
    #[error("{0}")]
    Refused(&'static str),
    /// The domain could not be seen to be the tenant's.
    #[error("{0}")]
    NotVerified(String),
    /// It is not what the caller has seen.
    #[error(transparent)]
    Precondition(#[from] PreconditionError),
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The identity provider did not do its part.
    #[error(transparent)]
    Provider(#[from] ManagementError),
    /// Something sealed could not be made or opened.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for TenantError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NotFound => Problem::not_found().with_kind("/problems/tenant-not-found", "There is no such tenant"),
            Self::NoSuchDomain => {
                Problem::not_found().with_kind("/problems/domain-not-found", "The tenant has no such domain")
            }
            Self::NoSuchModule => {
                Problem::not_found().with_kind("/problems/module-not-found", "There is no such module")
            }
            Self::NotPlatform => Problem::forbidden().with_detail(self.to_string()),
            Self::Access(error) => error.problem(),
            Self::Taken(pointer) => Problem::conflict()
                .with_detail(self.to_string())
                .with_errors(vec![InputError::new(*pointer, "taken", "something else has this already")]),
            Self::Refused(reason) => Problem::conflict().with_detail(*reason),
            Self::NotVerified(reason) => Problem::invalid_input()
                .with_kind("/problems/domain-not-verified", "The domain is not known to be the tenant's")
                .with_detail(reason.clone()),
            Self::Precondition(error) => error.problem(),
            Self::Idempotency(error) => error.problem(),
            Self::Provider(error) => error.problem_of(place),
            Self::Keyring(_) => Problem::internal(),
            Self::Database(error) => database_problem(error),
        }
    }
}

/// Where the places that the identity provider names stand in the input of this service.
fn place(pointer: &str) -> Option<&'static str> {
    match pointer {
        "/slug" => Some("/slug"),
        "/name" => Some("/name"),
        "/status" => Some("/status"),
        "/administrator/email" | "/administrator/username" => Some("/admin_email"),
        "/administrator/password" => Some("/admin_password"),
        "domain" | "/domain" => Some("/domain"),
        _ => None,
    }
}

impl ResponseError for TenantError {
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

impl From<SettingsError> for TenantError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Invalid(errors) => Self::Invalid(errors),
            SettingsError::Precondition(error) => Self::Precondition(error),
            SettingsError::Idempotency(error) => Self::Idempotency(error),
            SettingsError::Database(error) => Self::Database(error),
        }
    }
}
