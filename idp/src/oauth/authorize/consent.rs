//! The consent page.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_web::problems::Body;
use url::Url;

use super::interaction::{Interaction, redirect_with_interaction};
use super::{AuthorizationRequest, AuthorizeError, ErrorCode, RedirectError, checks, issue};
use crate::audit::{self, Entry, Source};
use crate::consent;
use crate::fault::Fault;
use crate::login::{Form, pages, session_of};
use crate::memberships::person;
use crate::pages::{ConsentPage, Language, RequestedScope, WebLink};
use crate::params::Params;
use crate::sessions::Session;
use crate::state::Idp;
use crate::tenants::Issuer;

const FORM: &str = "consent";
const EXPIRED: &str =
    "This took too long, or you are no longer signed in. Please go back to the application and begin again.";

/// A checked request of a signed-in user.
struct Waiting {
    token: String,
    request: AuthorizationRequest,
    session: Session,
}

impl Waiting {
    async fn open(idp: &Idp, issuer: &Issuer, http: &HttpRequest, params: &Params) -> Result<Option<Self>, Fault> {
        let Some(token) = params.get("interaction") else { return Ok(None) };
        let opened = Interaction::open(token, &idp.secrets.interaction, issuer.tenant.id, idp.clock.now());
        let (Some(interaction), Some(session)) = (opened, session_of(idp, issuer, http).await?) else {
            return Ok(None);
        };
        let params = interaction.params();
        let client = idp.clients.find(issuer.scope(), params.get("client_id").unwrap_or_default()).await?;
        let Some(client) = client else { return Ok(None) };
        match checks::check(&params, client) {
            Ok(request) => Ok(Some(Self { token: token.to_owned(), request, session })),
            Err(AuthorizeError::Fault(fault)) => Err(fault),
            Err(_) => Ok(None),
        }
    }
}

/// `GET {issuer}/consent?interaction=…`: what the client asks for.
pub async fn show(issuer: Issuer, idp: Data<Idp>, request: HttpRequest) -> Result<HttpResponse, Fault> {
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    let Some(waiting) = Waiting::open(&idp, &issuer, &request, &params).await? else {
        return pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, EXPIRED);
    };
    let (scope, id) = (issuer.scope(), waiting.session.user_id);
    let found = idp.db.read(move |conn| person::find(conn, scope, id)).await?;
    let client = &waiting.request.client;
    let form = Form::new(&idp, &issuer, &request, FORM, Some(waiting.session.id));
    let action = issuer.path("/consent");
    let client_uri = client.client_uri.as_deref().and_then(WebLink::parse);
    let return_host = Url::parse(&waiting.request.redirect_uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let scopes: Vec<_> =
        waiting.request.scope.iter().map(|scope| RequestedScope::describe(scope, Language::default())).collect();
    let name = found.map(|person| person.user.display()).unwrap_or_default();
    let page = ConsentPage {
        language: Language::default(),
        tenant_name: issuer.tenant.name.as_str(),
        client_name: client.name.as_str(),
        client_uri: client_uri.as_ref(),
        return_host: return_host.as_deref(),
        user_display: &name,
        scopes: &scopes,
        form_action: &action,
        interaction: &waiting.token,
        csrf: &form.tag,
        use_another_account: None,
    };
    let html = idp.pages.consent(&page)?;
    Ok(pages::respond(StatusCode::OK, html, Some(&waiting.request.redirect_uri), form.cookie))
}

/// `POST {issuer}/consent`: `decision` is `allow` or `deny`.
pub async fn decide(
    issuer: Issuer,
    idp: Data<Idp>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, Fault> {
    let session = session_of(&idp, &issuer, &request).await?.map(|session| session.id);
    let params = match Form::read(&idp, &issuer, &request, &body, FORM, session) {
        Ok(params) => params,
        Err(error) => {
            let message = format!("Nothing was allowed: {error}.");
            return pages::error(&idp, &issuer, &request, error.status(), &message);
        }
    };
    let Some(waiting) = Waiting::open(&idp, &issuer, &request, &params).await? else {
        return pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, EXPIRED);
    };
    match params.get("decision") {
        Some("allow") => {
            allow(&idp, &issuer, &request, &waiting).await?;
            Ok(redirect_with_interaction(&issuer, "/oauth2/authorize", &waiting.token))
        }
        Some("deny") => {
            let denied = RedirectError::new(ErrorCode::AccessDenied, "the user did not allow it");
            Ok(issue::error(&issuer, &waiting.request.redirect_uri, waiting.request.state.as_deref(), &denied))
        }
        _ => pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, "The decision was neither allow nor deny."),
    }
}

async fn allow(idp: &Idp, issuer: &Issuer, request: &HttpRequest, waiting: &Waiting) -> Result<(), Fault> {
    let now = idp.clock.now();
    let (scope, parts, source) = (issuer.scope(), idp.parts(), Source::of(request));
    let (user, client) = (waiting.session.user_id, waiting.request.client.row_id);
    let (client_id, allowed) = (waiting.request.client.client_id.to_string(), waiting.request.scope.clone());
    idp.db
        .write(move |conn| {
            consent::store::grant(conn, scope, user, client, &allowed, now)?;
            let entry = Entry {
                action: "consent.grant",
                actor: format!("user:{user}"),
                target: format!("client:{client_id}"),
                detail: serde_json::json!({ "scope": allowed }),
                source: &source,
            };
            audit::store::record(conn, scope, &*parts.clock, &*parts.random, &entry)
        })
        .await?;
    Ok(())
}
