//! Answers.

use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderMap, IF_NONE_MATCH, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use tenantry_types::{Envelope, Sha256Hash};

use super::ManagementError;
use crate::fault::Fault;

/// Whether what was asked for had to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    Now,
    /// It was there.
    Before,
}

/// 201 for what is new, 200 for what was there.
pub fn made<T: Serialize>(made: Made, data: T) -> HttpResponse {
    let mut response = if made == Made::Now { HttpResponse::Created() } else { HttpResponse::Ok() };
    kept_by_nobody(&mut response).json(Envelope::new(data))
}

/// 200 with what came of a change.
pub fn changed<T: Serialize>(data: T) -> HttpResponse {
    kept_by_nobody(&mut HttpResponse::Ok()).json(Envelope::new(data))
}

/// 200 with one thing and its entity tag; 304 when the caller has it already.
pub fn found<T: Serialize>(request: &HttpRequest, data: T) -> Result<HttpResponse, ManagementError> {
    let body = serde_json::to_vec(&Envelope::new(data)).map_err(Fault::from)?;
    let tag = format!("\"{}\"", Sha256Hash::of(&body).as_str());
    let mut response = if has(request.headers(), &tag) { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag.as_str()))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Authorization"));
    if has(request.headers(), &tag) {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(body))
}

/// 204.
pub fn done() -> HttpResponse {
    kept_by_nobody(&mut HttpResponse::NoContent()).finish()
}

fn kept_by_nobody(response: &mut HttpResponseBuilder) -> &mut HttpResponseBuilder {
    response.insert_header((CACHE_CONTROL, "no-store"))
}

/// Whether `If-None-Match` names this tag (RFC 9110 §13.1.2). None of ours has a comma in it.
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let lines = headers.get_all(IF_NONE_MATCH).filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}
