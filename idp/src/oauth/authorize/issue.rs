//! The answer of the authorization endpoint.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header;
use secrecy::ExposeSecret;
use tenantry_types::{JsonText, Sha256Hash, random_token};
use url::form_urlencoded;

use super::checks::stored_extensions;
use super::error::RedirectError;
use super::request::AuthorizationRequest;
use crate::fault::Fault;
use crate::oauth::codes::{self, CodeRow};
use crate::sessions::Session;
use crate::state::Idp;
use crate::tenants::Issuer;

/// Makes a code for the request of a signed-in user and sends the browser back to the client with it.
pub async fn code(
    idp: &Idp,
    issuer: &Issuer,
    request: &AuthorizationRequest,
    session: &Session,
) -> Result<HttpResponse, Fault> {
    let now = idp.clock.now();
    let code = random_token(&*idp.random);
    let row = CodeRow {
        code_hash: Sha256Hash::of(code.expose_secret()),
        tenant_id: issuer.tenant.id,
        client_id: request.client.row_id,
        user_id: session.user_id,
        session_id: session.id,
        redirect_uri: request.redirect_uri.clone(),
        scope: request.scope.clone(),
        nonce: request.nonce.clone(),
        extensions: JsonText::new(stored_extensions(&request.extensions))?,
        context: JsonText::new(session.authentication())?,
        created_at: now,
        expires_at: now + Duration::from_secs(idp.config.tokens.code_seconds),
        used_at: None,
        grant_id: None,
    };
    let (scope, session_id) = (issuer.scope(), session.id);
    idp.db
        .write(move |conn| {
            crate::sessions::store::touch(conn, scope, session_id, now)?;
            codes::insert(conn, row.clone())
        })
        .await?;
    let mut answer = vec![("code", code.expose_secret())];
    if let Some(state) = &request.state {
        answer.push(("state", state));
    }
    Ok(redirect(issuer, &request.redirect_uri, &answer))
}

/// Sends the browser back to the client with an error.
pub fn error(issuer: &Issuer, redirect_uri: &str, state: Option<&str>, error: &RedirectError) -> HttpResponse {
    let mut answer = vec![("error", error.code.as_str()), ("error_description", error.description)];
    if let Some(state) = state {
        answer.push(("state", state));
    }
    redirect(issuer, redirect_uri, &answer)
}

/// Always with `iss` (RFC 9207 §2), always 303, so that no form is sent on (RFC 9700 §4.12).
fn redirect(issuer: &Issuer, redirect_uri: &str, answer: &[(&str, &str)]) -> HttpResponse {
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(answer).append_pair("iss", &issuer.url).finish();
    // A registered URI has no fragment and keeps the query that it was registered with (RFC 6749 §3.1.2).
    let separator = match redirect_uri.find('?') {
        None => "?",
        Some(_) if redirect_uri.ends_with(['?', '&']) => "",
        Some(_) => "&",
    };
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("{redirect_uri}{separator}{query}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
