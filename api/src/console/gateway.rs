//! `/console/api/…`: the API for the browser of somebody who is signed in.
//!
//! The browser has no token. What a script of the console asks here is asked of the API in the name of the person: the
//! cookie becomes their access token, the path that of the API, and the request goes through the ordinary table of routes,
//! guards and limits included. Nothing can be done here that the person could not do with their token.
//!
//! Cookies are sent by browsers whoever asks, so a request has to show that a page of the session made it: by its CSRF token
//! in a header, which also makes every cross-origin request one that needs a preflight, and there is no answer to that here.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, COOKIE, HeaderMap, HeaderName, HeaderValue, ORIGIN, PROXY_AUTHORIZATION, REFERER,
    SET_COOKIE,
};
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tenantry_web::server::Gate;

use super::cookies::Purpose;
use super::{Console, GatewayError, refusal};

/// What stands before the path of the API.
const PREFIX: &str = "/console/api";
/// Where a script sends the CSRF token of its page.
const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");
/// Where browsers say who made a request (Fetch Metadata §2.3).
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What is between the browser and the console, and none of the API's business.
const KEPT_HERE: [HeaderName; 8] =
    [COOKIE, ORIGIN, REFERER, AUTHORIZATION, PROXY_AUTHORIZATION, HeaderName::from_static("dpop"), CSRF, FETCH_SITE];

/// The gate through which requests of the console's scripts come, and those of browsers for its pages.
pub fn gate(console: Data<Console>) -> Gate {
    Gate::new(move |request, next| {
        if !is_of_console(request.path()) {
            return Box::pin(next.call(request));
        }
        let (console, is_for_it) = (console.clone(), is_for_it(request.path()));
        Box::pin(async move {
            if is_for_it {
                pass(&console, request, next).await
            } else {
                refusal::as_page(&console, request, next).await
            }
        })
    })
}

fn is_for_it(path: &str) -> bool {
    is_below(PREFIX, path)
}

fn is_of_console(path: &str) -> bool {
    is_below("/console", path)
}

fn is_below(prefix: &str, path: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

async fn pass(
    console: &Console,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Err(error) = admit(console, &mut request).await {
        let mut response = error.error_response();
        if matches!(error, GatewayError::SessionEnded) {
            // A cookie that is made of base64url always fits into a header.
            let _ = response.add_cookie(&console.cookies.removal(Purpose::Session));
        }
        return Ok(request.into_response(response));
    }
    let mut answer = next.call(request).await?;
    let headers = answer.headers_mut();
    headers.remove(SET_COOKIE);
    // Nobody else is to read it, and the browser asks nobody about its own origin.
    let of_cors: Vec<HeaderName> = headers.keys().filter(|name| is_of_cors(name)).cloned().collect();
    for name in of_cors {
        headers.remove(name);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

fn is_of_cors(name: &HeaderName) -> bool {
    name.as_str().starts_with("access-control-")
}

/// Turns a request of the browser into one of the person.
async fn admit(console: &Console, request: &mut ServiceRequest) -> Result<(), GatewayError> {
    let path = path_of_api(request.path()).ok_or(GatewayError::NotFound)?;
    check_site(console, request.headers())?;
    let secret = console.cookies.get(request.request(), Purpose::Session).ok_or(GatewayError::SessionEnded)?;
    let sent = csrf(request.headers()).unwrap_or_default().to_owned();
    let (signed_in, principal) = console.signed_in(&secret).await?.ok_or(GatewayError::SessionEnded)?;
    verify_slices_are_equal(&sent, signed_in.session.csrf_token.as_bytes()).map_err(|_| GatewayError::Forged)?;
    tenantry_web::telemetry::record_tenant(request.request(), principal.tenant.slug.as_str());
    // A token that the API has taken is one that can stand in a header.
    let bearer = format!("Bearer {}", signed_in.tokens.access_token());
    let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| GatewayError::SessionEnded)?;
    bearer.set_sensitive(true);
    let uri = with_path(request.uri(), &path)?;
    let headers = request.headers_mut();
    for name in KEPT_HERE {
        headers.remove(name);
    }
    headers.insert(AUTHORIZATION, bearer);
    // The path that routes are looked for by, and the one that handlers see.
    request.match_info_mut().get_mut().update(&uri);
    request.head_mut().uri = uri;
    Ok(())
}

/// Where in the API that is: `/v1/…` below `/api`, and `/access/v1/…`. Nothing that anybody on the way could read as another
/// path: no empty or dotted segments, nothing that hides a separator or a dot (RFC 3986 §6.2.2).
fn path_of_api(path: &str) -> Option<String> {
    let rest = path.strip_prefix(PREFIX)?;
    let lower = rest.to_ascii_lowercase();
    let hides = ["%2f", "%5c", "%2e", "%25", "%00", "\\"].iter().any(|hidden| lower.contains(hidden));
    let is_plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    if hides || !rest.split('/').skip(1).all(is_plain) {
        return None;
    }
    if rest.starts_with("/v1/") {
        Some(format!("/api{rest}"))
    } else if rest.starts_with("/access/v1/") {
        Some(rest.to_owned())
    } else {
        None
    }
}

fn with_path(uri: &Uri, path: &str) -> Result<Uri, GatewayError> {
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    PathAndQuery::try_from(whole).map(Uri::from).map_err(|_| GatewayError::NotFound)
}

/// Who made the request, as far as the browser says: `Origin` cannot be set by a script, nor can `Sec-Fetch-Site`.
fn check_site(console: &Console, headers: &HeaderMap) -> Result<(), GatewayError> {
    let is = |name: HeaderName, wanted: &str| headers.get_all(name).all(|value| value.as_bytes() == wanted.as_bytes());
    let is_ours = is(FETCH_SITE, "same-origin") && is(ORIGIN, &console.origin);
    if is_ours { Ok(()) } else { Err(GatewayError::Forged) }
}

/// The CSRF token, sent just once.
fn csrf(headers: &HeaderMap) -> Option<&[u8]> {
    let mut values = headers.get_all(CSRF);
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_of_the_api_are_found() {
        for (path, there) in [
            ("/console/api/v1/me", "/api/v1/me"),
            ("/console/api/v1/users/a%40b.example", "/api/v1/users/a%40b.example"),
            ("/console/api/v1/tenants/1/domains/acme.example", "/api/v1/tenants/1/domains/acme.example"),
            ("/console/api/access/v1/search/action", "/access/v1/search/action"),
        ] {
            assert_eq!(path_of_api(path).as_deref(), Some(there));
        }
        for path in [
            "/console/api",
            "/console/api/",
            "/console/api/v1",
            "/console/api/v1/",
            "/console/api/v2/me",
            "/console/api/../console",
            "/console/api/v1/../../console",
            "/console/api/v1/./me",
            "/console/api/v1/%2e%2e/me",
            "/console/api/v1/.%2E/me",
            "/console/api/v1%2fme",
            "/console/api/v1/a%2Fb",
            "/console/api/v1/a%5cb",
            "/console/api/v1/a\\b",
            "/console/api/v1/%252e%252e/me",
            "/console/api//v1/me",
            "/console/api/v1//me",
            "/console/api/v1/me/",
            "/console/api/console/api/v1/me",
            "/console/api/access/v2/evaluation",
            "/console/apiv1/me",
        ] {
            assert_eq!(path_of_api(path), None, "{path}");
        }
        assert!(is_for_it("/console/api/x") && is_for_it("/console/api"));
        assert!(!is_for_it("/console/apis") && !is_for_it("/api/v1/me"));
    }
}
