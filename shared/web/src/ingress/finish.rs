//! What every answer gets on its way out.

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, EitherBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use tenantry_types::Problem;

use super::headers::SecurityHeaders;
use super::request_id::X_REQUEST_ID;
use super::{RequestContext, RequestId};
use crate::problems::{PROBLEM_JSON, document, of_status};

/// Adds headers to answers and completes problem documents.
#[derive(Debug)]
pub(super) struct Finish {
    pub(super) headers: SecurityHeaders,
    /// What stands before the path of a problem type.
    pub(super) problem_base: String,
}

impl Finish {
    pub(super) fn response<B: MessageBody>(
        &self,
        context: &RequestContext,
        mut response: HttpResponse<B>,
    ) -> HttpResponse<EitherBody<B>> {
        self.headers.add_to(response.headers_mut());
        response.headers_mut().insert(X_REQUEST_ID.clone(), context.id.as_header_value().clone());
        match problem_of(&mut response) {
            Some(problem) => self.with_problem(problem, &context.id, response).map_into_right_body(),
            None => response.map_into_left_body(),
        }
    }

    fn with_problem<B>(
        &self,
        mut problem: Problem,
        id: &RequestId,
        response: HttpResponse<B>,
    ) -> HttpResponse<BoxBody> {
        if problem.kind.starts_with('/') {
            problem.kind = format!("{}{}", self.problem_base, problem.kind).into();
        }
        problem.instance.get_or_insert_with(|| id.to_string());
        let mut response = response.set_body(BoxBody::new(document(&problem)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        // Whatever the handler would have said of a good answer: it is about this request only.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if problem.status == 503 && !headers.contains_key(header::RETRY_AFTER) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// The problem that an answer is, or should be: an error without a body, and what actix says in plain text.
fn problem_of<B: MessageBody>(response: &mut HttpResponse<B>) -> Option<Problem> {
    let status = response.status();
    if status < StatusCode::BAD_REQUEST {
        return None;
    }
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let content_type = response.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_bare = content_type.is_none() && matches!(response.body().size(), BodySize::None | BodySize::Sized(0));
    let is_actix_error = response.error().is_some() && content_type.is_none_or(|t| t.starts_with(b"text/plain"));
    (is_bare || is_actix_error).then(|| of_status(status))
}
