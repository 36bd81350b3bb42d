//! `POST /console/sign-out` and where it ends, `GET /console/signed-out`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use tenantry_web::problems::Body;

use super::cookies::Purpose;
use super::pages::{Language, SignedOutPage};
use super::parameters::Parameters;
use super::state::see_other;
use super::{Console, ConsoleError};

/// Where the provider sends the browser back to.
pub(super) const SIGNED_OUT: &str = "/console/signed-out";

pub(super) async fn submit(request: HttpRequest, body: Body, console: Data<Console>) -> HttpResponse {
    console.answer(&request, sign_out(&request, &body, &console).await)
}

/// Ends the session here, whatever becomes of the one at the provider.
async fn sign_out(request: &HttpRequest, body: &Body, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let secret = console.cookies.get(request, Purpose::Session).ok_or(ConsoleError::Forged)?;
    let form = Parameters::parse(&body.0)?;
    let Some((session, id_token)) = console.sessions.peek(&secret).await? else {
        return Ok(without_session(console, SIGNED_OUT));
    };
    let csrf = form.get("csrf").unwrap_or_default();
    verify_slices_are_equal(csrf.as_bytes(), session.csrf_token.as_bytes()).map_err(|_| ConsoleError::Forged)?;
    console.sessions.end(&session).await?;
    let onwards = match console.relying_party.end_session(&session.issuer, &id_token).await {
        Ok(url) => url,
        Err(error) => {
            tracing::warn!(%error, "signed out here, but not at the identity provider");
            None
        }
    };
    Ok(without_session(console, onwards.as_ref().map_or(SIGNED_OUT, url::Url::as_str)))
}

fn without_session(console: &Console, location: &str) -> HttpResponse {
    let mut response = see_other(location);
    let _ = response.add_cookie(&console.cookies.removal(Purpose::Session));
    response
}

pub(super) async fn show_signed_out(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    let page = SignedOutPage { language: Language::default(), sign_in_path: "/console" };
    let made = console.pages.signed_out(&page).map(|html| console.page(StatusCode::OK, html));
    console.answer(&request, made.map_err(Into::into))
}
