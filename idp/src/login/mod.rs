//! What every hosted page needs: who is signed in, forms that only our own page can send, the headers of a page.

mod forms;
pub mod pages;

pub use forms::{Form, FormError};

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use secrecy::ExposeSecret;
use tenantry_types::Sha256Hash;

use crate::fault::Fault;
use crate::sessions::{self, CookieJar, Live, Session, cookie};
use crate::state::Idp;
use crate::tenants::Issuer;

/// Who is signed in with this browser.
pub async fn session_of(idp: &Idp, issuer: &Issuer, request: &HttpRequest) -> Result<Option<Session>, Fault> {
    let Some(secret) = CookieJar::of(issuer).get(request, cookie::SESSION) else { return Ok(None) };
    let hash = Sha256Hash::of(secret.expose_secret());
    let scope = issuer.scope();
    let live = Live::at(idp.clock.now(), &idp.config.sessions);
    Ok(idp.db.read(move |conn| sessions::store::find(conn, scope, live, &hash)).await?)
}

/// `303 See Other`: whatever the method was, the browser comes with GET and without the form (RFC 9700 §4.12).
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
