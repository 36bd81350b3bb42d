//! The cookies of the console.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::cookie::{Cookie, SameSite};
use tenantry_types::PublicUrl;

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Who is signed in.
    Session,
    /// The sign-in that is under way.
    SignIn,
}

/// How the cookies of this service are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookies {
    is_https: bool,
}

impl Cookies {
    pub(super) fn new(public_url: &PublicUrl) -> Self {
        Self { is_https: public_url.is_https() }
    }

    /// `__Host-` cookies come over TLS and from this very host only (RFC 6265bis §4.1.3.2). Plain HTTP, which is for
    /// loopback only, has none.
    const fn name(self, purpose: Purpose) -> &'static str {
        match (self.is_https, purpose) {
            (true, Purpose::Session) => "__Host-tenantry-console",
            (true, Purpose::SignIn) => "__Host-tenantry-console-sign-in",
            (false, Purpose::Session) => "tenantry-console",
            (false, Purpose::SignIn) => "tenantry-console-sign-in",
        }
    }

    /// The value that the browser sent, if it sent just one: of two, one was planted.
    pub(super) fn get(self, request: &HttpRequest, purpose: Purpose) -> Option<String> {
        let cookies = request.cookies().ok()?;
        let mut values = cookies.iter().filter(|cookie| cookie.name() == self.name(purpose)).map(Cookie::value);
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.to_owned()),
            _ => None,
        }
    }

    /// A cookie to set. `SameSite=Lax`, because the browser comes back from the identity provider.
    pub(super) fn make(self, purpose: Purpose, value: String, max_age: Duration) -> Cookie<'static> {
        let seconds = i64::try_from(max_age.as_secs()).unwrap_or(i64::MAX);
        Cookie::build(self.name(purpose), value)
            // `__Host-` demands `/`. Without it, services on other ports of the host are not to see the cookie.
            .path(if self.is_https { "/" } else { "/console" })
            .http_only(true)
            .secure(self.is_https)
            .same_site(SameSite::Lax)
            .max_age(actix_web::cookie::time::Duration::seconds(seconds))
            .finish()
    }

    /// A cookie that removes the one the browser has.
    pub(super) fn removal(self, purpose: Purpose) -> Cookie<'static> {
        self.make(purpose, String::new(), Duration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn over_tls_cookies_are_bound_to_the_host() {
        let made = |url: &str, purpose| {
            let cookies = Cookies::new(&url.parse().unwrap());
            cookies.make(purpose, "v".to_owned(), Duration::from_secs(60)).to_string()
        };
        assert_eq!(
            made("https://api.example.com", Purpose::Session),
            "__Host-tenantry-console=v; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
        );
        assert_eq!(
            made("http://localhost:8081", Purpose::SignIn),
            "tenantry-console-sign-in=v; HttpOnly; SameSite=Lax; Path=/console; Max-Age=60"
        );
    }
}
