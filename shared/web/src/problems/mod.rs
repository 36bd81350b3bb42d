//! Problem documents (RFC 9457) as answers.
//!
//! The errors of a feature implement [`IntoProblem`] and get their `ResponseError` from
//! [`problem_response!`](crate::problem_response). Whatever else goes wrong on the way (a path that is not there, a
//! method that is not offered, a body that is too large, an error of actix itself) leaves the server as a problem too:
//! [the ingress](crate::ingress) sees to that, and fills in `type` and `instance`.

mod body;
mod endpoint;
mod extractors;
mod json;

use std::fmt;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, Responder, ResponseError};
use tenantry_types::Problem;

pub use body::{Body, BodyLimits, read_body};
pub use endpoint::{Endpoint, endpoint};
pub(crate) use extractors::configure_extractors;
pub use json::{Json, parse_json};

use crate::telemetry::Cause;

/// The media type of problem documents.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// An error that knows its public face.
pub trait IntoProblem: std::error::Error {
    /// What the client is told. For a status of 500 and above only its kind is: the error itself goes to the log.
    fn problem(&self) -> Problem;
}

/// The answer to a request that failed with `error`. The chain of causes of a 5xx is kept for the log.
pub fn respond<E: IntoProblem>(error: &E) -> HttpResponse {
    let problem = ProblemResponse::from(error.problem());
    let is_fault = problem.status().is_server_error();
    let mut response = problem.into_response();
    if is_fault {
        Cause::of(error).attach_to(&mut response);
    }
    response
}

/// `ResponseError` for types that are [`IntoProblem`].
#[macro_export]
macro_rules! problem_response {
    ($($type:ty),+ $(,)?) => {$(
        impl ::actix_web::ResponseError for $type {
            fn status_code(&self) -> ::actix_web::http::StatusCode {
                $crate::problems::ProblemResponse::from($crate::problems::IntoProblem::problem(self)).status()
            }
            fn error_response(&self) -> ::actix_web::HttpResponse {
                $crate::problems::respond(self)
            }
        }
    )+};
}

/// A problem document as an answer or as an error. One word wide, for the sake of every `Result` that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemResponse(Box<Problem>);

impl From<Problem> for ProblemResponse {
    fn from(mut problem: Problem) -> Self {
        // What the client is told about a fault of ours is constant.
        if problem.status >= 500 {
            problem.detail = None;
            problem.errors.clear();
        }
        Self(Box::new(problem))
    }
}

impl ProblemResponse {
    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The document.
    pub fn problem(&self) -> &Problem {
        &self.0
    }

    /// The answer itself, to which headers can be added. The document stays with it, for whoever completes it.
    pub fn into_response(self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status()).content_type(PROBLEM_JSON).body(document(&self.0));
        response.extensions_mut().insert(*self.0);
        response
    }
}

/// The document as it is sent.
pub(crate) fn document(problem: &Problem) -> Vec<u8> {
    serde_json::to_vec(problem).unwrap_or_default()
}

/// The problem that a bare status stands for. A status without a kind of its own is `about:blank` (RFC 9457 §4.2.1).
pub(crate) fn of_status(status: StatusCode) -> Problem {
    let known = Problem::KINDS.iter().find(|(_, code, _)| *code == status.as_u16());
    let (kind, title) = known.map_or(("about:blank", status.canonical_reason().unwrap_or("Error")), |k| (k.0, k.2));
    let problem = Problem::malformed_request().with_kind(kind, title);
    Problem { status: status.as_u16(), ..problem }
}

impl fmt::Display for ProblemResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.detail.as_deref().unwrap_or(&self.0.title))
    }
}

impl std::error::Error for ProblemResponse {}

impl ResponseError for ProblemResponse {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        self.clone().into_response()
    }
}

impl Responder for ProblemResponse {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.into_response()
    }
}
