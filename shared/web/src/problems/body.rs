//! Reading the body of a request, within limits of size and time.

use std::pin::pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use tenantry_types::Problem;

use super::ProblemResponse;

/// How large a body may be and how long it may take. The server sets them for all routes; `app_data` of a scope or
/// resource sets others.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// In bytes.
    pub size: usize,
    /// For the whole body.
    pub time: Duration,
}

impl Default for BodyLimits {
    fn default() -> Self {
        Self { size: 256 * 1024, time: Duration::from_secs(20) }
    }
}

/// The whole body of a request, as it was sent.
#[derive(Debug, Clone)]
pub struct Body(pub Bytes);

impl FromRequest for Body {
    type Error = ProblemResponse;
    type Future = LocalBoxFuture<'static, Result<Self, ProblemResponse>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = read_body(request, payload);
        Box::pin(async move { body.await.map(Self) })
    }
}

/// Reads the whole body of `request` within the [`BodyLimits`] in force.
///
/// # Errors
/// 413 when it is too large (at once when it says so itself), 408 when it takes too long, 415 when it is encoded,
/// 400 when it breaks off.
pub fn read_body(
    request: &HttpRequest,
    payload: &mut Payload,
) -> impl Future<Output = Result<Bytes, ProblemResponse>> + 'static {
    let limits = request.app_data::<BodyLimits>().copied().unwrap_or_default();
    let refusal = refusal(request.headers(), limits.size);
    let payload = payload.take();
    async move {
        if let Some(problem) = refusal {
            return Err(problem.into());
        }
        let mut body = pin!(collect(payload, limits.size));
        // Mostly it is there already, with the header section: then no timer is needed.
        if let Some(body) = body.as_mut().now_or_never() {
            return body;
        }
        timeout(limits.time, body).await.unwrap_or_else(|_| Err(Problem::request_timeout().into()))
    }
}

fn refusal(headers: &HeaderMap, limit: usize) -> Option<Problem> {
    // We never said that we take encoded bodies, and unpacking one is work that a small body can make large.
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Some(Problem::unsupported_media_type().with_detail("an encoded body is not supported"));
    }
    // A length that is not a number never comes here: actix refuses the request.
    let length = headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok()?;
    (length > limit as u64).then(|| too_large(limit))
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, ProblemResponse> {
    let mut whole = Bytes::new();
    let mut joined = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| broken(&error))?;
        if whole.len() + joined.len() + chunk.len() > limit {
            return Err(too_large(limit).into());
        }
        // A small body comes in one piece, which needs no copy.
        if whole.is_empty() && joined.is_empty() {
            whole = chunk;
        } else {
            joined.extend_from_slice(&std::mem::take(&mut whole));
            joined.extend_from_slice(&chunk);
        }
    }
    Ok(if joined.is_empty() { whole } else { joined.freeze() })
}

fn too_large(limit: usize) -> Problem {
    Problem::content_too_large().with_detail(format!("at most {limit} bytes"))
}

fn broken(error: &PayloadError) -> ProblemResponse {
    match error {
        PayloadError::Overflow => Problem::content_too_large(),
        _ => Problem::malformed_request().with_detail("the body is incomplete or malformed"),
    }
    .into()
}
