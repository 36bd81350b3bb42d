//! `GET /console/callback`: back from the identity provider. The steps in turn, each a rule.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::ExposeSecret as _;

use super::cookies::Purpose;
use super::error::ProviderCode;
use super::model::PendingSignIn;
use super::parameters::Parameters;
use super::relying_party::Granted;
use super::return_path::ReturnPath;
use super::state::see_other;
use super::{Console, ConsoleError};
use crate::authn::{Principal, Subject};

pub(super) async fn show(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    let mut response = console.answer(&request, complete(&request, &console).await);
    // A sign-in comes back once, whatever came of it.
    let _ = response.add_cookie(&console.cookies.removal(Purpose::SignIn));
    response
}

async fn complete(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let parameters = Parameters::parse(request.query_string().as_bytes())?;
    let pending = sign_in_under_way(request, console)?;
    check_state(&parameters, &pending)?;
    check_issuer(&parameters, &pending)?;
    check_error(&parameters)?;
    let code = parameters.get("code").ok_or(ConsoleError::Malformed)?;
    let granted = console.relying_party.complete(&pending, code.to_owned()).await?;
    let principal =
        console.authenticator.authenticate(granted.tokens.access_token()).await.map_err(ConsoleError::Token)?;
    check_subject(&principal, &granted, &pending)?;
    console.check_in_use(&principal.tenant).await?;
    let old = console.cookies.get(request, Purpose::Session);
    let secret = console.sessions.begin(&principal, &pending.issuer, &granted, old.as_deref()).await?;
    let cookie = console.cookies.make(Purpose::Session, secret.expose_secret().to_owned(), console.sessions.absolute);
    let mut response = see_other(pending.return_to.as_ref().map_or("/console", ReturnPath::as_str));
    // A cookie that is made of base64url always fits into a header.
    let _ = response.add_cookie(&cookie);
    Ok(response)
}

/// What this browser began. Without it the answer is somebody else's (RFC 9700 §4.7).
fn sign_in_under_way(request: &HttpRequest, console: &Console) -> Result<PendingSignIn, ConsoleError> {
    let sealed = console.cookies.get(request, Purpose::SignIn).ok_or(ConsoleError::NotUnderWay)?;
    // Whatever the browser sends that is not ours is no sign-in of ours.
    let pending = console.pending.open(&sealed).map_err(|_| ConsoleError::NotUnderWay)?;
    if pending.is_over(console.api.clock.now()) { Err(ConsoleError::NotUnderWay) } else { Ok(pending) }
}

/// The answer belongs to the request of this browser (RFC 6749 §10.12).
fn check_state(parameters: &Parameters, pending: &PendingSignIn) -> Result<(), ConsoleError> {
    let state = parameters.get("state").unwrap_or_default();
    verify_slices_are_equal(state.as_bytes(), pending.state.as_bytes()).map_err(|_| ConsoleError::OtherState)
}

/// The answer comes from who was asked (RFC 9207 §2.4). Our provider always says who it is.
fn check_issuer(parameters: &Parameters, pending: &PendingSignIn) -> Result<(), ConsoleError> {
    if parameters.get("iss") == Some(pending.issuer.as_str()) { Ok(()) } else { Err(ConsoleError::OtherIssuer) }
}

/// The provider may have said no (RFC 6749 §4.1.2.1).
fn check_error(parameters: &Parameters) -> Result<(), ConsoleError> {
    match parameters.get("error") {
        None => Ok(()),
        Some(code) => Err(ConsoleError::Refused(code.parse().unwrap_or(ProviderCode::Other))),
    }
}

/// Both tokens are of the same person, at the tenant that was asked.
fn check_subject(principal: &Principal, granted: &Granted, pending: &PendingSignIn) -> Result<(), ConsoleError> {
    let is_same = matches!(&principal.subject, Subject::User(id) if id.as_str() == granted.subject);
    if is_same && principal.tenant.slug == pending.tenant {
        Ok(())
    } else {
        Err(ConsoleError::Provider("the access token is not of who signed in".to_owned()))
    }
}
