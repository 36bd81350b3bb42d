//! Cross-origin requests, by the origins that clients have registered.
//!
//! The protocol is actix-cors'; here is what both services let pass. Wrap a scope in one of these; what is not wrapped
//! answers no other origin. Credentials (cookies) are never allowed across origins: tokens travel in headers.

use actix_cors::Cors;
use actix_web::dev::RequestHead;
use actix_web::http::Method;

/// Seconds for which a browser remembers a preflight (Chromium's own limit is two hours).
const PREFLIGHT_AGE: usize = 600;

/// What a script of another origin may send.
const REQUEST_HEADERS: &[&str] = &[
    "accept",
    "accept-language",
    "authorization",
    "content-type",
    "dpop",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "traceparent",
    "tracestate",
    "x-request-id",
];

/// What it may read of the answer, besides what every script may.
const RESPONSE_HEADERS: &[&str] = &[
    "deprecation",
    "dpop-nonce",
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "www-authenticate",
    "x-request-id",
];

/// Answers scripts of the origins that `allowed` lets pass. It sees the head of the request (whose `Host` is what the
/// client named) and the origin, and must answer from memory: it is asked for every request that has an origin.
pub fn by_origin(allowed: impl Fn(&RequestHead, &str) -> bool + 'static) -> Cors {
    protocol().allowed_origin_fn(move |origin, head| origin.to_str().is_ok_and(|origin| allowed(head, origin)))
}

/// Answers scripts of every origin with `*`: for documents that are public anyway, as discovery and JWKS.
pub fn public() -> Cors {
    protocol().allow_any_origin().send_wildcard()
}

fn protocol() -> Cors {
    Cors::default()
        .allowed_methods([Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allowed_headers(REQUEST_HEADERS.iter().copied())
        .expose_headers(RESPONSE_HEADERS.iter().copied())
        .max_age(PREFLIGHT_AGE)
}
