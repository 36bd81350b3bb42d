//! What can be read again, as an answer.

use actix_web::http::header::{CACHE_CONTROL, ETAG, VARY};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tenantry_types::Envelope;

use super::{EntityTag, is_not_modified};

/// The answer to who reads something that has versions: 304 when they have this one already. It may be kept by the caller
/// alone, who asks each time whether it is still good.
pub fn versioned<T: Serialize>(request: &HttpRequest, tag: &EntityTag, data: T) -> HttpResponse {
    let is_known = is_not_modified(request.headers(), tag);
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((ETAG, tag.as_str()))
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Authorization"));
    if is_known { response.finish() } else { response.json(Envelope::new(data)) }
}
