//! The HTTP of the authorization endpoint.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_web::problems::Body;
use tenantry_web::telemetry::with_causes;

use super::decision::{Next, decide};
use super::error::{AuthorizeError, ErrorCode, RedirectError};
use super::interaction::{Interaction, LONGEST_QUERY, redirect_to_page};
use super::request::AuthorizationRequest;
use super::{checks, issue};
use crate::consent;
use crate::fault::Fault;
use crate::login::{self, pages};
use crate::oauth::id_token;
use crate::params::Params;
use crate::state::Idp;
use crate::tenants::Issuer;

/// `GET {issuer}/oauth2/authorize`: a new request, or one that returns from the hosted pages (`interaction`).
pub async fn by_get(issuer: Issuer, idp: Data<Idp>, request: HttpRequest) -> Result<HttpResponse, Fault> {
    authorize(&issuer, &idp, &request, request.query_string().as_bytes()).await
}

/// `POST {issuer}/oauth2/authorize`: the same in a form (OpenID Connect Core §3.1.2.1).
pub async fn by_post(
    issuer: Issuer,
    idp: Data<Idp>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, Fault> {
    authorize(&issuer, &idp, &request, &body).await
}

async fn authorize(issuer: &Issuer, idp: &Idp, request: &HttpRequest, raw: &[u8]) -> Result<HttpResponse, Fault> {
    match answer(issuer, idp, request, raw).await {
        Ok(response) => Ok(response),
        Err(AuthorizeError::Page(message)) => pages::error(idp, issuer, request, StatusCode::BAD_REQUEST, message),
        Err(AuthorizeError::Redirect { redirect_uri, state, error }) => {
            Ok(issue::error(issuer, &redirect_uri, state.as_deref(), &error))
        }
        Err(AuthorizeError::Fault(fault)) => Err(fault),
    }
}

async fn answer(issuer: &Issuer, idp: &Idp, request: &HttpRequest, raw: &[u8]) -> Result<HttpResponse, AuthorizeError> {
    let interaction = begin_or_resume(issuer, idp, raw)?;
    let params = interaction.params();
    let client_id = params.get("client_id").ok_or(AuthorizeError::Page("The application did not say who it is."))?;
    let client = idp.clients.find(issuer.scope(), client_id).await.map_err(Fault::from)?;
    let client = client.ok_or(AuthorizeError::Page("The application is not registered here."))?;
    let authorization = checks::check(&params, client)?;
    // From here on the client is told. A redirect carries no status (RFC 6749 §4.1.2.1): it is said in the error.
    let (redirect_uri, state) = (authorization.redirect_uri.clone(), authorization.state.clone());
    let told = |error| AuthorizeError::Redirect { redirect_uri, state, error };
    match proceed(issuer, idp, request, &interaction, &params, authorization).await {
        Ok(Ok(response)) => Ok(response),
        Ok(Err(refusal)) => Err(told(refusal)),
        Err(fault) => {
            tracing::error!(cause = with_causes(&fault), "an authorization request failed");
            let (code, description) = if fault.is_transient() {
                (ErrorCode::TemporarilyUnavailable, "please try again in a moment")
            } else {
                (ErrorCode::ServerError, "something went wrong on our side")
            };
            Err(told(RedirectError::new(code, description)))
        }
    }
}

/// What a good request leads to.
async fn proceed(
    issuer: &Issuer,
    idp: &Idp,
    request: &HttpRequest,
    interaction: &Interaction,
    params: &Params,
    mut authorization: AuthorizationRequest,
) -> Result<Result<HttpResponse, RedirectError>, Fault> {
    if let Some(hint) = params.get("id_token_hint") {
        authorization.hinted_subject = id_token::hinted(idp, issuer, hint).await?.map(|hint| hint.subject);
    }

    let session = login::session_of(idp, issuer, request).await?;
    let consent = match &session {
        Some(session) => {
            let (scope, user, client) = (issuer.scope(), session.user_id, authorization.client.row_id);
            idp.db.read(move |conn| consent::store::find(conn, scope, user, client)).await?
        }
        None => None,
    };
    let now = idp.clock.now();
    let next = match decide(&authorization, session.as_ref(), consent.as_ref(), interaction.started_at(), now) {
        Ok(next) => next,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let response = match (next, session) {
        (Next::Issue, Some(session)) => issue::code(idp, issuer, &authorization, &session).await?,
        (Next::Consent(_), Some(_)) => redirect_to_page(idp, issuer, "/consent", interaction)?,
        _ => redirect_to_page(idp, issuer, "/sign-in", interaction)?,
    };
    Ok(Ok(response))
}

fn begin_or_resume(issuer: &Issuer, idp: &Idp, raw: &[u8]) -> Result<Interaction, AuthorizeError> {
    if raw.len() > 4 * LONGEST_QUERY {
        return Err(AuthorizeError::Page("The request of the application is too long."));
    }
    let params = Params::parse(raw)
        .map_err(|_| AuthorizeError::Page("The request of the application says something twice, or too much."))?;
    match params.get("interaction") {
        Some(token) => Interaction::open(token, &idp.secrets.interaction, issuer.tenant.id, idp.clock.now()).ok_or(
            AuthorizeError::Page("This sign-in took too long. Please go back to the application and begin again."),
        ),
        None if raw.len() > LONGEST_QUERY => Err(AuthorizeError::Page("The request of the application is too long.")),
        None => Ok(Interaction::begin(&params, idp.clock.now())),
    }
}
