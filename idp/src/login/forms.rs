//! Forms that only our own page in this browser can send.
//!
//! A form carries a tag over the random cookie of its browser, the name of the form and, where somebody is signed in, the
//! session: a page elsewhere knows neither, and a cookie planted from a sibling domain fits no tag.

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::http::{StatusCode, header};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use tenantry_types::{SessionId, random_token};

use crate::params::Params;
use crate::sessions::{CookieJar, cookie};
use crate::state::Idp;
use crate::tenants::Issuer;

/// Why a form is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// It came from another site.
    #[error("the form came from another site")]
    CrossSite,
    /// Its tag does not fit this browser, or not any more.
    #[error("the form is not of this browser")]
    Stale,
    /// It is no form at all.
    #[error("the form could not be read")]
    Malformed,
}

impl FormError {
    /// The status of the page that says so.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::CrossSite | Self::Stale => StatusCode::FORBIDDEN,
            Self::Malformed => StatusCode::BAD_REQUEST,
        }
    }
}

/// A form that is to be shown: its tag, and the cookie that the browser needs for it.
pub struct Form {
    /// What the hidden input `csrf` holds.
    pub tag: String,
    /// A new cookie, if the browser had none.
    pub cookie: Option<Cookie<'static>>,
}

impl Form {
    /// A form of this name for this browser.
    pub fn new(idp: &Idp, issuer: &Issuer, request: &HttpRequest, name: &str, session: Option<SessionId>) -> Self {
        let jar = CookieJar::of(issuer);
        let known = jar.get(request, cookie::FORMS).filter(|secret| secret.expose_secret().len() == 43);
        let (secret, cookie) = match known {
            Some(secret) => (secret, None),
            None => {
                let secret = random_token(&*idp.random);
                let cookie = jar.make(cookie::FORMS, &secret, None);
                (secret, Some(cookie))
            }
        };
        Self { tag: URL_SAFE_NO_PAD.encode(tag(idp, issuer, &secret, name, session)), cookie }
    }

    /// Reads a form that was sent, if it is of this name and browser.
    pub fn read(
        idp: &Idp,
        issuer: &Issuer,
        request: &HttpRequest,
        body: &[u8],
        name: &str,
        session: Option<SessionId>,
    ) -> Result<Params, FormError> {
        if is_cross_site(request, issuer) {
            return Err(FormError::CrossSite);
        }
        let params = Params::parse(body).map_err(|_| FormError::Malformed)?;
        let secret = CookieJar::of(issuer).get(request, cookie::FORMS).ok_or(FormError::Stale)?;
        let sent = params.get("csrf").and_then(|tag| URL_SAFE_NO_PAD.decode(tag).ok()).ok_or(FormError::Stale)?;
        let good = verify_slices_are_equal(&tag(idp, issuer, &secret, name, session), &sent).is_ok();
        if good { Ok(params) } else { Err(FormError::Stale) }
    }
}

fn tag(idp: &Idp, issuer: &Issuer, secret: &SecretString, name: &str, session: Option<SessionId>) -> [u8; 32] {
    let session = session.as_ref().map_or("", SessionId::as_str);
    idp.secrets.forms.tag(&[
        issuer.tenant.id.as_str().as_bytes(),
        secret.expose_secret().as_bytes(),
        name.as_bytes(),
        session.as_bytes(),
    ])
}

/// What browsers say about where a form came from, where they say it (Fetch Metadata, RFC 6454).
fn is_cross_site(request: &HttpRequest, issuer: &Issuer) -> bool {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site != "same-origin";
    }
    match text(header::ORIGIN.as_str()) {
        Some(origin) => !issuer.url.strip_prefix(origin).is_some_and(|path| path.is_empty() || path.starts_with('/')),
        None => false,
    }
}
