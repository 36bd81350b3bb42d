//! What is refused before a page of the console is made: a browser gets a page that says so.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use tenantry_types::Problem;
use tenantry_web::ingress::RequestContext;
use tenantry_web::rate_limit::RateLimited;

use super::{Console, ConsoleError};

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");

/// Sends a request on. Where it is one too many, its answer is a page instead of a problem document, with the same status and
/// the headers that say when to come again.
pub(super) async fn as_page(
    console: &Console,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let context = RequestContext::of(request.request());
    let mut result = next.call(request).await;
    if let Err(error) = &mut result
        && error.as_error::<RateLimited>().is_some()
    {
        let html = console.error_html(context.as_deref(), &ConsoleError::TooManyRequests);
        let policy = HeaderValue::from_str(&console.content_security_policy);
        // Without either the problem document stays.
        if let (Ok(html), Ok(policy)) = (html, policy) {
            error.add_response_mapper(move |response| with_page(response, html.clone(), policy.clone()));
        }
    }
    result
}

fn with_page(mut response: HttpResponse, html: String, policy: HeaderValue) -> HttpResponse {
    // Else it would be written out as the body.
    response.extensions_mut().remove::<Problem>();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HTML);
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response.set_body(BoxBody::new(html))
}
