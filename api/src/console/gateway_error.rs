//! Why a request of the console's scripts does not reach the API.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use tenantry_types::Problem;
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::ConsoleError;
use crate::authn::AuthnError;
use crate::input::database_problem;

/// What a challenge of the console is (RFC 9110 §11.6.1): a session, which only a sign-in gives.
const CHALLENGE: HeaderValue = HeaderValue::from_static("Cookie realm=\"tenantry-console\"");

/// Why a request of the console's scripts does not reach the API.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// It goes nowhere.
    #[error("the API has no such path")]
    NotFound,
    /// Nobody is signed in in this browser, or not any more.
    #[error("nobody is signed in in this browser")]
    SessionEnded,
    /// It does not come from a page of this session.
    #[error("the request does not come from a page of this session")]
    Forged,
    /// It cannot be found out who is signed in.
    #[error(transparent)]
    Console(#[from] ConsoleError),
}

impl IntoProblem for GatewayError {
    fn problem(&self) -> Problem {
        match self {
            Self::NotFound => Problem::not_found(),
            Self::SessionEnded => Problem::unauthorized()
                .with_kind("/problems/session-ended", "The session has ended")
                .with_detail("sign in again"),
            Self::Forged => Problem::forbidden()
                .with_kind("/problems/not-of-this-page", "The request does not come from this page")
                .with_detail("load the page again"),
            Self::Console(ConsoleError::Database(error)) => database_problem(error),
            Self::Console(
                ConsoleError::Unavailable(_)
                | ConsoleError::Token(AuthnError::Unavailable(_) | AuthnError::TooManyIssuers),
            ) => Problem::unavailable(),
            Self::Console(_) => Problem::internal(),
        }
    }
}

impl ResponseError for GatewayError {
    fn status_code(&self) -> StatusCode {
        ProblemResponse::from(self.problem()).status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = respond(self);
        if matches!(self, Self::SessionEnded) {
            response.headers_mut().insert(WWW_AUTHENTICATE, CHALLENGE);
        }
        response
    }
}
