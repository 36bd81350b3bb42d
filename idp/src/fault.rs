//! Failures that are nobody's input: what answers a request when something on this side does not work.

use std::sync::Arc;

use actix_web::HttpResponse;
use tenantry_db::DbError;
use tenantry_jose::{JoseError, KeyringError};
use tenantry_types::Problem;
use tenantry_web::problems::{IntoProblem, respond};

use crate::credentials::{HasherError, ThrottleError};
use crate::keys::KeyError;
use crate::pages::PageError;
use crate::tenants::IssuerError;

/// A failure on this side, or a request that came to no issuer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The database failed for several requests at once.
    #[error(transparent)]
    SharedDatabase(#[from] Arc<DbError>),
    /// The signing keys could not be had.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// A signature failed.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// Something sealed did not open.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A password could not be checked.
    #[error(transparent)]
    Hasher(#[from] HasherError),
    /// The login throttle could not be asked.
    #[error(transparent)]
    Throttle(#[from] ThrottleError),
    /// A page could not be rendered.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Something could not be written as JSON.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The request came to no issuer.
    #[error(transparent)]
    Issuer(#[from] IssuerError),
    /// The address of the console cannot be registered.
    #[error("console.url: {0}")]
    Console(String),
    /// The protocol core did what it never does.
    #[error("the protocol core failed: {0}")]
    Protocol(&'static str),
}

impl Fault {
    /// Whether the same request may succeed later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Database(error) => error.is_transient(),
            Self::SharedDatabase(error) => error.is_transient(),
            Self::Keys(KeyError::Database(error)) => error.is_transient(),
            Self::Keys(KeyError::Shared(error)) => {
                matches!(&**error, KeyError::Database(error) if error.is_transient())
            }
            Self::Issuer(IssuerError::Database(error)) => error.is_transient(),
            Self::Hasher(HasherError::Busy) | Self::Throttle(_) => true,
            _ => false,
        }
    }

    /// The answer, with the reason for the log.
    pub fn respond(&self) -> HttpResponse {
        respond(self)
    }
}

impl IntoProblem for Fault {
    fn problem(&self) -> Problem {
        match self {
            Self::Issuer(error) => error.problem(),
            _ if self.is_transient() => Problem::unavailable(),
            _ => Problem::internal(),
        }
    }
}

impl IntoProblem for IssuerError {
    fn problem(&self) -> Problem {
        match self {
            Self::UnknownHost => Problem::misdirected_request().with_detail(self.to_string()),
            Self::UnknownTenant => Problem::not_found().with_detail(self.to_string()),
            Self::Database(error) if error.is_transient() => Problem::unavailable(),
            Self::Database(_) => Problem::internal(),
        }
    }
}

tenantry_web::problem_response!(Fault, IssuerError);
