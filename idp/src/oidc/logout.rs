//! Sign-out (OpenID Connect RP-Initiated Logout 1.0).

use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_web::problems::Body;
use url::form_urlencoded;

use crate::accounts;
use crate::audit::{Author, Source};
use crate::clients::Client;
use crate::fault::Fault;
use crate::login::{Form, pages, see_other, session_of};
use crate::memberships::person;
use crate::oauth::grants::Revocation;
use crate::oauth::id_token::{self, Hint};
use crate::pages::{HiddenField, Language, SignOutPage, SignedOutPage};
use crate::params::Params;
use crate::sessions::{CookieJar, Session, cookie};
use crate::state::Idp;
use crate::tenants::{self, Issuer};

const FORM: &str = "sign-out";
/// The parameters that the page carries through the confirmation.
const CARRIED: &[&str] = &["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// `GET` and `POST {issuer}/oauth2/end_session`.
///
/// With an `id_token_hint` of the session that is signed in, the client is known to be asking for its user, and the
/// session ends at once. Without, any page could have sent the browser here: the user is asked first (§2).
pub async fn end_session(
    issuer: Issuer,
    idp: Data<Idp>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, Fault> {
    let by_post = request.method() == Method::POST;
    let raw = if by_post { &body[..] } else { request.query_string().as_bytes() };
    let Ok(params) = Params::parse(raw) else {
        return pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, "The request says something twice.");
    };
    let hint = match params.get("id_token_hint") {
        Some(token) => id_token::hinted(&idp, &issuer, token).await?,
        None => None,
    };
    let session = session_of(&idp, &issuer, &request).await?;
    let Some(target) = target(&idp, &issuer, &params, hint.as_ref()).await? else {
        let message = "The application asked to return to an address that is not registered for it.";
        return pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, message);
    };
    let confirmed = by_post
        && params.get("csrf").is_some()
        && Form::read(&idp, &issuer, &request, &body, FORM, session.as_ref().map(|session| session.id)).is_ok();
    match session {
        Some(session) if confirmed || is_of(hint.as_ref(), &session) => {
            end(&idp, &issuer, &request, &session).await?;
            signed_out(&idp, &issuer, &target)
        }
        Some(session) => ask(&idp, &issuer, &request, &params, &target, &session).await,
        None => signed_out(&idp, &issuer, &target),
    }
}

fn is_of(hint: Option<&Hint>, session: &Session) -> bool {
    hint.is_some_and(|hint| hint.session == Some(session.id))
}

/// Where the browser goes afterwards.
struct Target {
    client: Option<std::sync::Arc<Client>>,
    location: Option<String>,
}

/// `None` when the request names an address that its client has not registered: it is never gone to.
async fn target(idp: &Idp, issuer: &Issuer, params: &Params, hint: Option<&Hint>) -> Result<Option<Target>, Fault> {
    let named = params.get("client_id");
    let client_id = hint.map(|hint| hint.client_id.as_str()).or(named);
    // §2: where both are there, they must agree.
    if let (Some(hint), Some(named)) = (hint, named)
        && hint.client_id != named
    {
        return Ok(None);
    }
    let client = match client_id {
        Some(client_id) => idp.clients.find(issuer.scope(), client_id).await?,
        None => None,
    };
    let Some(uri) = params.get("post_logout_redirect_uri") else {
        return Ok(Some(Target { client, location: None }));
    };
    let registered =
        client.as_ref().is_some_and(|client| client.post_logout_redirect_uris.iter().any(|known| known.matches(uri)));
    if !registered {
        return Ok(None);
    }
    let location = match params.get("state") {
        None => uri.to_owned(),
        Some(state) => {
            let query = form_urlencoded::Serializer::new(String::new()).append_pair("state", state).finish();
            format!("{uri}{}{query}", if uri.contains('?') { "&" } else { "?" })
        }
    };
    Ok(Some(Target { client, location: Some(location) }))
}

async fn end(idp: &Idp, issuer: &Issuer, request: &HttpRequest, session: &Session) -> Result<(), Fault> {
    let scope = issuer.scope();
    let (id, user) = (session.id, session.user_id);
    let author = Author {
        clock: std::sync::Arc::clone(&idp.clock),
        random: std::sync::Arc::clone(&idp.random),
        actor: format!("user:{user}"),
        source: Source::of(request),
    };
    idp.change(move |conn| {
        tenants::store::lock(conn, scope)?;
        accounts::end_session(conn, scope, &author, id, Revocation::SignedOut)
    })
    .await?;
    Ok(())
}

fn signed_out(idp: &Idp, issuer: &Issuer, target: &Target) -> Result<HttpResponse, Fault> {
    let mut response = match &target.location {
        Some(location) => see_other(location),
        None => {
            let page = SignedOutPage {
                language: Language::default(),
                tenant_name: issuer.tenant.name.as_str(),
                return_to: None,
            };
            pages::respond(StatusCode::OK, idp.pages.signed_out(&page)?, None, None)
        }
    };
    let removal = CookieJar::of(issuer).removal(cookie::SESSION);
    response.add_cookie(&removal).map_err(|_| Fault::Protocol("a cookie could not be removed"))?;
    Ok(response)
}

async fn ask(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    params: &Params,
    target: &Target,
    session: &Session,
) -> Result<HttpResponse, Fault> {
    let (scope, id) = (issuer.scope(), session.user_id);
    let found = idp.db.read(move |conn| person::find(conn, scope, id)).await?;
    let name = found.map(|person| person.user.display()).unwrap_or_default();
    let form = Form::new(idp, issuer, request, FORM, Some(session.id));
    let action = issuer.path("/oauth2/end_session");
    let carried: Vec<_> =
        CARRIED.iter().filter_map(|&name| Some(HiddenField { name, value: params.get(name)? })).collect();
    let page = SignOutPage {
        language: Language::default(),
        tenant_name: issuer.tenant.name.as_str(),
        client_name: target.client.as_ref().map(|client| client.name.as_str()),
        user_display: &name,
        form_action: &action,
        csrf: &form.tag,
        hidden_fields: &carried,
    };
    let html = idp.pages.sign_out(&page)?;
    Ok(pages::respond(StatusCode::OK, html, target.location.as_deref(), form.cookie))
}
