//! `GET /console/{section}/…`: the pages that scripts make.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::cookies::Purpose;
use super::pages::{Language, Section, ShellPage};
use super::return_path::ReturnPath;
use super::{Console, ConsoleError};

pub(super) async fn show(request: HttpRequest, console: Data<Console>) -> HttpResponse {
    console.answer(&request, shell_or_landing(&request, &console).await)
}

async fn shell_or_landing(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let section = request.match_info().get("section").and_then(Section::of_segment).ok_or(ConsoleError::NotFound)?;
    let Some(secret) = console.cookies.get(request, Purpose::Session) else { return landing(request, console) };
    let Some((signed_in, principal)) = console.signed_in(&secret).await? else {
        let mut response = landing(request, console)?;
        let _ = response.add_cookie(&console.cookies.removal(Purpose::Session));
        return Ok(response);
    };
    tenantry_web::telemetry::record_tenant(request, principal.tenant.slug.as_str());
    let authority = console.control.authority(&principal, None).await?;
    let page = ShellPage {
        language: Language::default(),
        section,
        subject: &signed_in.session.subject,
        name: signed_in.tokens.name.as_deref(),
        tenant_id: principal.tenant.id.as_str(),
        tenant_slug: principal.tenant.slug.as_str(),
        is_platform: principal.tenant.is_platform,
        permissions: &console.permissions(&authority),
        sign_out_action: "/console/sign-out",
        csrf: &signed_in.session.csrf_token,
    };
    Ok(console.scripted_page(StatusCode::OK, console.pages.shell(&page)?))
}

/// Where to sign in, to come back here.
fn landing(request: &HttpRequest, console: &Console) -> Result<HttpResponse, ConsoleError> {
    let here = request.uri().path_and_query().and_then(|here| here.as_str().parse::<ReturnPath>().ok());
    console.landing(StatusCode::OK, Some(console.tenant.as_str()), here.as_ref(), None)
}
