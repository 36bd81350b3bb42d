//! `GET /console`: who is signed in, or where to.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::Purpose;
use super::pages::{Language, Lifetime, Lifetimes, OverviewPage};
use super::sessions::SignedIn;
use super::{Console, ConsoleError};
use crate::access::Authority;

pub(super) async fn show(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    console.answer(&request, overview_or_landing(&request, &console).await)
}

async fn overview_or_landing(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let Some(secret) = console.cookies.get(request, Purpose::Session) else { return landing(console) };
    let Some((signed_in, principal)) = console.signed_in(&secret).await? else {
        let mut response = landing(console)?;
        let _ = response.add_cookie(&console.cookies.removal(Purpose::Session));
        return Ok(response);
    };
    tenantry_web::telemetry::record_tenant(request, principal.tenant.slug.as_str());
    let authority = console.control.authority(&principal, None).await?;
    overview(console, &signed_in, &authority)
}

fn landing(console: &Console) -> Result<HttpResponse, ConsoleError> {
    console.landing(StatusCode::OK, Some(console.tenant.as_str()), None, None)
}

fn overview(console: &Console, signed_in: &SignedIn, authority: &Authority) -> Result<HttpResponse, ConsoleError> {
    let principal = authority.principal();
    let SignedIn { session, tokens } = signed_in;
    let roles = authority.roles();
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    let scopes: Vec<&str> = principal.scopes.iter().collect();
    let page = OverviewPage {
        language: Language::default(),
        now: console.api.clock.now(),
        issuer: &session.issuer,
        subject: &session.subject,
        name: tokens.name.as_deref(),
        tenant_id: principal.tenant.id.as_str(),
        tenant_slug: principal.tenant.slug.as_str(),
        tenant_name: &principal.tenant.name,
        roles: &roles,
        scopes: &scopes,
        permissions: &console.permissions(authority),
        lifetimes: Lifetimes {
            session: Lifetime::Until(session.ends_at(console.sessions.idle)),
            id_token: Lifetime::Until(tokens.id_expires_at),
            access_token: Lifetime::Until(principal.expires_at),
            refresh_token: if tokens.refresh_token().is_some() { Lifetime::Unstated } else { Lifetime::Absent },
        },
        sign_out_action: "/console/sign-out",
        csrf: &session.csrf_token,
    };
    Ok(console.page(StatusCode::OK, console.pages.overview(&page)?))
}
