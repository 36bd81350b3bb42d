//! Headers that every answer carries unless its handler chose another value.

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Nothing may be loaded by, or frame, what is not a page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// No feature of the browser is needed.
const PERMISSIONS_POLICY: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
                                  magnetometer=(), microphone=(), midi=(), payment=(), usb=()";
/// A year. Subdomains are left out: on a tenant's own domain they are not ours to decide about.
const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// The headers, made once.
#[derive(Debug, Clone)]
pub(super) struct SecurityHeaders(Vec<(HeaderName, HeaderValue)>);

impl SecurityHeaders {
    pub(super) fn new(public_url_is_https: bool) -> Self {
        let fixed = |name, value| (name, HeaderValue::from_static(value));
        let mut headers = vec![
            fixed(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
            fixed(header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            fixed(header::REFERRER_POLICY, "no-referrer"),
            fixed(header::PERMISSIONS_POLICY, PERMISSIONS_POLICY),
            fixed(header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
            fixed(header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
            // What is not said to be cacheable may be somebody's private data.
            fixed(header::CACHE_CONTROL, "no-store"),
        ];
        if public_url_is_https {
            headers.push(fixed(header::STRICT_TRANSPORT_SECURITY, STRICT_TRANSPORT_SECURITY));
        }
        Self(headers)
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        // Room for all at once, and for the id of the request.
        headers.reserve(self.0.len() + 1);
        for (name, value) in &self.0 {
            if !headers.contains_key(name) {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}
