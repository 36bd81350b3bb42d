//! The refresh token grant (RFC 6749 §6) with rotation and reuse detection (RFC 9700 §4.14.2).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use oxide_auth::code_grant::refresh::{Input, Output, Refresh};
use oxide_auth::primitives::grant::{Extensions, Grant};
use secrecy::SecretString;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{GrantId, ScopeSet, UtcTime};

use super::TokenError;
use super::core::CoreParams;
use super::reply::{Exposed, TokenReply};
use crate::audit::{self, Entry, Source};
use crate::clients::Client;
use crate::fault::Fault;
use crate::memberships::person;
use crate::oauth::access_token::{self, Subject};
use crate::oauth::grants::{self, GrantRow, Revocation};
use crate::oauth::id_token;
use crate::oauth::refresh_token::{ChainState, Presented, RefreshToken};
use crate::oauth::registrar::scope_set;
use crate::params::Params;
use crate::sessions::Authentication;
use crate::state::{Idp, Parts};
use crate::tenants::Issuer;
use crate::users::User;

const NOT_GOOD: &str = "the refresh token is not good, or not for this client";

/// What a client is given for a user, once the transaction is committed.
#[derive(Debug)]
pub struct Granted {
    /// What the tokens come of.
    pub grant: GrantId,
    /// Who granted it.
    pub user: User,
    /// What this access token is good for.
    pub scope: ScopeSet,
    /// The `nonce` of the authorization request; not repeated on refresh.
    pub nonce: Option<String>,
    /// How and when the user signed in.
    pub authentication: Authentication,
    /// The next refresh token.
    pub refresh_token: Option<SecretString>,
}

/// What came of the transaction. All of it is committed.
enum Outcome {
    Granted(Box<Granted>),
    Refused(&'static str),
    InvalidScope,
}

/// Exchanges a refresh token for its successor and an access token.
pub async fn exchange(
    idp: &Idp,
    issuer: &Issuer,
    client: &Arc<Client>,
    params: Params,
) -> Result<HttpResponse, TokenError> {
    let token =
        params.get("refresh_token").ok_or_else(|| TokenError::InvalidRequest("refresh_token is missing".to_owned()))?;
    let presented = RefreshToken::parse(token).ok_or(TokenError::InvalidGrant(NOT_GOOD))?;
    let exchange = Exchange {
        idp: idp.parts(),
        scope: issuer.scope(),
        client: Arc::clone(client),
        now: idp.clock.now(),
        presented,
        params,
    };
    match idp.db.write(move |conn| exchange.run(conn)).await? {
        Outcome::Granted(granted) => respond(idp, issuer, client, &granted).await,
        Outcome::Refused(reason) => Err(TokenError::InvalidGrant(reason)),
        Outcome::InvalidScope => Err(TokenError::InvalidScope("scope is malformed or more than was granted")),
    }
}

struct Exchange {
    idp: Parts,
    scope: TenantScope,
    client: Arc<Client>,
    params: Params,
    presented: RefreshToken,
    now: UtcTime,
}

impl Exchange {
    fn run(&self, conn: &mut Connection) -> Result<Outcome, Fault> {
        let Some(grant) = grants::lock(conn, self.scope, self.presented.grant)? else {
            return Ok(Outcome::Refused(NOT_GOOD));
        };
        let Some(chain) = grant.chain().filter(|_| grant.client_id == self.client.row_id) else {
            return Ok(Outcome::Refused(NOT_GOOD));
        };
        let presented = self.presented.classify(&chain, &self.idp.refresh_chain, self.now, self.idp.refresh_grace);
        let (successor, is_new) = match presented {
            Presented::Current(successor) => (successor, true),
            Presented::Concurrent(successor) => (successor, false),
            Presented::Unknown => return Ok(Outcome::Refused(NOT_GOOD)),
            Presented::Reused => {
                self.revoke(conn, &grant)?;
                return Ok(Outcome::Refused(NOT_GOOD));
            }
        };
        if let Some(reason) = self.ended(&grant) {
            return Ok(Outcome::Refused(reason));
        }
        let Some(user) = person::find_signed_in(conn, self.scope, grant.user_id)? else {
            return Ok(Outcome::Refused("the user may not sign in"));
        };
        let Some(scope) = run_core(&self.client, &self.params, &grant)? else { return Ok(Outcome::InvalidScope) };
        if is_new {
            let next =
                ChainState { generation: successor.generation, hash: successor.hash(), rotated_at: Some(self.now) };
            grants::advance(conn, self.scope, grant.id, &next)?;
        }
        Ok(Outcome::Granted(Box::new(Granted {
            grant: grant.id,
            user,
            scope,
            nonce: None,
            authentication: grant.context.into_inner(),
            refresh_token: Some(successor.to_text()),
        })))
    }

    fn ended(&self, grant: &GrantRow) -> Option<&'static str> {
        let idle = Duration::from_secs(self.idp.refresh_idle_seconds);
        if grant.revoked_at.is_some() {
            Some("the grant was revoked")
        } else if grant.expires_at <= self.now || grant.last_used() + idle <= self.now {
            Some("the refresh token has expired")
        } else {
            None
        }
    }

    fn revoke(&self, conn: &mut Connection, grant: &GrantRow) -> Result<(), DbError> {
        if !grants::revoke(conn, self.scope, grant.id, self.now, Revocation::RefreshReused)? {
            return Ok(());
        }
        tracing::warn!(grant = %grant.id, client = %self.client.client_id, "a used refresh token came again: grant revoked");
        let entry = Entry {
            action: "grant.revoke",
            actor: format!("client:{}", self.client.client_id),
            target: format!("grant:{}", grant.id),
            detail: serde_json::json!({ "because": Revocation::RefreshReused, "user": grant.user_id }),
            source: &Source::default(),
        };
        audit::store::record(conn, self.scope, &*self.idp.clock, &*self.idp.random, &entry)
    }
}

/// oxide-auth's machine, for a client that has been authenticated: it checks the client, the expiry, and that the scope
/// is not more than was granted. The scope of the new access token, or `None`.
fn run_core(client: &Client, params: &Params, grant: &GrantRow) -> Result<Option<ScopeSet>, Fault> {
    let request = CoreParams { client, params };
    let scope = || params.get("scope").map(Cow::Borrowed);
    let mut machine = Refresh::new(&request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Unauthenticated { .. } => Input::Authenticated { scope: scope() },
            Output::RecoverRefresh { .. } => {
                Input::Recovered { scope: scope(), grant: Some(Box::new(stored_grant(client, grant)?)) }
            }
            Output::Refresh { grant, .. } => return Ok(Some(scope_set(&grant.scope))),
            Output::Ok(_) => return Err(Fault::Protocol("the refresh machine issued a token by itself")),
            // Client and expiry were found good before: only the scope is left.
            Output::Err(_) => return Ok(None),
        };
    }
}

fn stored_grant(client: &Client, grant: &GrantRow) -> Result<Grant, Fault> {
    Ok(Grant {
        owner_id: grant.user_id.to_string(),
        client_id: client.client_id.to_string(),
        scope: grant.scope.as_str().parse().map_err(|_| Fault::Protocol("a stored scope does not parse"))?,
        redirect_uri: "urn:ietf:wg:oauth:2.0:oob".parse().map_err(|_| Fault::Protocol("a constant does not parse"))?,
        until: grant.expires_at.to_datetime(),
        extensions: Extensions::new(),
    })
}

/// Signs what was granted and gives it to the client.
pub async fn respond(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    granted: &Granted,
) -> Result<HttpResponse, TokenError> {
    let keys = idp.keys.of(issuer.scope()).await.map_err(Fault::from)?;
    let now = idp.clock.now();
    let key = keys.signer(now).map_err(Fault::from)?;
    let subject = Subject::User {
        id: granted.user.id.as_str(),
        grant: granted.grant,
        authentication: &granted.authentication,
        roles: granted.scope.contains("roles").then_some(granted.user.roles.as_slice()),
    };
    let access_token = access_token::sign(idp, issuer, key, client.client_id.as_str(), &subject, &granted.scope, now)?;
    let id_token = if granted.scope.contains("openid") {
        Some(id_token::sign(idp, issuer, key, client, granted, &access_token, now)?)
    } else {
        None
    };
    let reply = TokenReply {
        access_token: &access_token,
        token_type: "Bearer",
        expires_in: idp.config.tokens.access_token_seconds,
        scope: granted.scope.as_str(),
        refresh_token: granted.refresh_token.as_ref().map(Exposed),
        id_token: id_token.as_deref(),
    };
    Ok(reply.respond())
}
