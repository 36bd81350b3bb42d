//! `GET /console/sign-in?tenant=…&return_to=…`: to the identity provider; with `acr_values` and `max_age` for a stronger or
//! newer sign-in.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_types::Slug;

use super::cookies::Purpose;
use super::model::SIGN_IN_LIFETIME;
use super::pages::LandingError;
use super::parameters::Parameters;
use super::relying_party::Strength;
use super::return_path::ReturnPath;
use super::state::see_other;
use super::{Console, ConsoleError};
use crate::authn::IssuerError;

pub(super) async fn show(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    console.answer(&request, begin(&request, &console).await)
}

async fn begin(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let parameters = Parameters::parse(request.query_string().as_bytes())?;
    let asked = parameters.get("tenant").map_or(console.tenant.as_str(), str::trim);
    // Whatever else somebody wrote there leads to the overview.
    let return_to = parameters.get("return_to").and_then(|path| path.parse::<ReturnPath>().ok());
    let again = |error| again(console, asked, return_to.as_ref(), error);
    let Ok(tenant) = asked.parse::<Slug>() else { return again(LandingError::UnknownTenant) };
    // Asked first, because it remembers which tenants there are not.
    let issuer = match console.authenticator.issuers().find(&console.relying_party.issuer_of(&tenant)).await {
        Ok(issuer) => issuer,
        Err(IssuerError::Unknown) => return again(LandingError::UnknownTenant),
        Err(IssuerError::Unavailable(_) | IssuerError::TooMany) => return again(LandingError::ProviderUnavailable),
    };
    // No secret: the identity provider publishes it with the issuer.
    console.check_in_use(&issuer.tenant).await?;
    let strength = Strength::of(parameters.get("acr_values"), parameters.get("max_age"));
    let (url, mut pending) = match console.relying_party.begin(tenant, &strength).await {
        Err(ConsoleError::Unavailable(_)) => return again(LandingError::ProviderUnavailable),
        begun => begun?,
    };
    pending.return_to.clone_from(&return_to);
    let cookie = console.cookies.make(Purpose::SignIn, console.pending.seal(&pending)?, SIGN_IN_LIFETIME);
    let mut response = see_other(url.as_str());
    // A cookie that is made of base64url always fits into a header.
    let _ = response.add_cookie(&cookie);
    Ok(response)
}

/// The landing page once more, with what went wrong.
fn again(
    console: &Console,
    asked: &str,
    return_to: Option<&ReturnPath>,
    error: LandingError,
) -> Result<HttpResponse, ConsoleError> {
    let status = match error {
        LandingError::UnknownTenant => StatusCode::NOT_FOUND,
        LandingError::ProviderUnavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    // What was typed is shown again to be mended, cut to what the field can hold.
    let tenant: String = asked.chars().take(63).collect();
    console.landing(status, Some(&tenant), return_to, Some(error))
}
