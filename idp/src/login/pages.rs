//! How a hosted page is sent.

use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};

use tenantry_web::ingress::RequestContext;

use crate::fault::Fault;
use crate::pages::{ErrorPage, Language, content_security_policy};
use crate::state::Idp;
use crate::tenants::Issuer;

/// A page: never cached, with a policy that lets its form end at `redirect_uri` only (browsers apply `form-action` to
/// where the answer redirects to).
pub fn respond(
    status: StatusCode,
    html: String,
    redirect_uri: Option<&str>,
    cookie: Option<Cookie<'_>>,
) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    response
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CACHE_CONTROL, "no-store"))
        // Not `no-referrer`: with that a browser sends its own forms with `Origin: null`.
        .insert_header((header::REFERRER_POLICY, "same-origin"))
        .insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy(redirect_uri)));
    if let Some(cookie) = cookie {
        response.cookie(cookie);
    }
    response.body(html)
}

/// A page that says what went wrong.
pub fn error(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    status: StatusCode,
    message: &str,
) -> Result<HttpResponse, Fault> {
    let request_id = RequestContext::of(request).map(|context| context.id().to_string()).unwrap_or_default();
    let page = ErrorPage {
        language: Language::default(),
        tenant_name: Some(issuer.tenant.name.as_str()),
        title: "This did not work",
        message,
        code: None,
        request_id: &request_id,
        return_to: None,
    };
    Ok(respond(status, idp.pages.error(&page)?, None, None))
}
