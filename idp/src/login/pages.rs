//! How a hosted page is sent.

use std::borrow::Cow;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::cookie::Cookie;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse};
use tenantry_types::Problem;
use tenantry_web::ingress::RequestContext;

use crate::fault::Fault;
use crate::pages::{ErrorPage, Language, PageError, content_security_policy};
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
    for (name, value) in headers(redirect_uri) {
        response.insert_header((name, &*value));
    }
    if let Some(cookie) = cookie {
        response.cookie(cookie);
    }
    response.body(html)
}

fn headers(redirect_uri: Option<&str>) -> [(HeaderName, Cow<'static, str>); 4] {
    [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".into()),
        (header::CACHE_CONTROL, "no-store".into()),
        // Not `no-referrer`: with that a browser sends its own forms with `Origin: null`.
        (header::REFERRER_POLICY, "same-origin".into()),
        (header::CONTENT_SECURITY_POLICY, content_security_policy(redirect_uri).into()),
    ]
}

/// A page that says what went wrong.
pub fn error(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    status: StatusCode,
    message: &str,
) -> Result<HttpResponse, Fault> {
    let html = error_html(idp, Some(issuer.tenant.name.as_str()), &id_of(request), message)?;
    Ok(respond(status, html, None, None))
}

fn error_html(idp: &Idp, tenant_name: Option<&str>, request_id: &str, message: &str) -> Result<String, PageError> {
    idp.pages.error(&ErrorPage {
        language: Language::default(),
        tenant_name,
        title: "This did not work",
        message,
        code: None,
        request_id,
        return_to: None,
    })
}

fn id_of(request: &HttpRequest) -> String {
    RequestContext::of(request).map(|context| context.id().to_string()).unwrap_or_default()
}

/// Around routes that browsers go to: who is told of a problem there is a person, and gets a page.
pub async fn problems_as_pages(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let idp = request.app_data::<Data<Idp>>().cloned();
    let id = id_of(request.request());
    match next.call(request).await {
        Ok(answer) => {
            let (request, response) = answer.into_parts();
            Ok(ServiceResponse::new(request, page_of_problem(idp.as_ref(), &id, response.map_into_boxed_body())))
        }
        Err(mut error) => {
            error.add_response_mapper(move |response| page_of_problem(idp.as_ref(), &id, response));
            Err(error)
        }
    }
}

fn page_of_problem(idp: Option<&Data<Idp>>, request_id: &str, mut response: HttpResponse) -> HttpResponse {
    let Some(problem) = response.extensions().get::<Problem>().cloned() else { return response };
    let message = match problem.status {
        404 | 421 => "There is nobody to sign in with at this address. Please check it, or go back to the application.",
        503 => "We cannot do this right now. Please try again in a moment.",
        500.. => "Something went wrong on our side. Please try again in a moment.",
        _ => problem.detail.as_deref().unwrap_or(&problem.title),
    };
    let Some(Ok(html)) = idp.map(|idp| error_html(idp, None, request_id, message)) else { return response };
    response.extensions_mut().remove::<Problem>();
    for (name, value) in headers(None) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    // The headers stay, and so does the cause for the log.
    response.set_body(BoxBody::new(html))
}
