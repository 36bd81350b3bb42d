//! An answer on its way.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, ETAG, HeaderName, LOCATION, VARY};
use actix_web::{HttpRequest, HttpResponse, Responder};

use super::Answer;

/// Says that an answer is given again (draft-ietf-httpapi-idempotency-key-header does not name one; this is what others use).
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

impl Responder for Answer {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        response.insert_header((CACHE_CONTROL, "private, no-cache")).insert_header((VARY, "Authorization"));
        if let Some(etag) = self.etag {
            response.insert_header((ETAG, etag));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if self.is_repeat {
            response.insert_header((REPLAYED, "true"));
        }
        match self.body {
            Some(body) => response.json(body),
            None => response.finish(),
        }
    }
}
