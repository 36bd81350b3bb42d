//! The cookies of the hosted pages.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use secrecy::{ExposeSecret, SecretString};

use crate::tenants::Issuer;

/// The cookies of one issuer. Tenants share a host, so every name says whose it is.
#[derive(Debug)]
pub struct CookieJar<'a>(&'a Issuer);

/// What a cookie is for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose(&'static str);

/// The single sign-on session.
pub const SESSION: Purpose = Purpose("session");
/// What ties the forms of the hosted pages to this browser.
pub const FORMS: Purpose = Purpose("forms");
/// The accounts that signed in from this browser before.
pub const DEVICE: Purpose = Purpose("device");

impl<'a> CookieJar<'a> {
    /// The cookies of this issuer.
    pub fn of(issuer: &'a Issuer) -> Self {
        Self(issuer)
    }

    /// `__Host-` cookies come over TLS only, from this host only (RFC 6265bis §4.1.3.2). On plain HTTP, which is for
    /// loopback only, there are none.
    fn name(&self, purpose: Purpose) -> String {
        let prefix = if self.0.is_https { "__Host-" } else { "" };
        format!("{prefix}tenantry-{}-{}", purpose.0, self.0.tenant.slug.as_str())
    }

    /// The value that the browser sent, if it sent just one.
    pub fn get(&self, request: &HttpRequest, purpose: Purpose) -> Option<SecretString> {
        let name = self.name(purpose);
        let cookies = request.cookies().ok()?;
        let mut values = cookies.iter().filter(|cookie| cookie.name() == name).map(Cookie::value);
        // Two of a name: one was planted from a place that we do not know. Neither is believed.
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.to_owned().into()),
            _ => None,
        }
    }

    /// A cookie to set. It lives as long as the browser unless `max_age` says otherwise.
    ///
    /// `SameSite=Lax`, because the browser comes from other sites to sign in.
    pub fn make(&self, purpose: Purpose, value: &SecretString, max_age: Option<Duration>) -> Cookie<'static> {
        let mut cookie = Cookie::build(self.name(purpose), value.expose_secret().to_owned())
            .path("/")
            .http_only(true)
            .secure(self.0.is_https)
            .same_site(SameSite::Lax)
            .finish();
        cookie.set_max_age(max_age);
        cookie
    }

    /// A cookie that removes the one the browser has.
    pub fn removal(&self, purpose: Purpose) -> Cookie<'static> {
        self.make(purpose, &SecretString::from(String::new()), Some(Duration::ZERO))
    }
}
