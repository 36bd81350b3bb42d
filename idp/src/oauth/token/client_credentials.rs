//! The client credentials grant (RFC 6749 §4.4). Nothing is stored: the token is all there is.

use actix_web::HttpResponse;
use oxide_auth::code_grant::client_credentials::{ClientCredentials, Input, Output};
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::Registrar as _;
use tenantry_types::ScopeSet;

use super::TokenError;
use super::core::CoreParams;
use super::reply::TokenReply;
use crate::clients::Client;
use crate::clients::management::TokenFor;
use crate::fault::Fault;
use crate::oauth::access_token::{self, Subject};
use crate::oauth::registrar::{OneClient, scope_set};
use crate::params::Params;
use crate::state::Idp;
use crate::tenants::Issuer;

/// Scopes that only a person can grant.
const OF_PEOPLE: &[&str] = &["openid", "profile", "email", "phone", "address", "offline_access", "roles", "api"];

/// Gives the client a token of its own.
pub async fn exchange(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    params: &Params,
) -> Result<HttpResponse, TokenError> {
    let scope = run_core(client, params)?;
    match TokenFor::of(&scope) {
        Some(TokenFor::Resources) => {}
        Some(TokenFor::Management) if issuer.tenant.is_platform => {}
        Some(TokenFor::Management) => {
            return Err(TokenError::InvalidScope("admin.… is for clients of platform tenants"));
        }
        None => return Err(TokenError::InvalidScope("admin.… cannot be asked for together with other scopes")),
    }
    let keys = idp.keys.of(issuer.scope()).await.map_err(Fault::from)?;
    let now = idp.clock.now();
    let key = keys.signer(now).map_err(Fault::from)?;
    let token = access_token::sign(idp, issuer, key, client.client_id.as_str(), &Subject::Client, &scope, now)?;
    let reply = TokenReply {
        access_token: &token,
        token_type: "Bearer",
        expires_in: idp.config.tokens.access_token_seconds,
        scope: scope.as_str(),
        refresh_token: None,
        id_token: None,
    };
    Ok(reply.respond())
}

/// oxide-auth's machine, for a client that has been authenticated: it negotiates the scope.
fn run_core(client: &Client, params: &Params) -> Result<ScopeSet, TokenError> {
    let allowed: ScopeSet = client.scope.iter().filter(|scope| !OF_PEOPLE.contains(scope)).collect();
    let registrar = OneClient { client, allowed: &allowed, default: &allowed };
    let mut machine = ClientCredentials::new(&CoreParams { client, params });
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Binding { .. } => {
                let bound = registrar.bind_without_redirect().map_err(|_| Fault::Protocol("no client to bind"))?;
                Input::Bound { bound_client: bound }
            }
            Output::Extend => Input::Extended { extensions: Extensions::new() },
            Output::Negotiate { bound_client, scope } => {
                let pre_grant = registrar
                    .negotiate(bound_client.clone(), scope)
                    .map_err(|_| TokenError::InvalidScope("the client may not ask for one of these scopes"))?;
                Input::Negotiated { pre_grant }
            }
            Output::Ok { pre_grant, .. } => return Ok(scope_set(&pre_grant.scope)),
            // Everything else was checked before: only a malformed scope is left.
            Output::Err(_) => return Err(TokenError::InvalidScope("scope is malformed")),
        };
    }
}
