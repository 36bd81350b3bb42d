//! `GET /console/sign-in?tenant=…`: to the identity provider.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_types::Slug;

use super::cookies::Purpose;
use super::model::SIGN_IN_LIFETIME;
use super::pages::{LandingError, LandingPage, Language};
use super::parameters::Parameters;
use super::state::see_other;
use super::{Console, ConsoleError};
use crate::authn::IssuerError;

pub(super) async fn show(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    console.answer(&request, begin(&request, &console).await)
}

async fn begin(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let parameters = Parameters::parse(request.query_string().as_bytes())?;
    let asked = parameters.get("tenant").map_or(console.tenant.as_str(), str::trim);
    let Ok(tenant) = asked.parse::<Slug>() else { return unknown_tenant(console, asked) };
    // Asked first, because it remembers which tenants there are not.
    match console.authenticator.issuers().find(&console.relying_party.issuer_of(&tenant)).await {
        Ok(_) => {}
        Err(IssuerError::Unknown) => return unknown_tenant(console, asked),
        Err(IssuerError::Unavailable(_) | IssuerError::TooMany) => return unavailable(console, asked),
    }
    let (url, pending) = match console.relying_party.begin(tenant).await {
        Err(ConsoleError::Unavailable(_)) => return unavailable(console, asked),
        begun => begun?,
    };
    let cookie = console.cookies.make(Purpose::SignIn, console.pending.seal(&pending)?, SIGN_IN_LIFETIME);
    let mut response = see_other(url.as_str());
    // A cookie that is made of base64url always fits into a header.
    let _ = response.add_cookie(&cookie);
    Ok(response)
}

fn unknown_tenant(console: &Console, asked: &str) -> Result<HttpResponse, ConsoleError> {
    again(console, asked, LandingError::UnknownTenant, StatusCode::NOT_FOUND)
}

fn unavailable(console: &Console, asked: &str) -> Result<HttpResponse, ConsoleError> {
    again(console, asked, LandingError::ProviderUnavailable, StatusCode::SERVICE_UNAVAILABLE)
}

/// The landing page once more, with what went wrong.
fn again(
    console: &Console,
    asked: &str,
    error: LandingError,
    status: StatusCode,
) -> Result<HttpResponse, ConsoleError> {
    // What was typed is shown again to be mended, cut to what the field can hold.
    let tenant: String = asked.chars().take(63).collect();
    let page = LandingPage {
        language: Language::default(),
        form_action: "/console/sign-in",
        tenant: Some(&tenant),
        error: Some(error),
    };
    Ok(console.page(status, console.pages.landing(&page)?))
}
