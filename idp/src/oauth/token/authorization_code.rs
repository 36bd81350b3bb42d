//! The authorization code grant (RFC 6749 §4.1.3).
//!
//! The whole exchange is one transaction. A code is used up by the first presentation of its own client, right or
//! wrong; presented again it takes back what the first gave (RFC 6749 §4.1.2).

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpResponse;
use oxide_auth::code_grant::accesstoken::{AccessToken, Input, Output};
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::primitives::grant::{Extensions, Grant, Value};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_jose::is_code_verifier;
use tenantry_types::{GrantId, JsonText, Sha256Hash, UtcTime};

use super::TokenError;
use super::core::CoreParams;
use super::refresh::{Granted, respond};
use crate::audit::{self, Entry, Source};
use crate::clients::{Client, GrantType};
use crate::fault::Fault;
use crate::memberships::person;
use crate::oauth::codes::{self, CodeRow};
use crate::oauth::grants::{self, GrantRow, Revocation};
use crate::oauth::refresh_token::RefreshToken;
use crate::params::Params;
use crate::state::Idp;
use crate::tenants::Issuer;

const NOT_GOOD: &str = "the code is not good, or not for this client";

/// What came of the transaction. All of it is committed.
enum Outcome {
    Granted(Box<Granted>),
    Refused(&'static str),
}

/// Exchanges a code for tokens.
pub async fn exchange(
    idp: &Idp,
    issuer: &Issuer,
    client: &Arc<Client>,
    params: Params,
) -> Result<HttpResponse, TokenError> {
    let missing = |name: &str| TokenError::InvalidRequest(format!("{name} is missing"));
    let code = params.get("code").ok_or_else(|| missing("code"))?;
    params.get("redirect_uri").ok_or_else(|| missing("redirect_uri"))?;
    let verifier = params.get("code_verifier").ok_or_else(|| missing("code_verifier"))?;
    if !is_code_verifier(verifier) {
        return Err(TokenError::InvalidRequest("code_verifier must be 43 to 128 unreserved characters".to_owned()));
    }
    let exchange = Exchange {
        idp: idp.parts(),
        scope: issuer.scope(),
        client: Arc::clone(client),
        hash: Sha256Hash::of(code),
        grant_id: GrantId::new(&*idp.clock, &*idp.random),
        now: idp.clock.now(),
        params,
    };
    match idp.db.write(move |conn| exchange.run(conn)).await? {
        Outcome::Granted(granted) => respond(idp, issuer, client, &granted).await,
        Outcome::Refused(reason) => Err(TokenError::InvalidGrant(reason)),
    }
}

struct Exchange {
    idp: crate::state::Parts,
    scope: TenantScope,
    client: Arc<Client>,
    params: Params,
    hash: Sha256Hash,
    grant_id: GrantId,
    now: UtcTime,
}

impl Exchange {
    fn run(&self, conn: &mut Connection) -> Result<Outcome, Fault> {
        let Some(code) = codes::lock(conn, self.scope, &self.hash)? else { return Ok(Outcome::Refused(NOT_GOOD)) };
        if code.client_id != self.client.row_id {
            return Ok(Outcome::Refused(NOT_GOOD));
        }
        if code.used_at.is_some() {
            self.take_back(conn, &code)?;
            return Ok(Outcome::Refused(NOT_GOOD));
        }
        let refusal = self.refusal(&code)?;
        let user = person::find_signed_in(conn, self.scope, code.user_id)?;
        let (None, Some(user)) = (refusal, user) else {
            codes::mark_used(conn, self.scope, &self.hash, self.now, None)?;
            return Ok(Outcome::Refused(refusal.unwrap_or(NOT_GOOD)));
        };
        let refresh =
            self.client.may_use(GrantType::RefreshToken).then(|| RefreshToken::first(self.grant_id, &*self.idp.random));
        grants::insert(conn, self.grant(&code, refresh.as_ref())?)?;
        codes::mark_used(conn, self.scope, &self.hash, self.now, Some(self.grant_id))?;
        Ok(Outcome::Granted(Box::new(Granted {
            grant: self.grant_id,
            user,
            scope: code.scope,
            nonce: code.nonce,
            authentication: code.context.into_inner(),
            refresh_token: refresh.map(|token| token.to_text()),
        })))
    }

    /// Why this code is not good for this request, if it is not.
    fn refusal(&self, code: &CodeRow) -> Result<Option<&'static str>, Fault> {
        if code.expires_at <= self.now {
            return Ok(Some("the code has expired"));
        }
        // As the client wrote it: oxide-auth compares what a URL parser makes of it.
        if self.params.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
            return Ok(Some("redirect_uri is not the one that the code was sent to"));
        }
        run_core(&self.client, &self.params, code)
    }

    fn grant(&self, code: &CodeRow, refresh: Option<&RefreshToken>) -> Result<GrantRow, Fault> {
        Ok(GrantRow {
            id: self.grant_id,
            tenant_id: self.scope.tenant_id(),
            client_id: code.client_id,
            user_id: code.user_id,
            session_id: (!code.scope.contains("offline_access")).then_some(code.session_id),
            scope: code.scope.clone(),
            context: JsonText::new(code.context.clone().into_inner())?,
            generation: 0,
            refresh_hash: refresh.map(RefreshToken::hash),
            rotated_at: None,
            created_at: self.now,
            expires_at: self.now + Duration::from_secs(self.idp.refresh_absolute_seconds),
            revoked_at: None,
            revoked_because: None,
        })
    }

    fn take_back(&self, conn: &mut Connection, code: &CodeRow) -> Result<(), DbError> {
        let Some(grant) = code.grant_id else { return Ok(()) };
        if !grants::revoke(conn, self.scope, grant, self.now, Revocation::CodeReplayed)? {
            return Ok(());
        }
        let entry = Entry {
            action: "grant.revoke",
            actor: format!("client:{}", self.client.client_id),
            target: format!("grant:{grant}"),
            detail: serde_json::json!({ "because": Revocation::CodeReplayed, "user": code.user_id }),
            source: &Source::default(),
        };
        audit::store::record(conn, self.scope, &*self.idp.clock, &*self.idp.random, &entry)
    }
}

/// oxide-auth's machine, for a client that has been authenticated: it compares client, redirect URI and expiry, and PKCE
/// through its extension. `None` when it would issue the token.
fn run_core(client: &Client, params: &Params, code: &CodeRow) -> Result<Option<&'static str>, Fault> {
    let request = CoreParams { client, params };
    let pkce = Pkce::required();
    let mut machine = AccessToken::new(&request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Authenticate { .. } => Input::Authenticated,
            Output::Recover { .. } => Input::Recovered(Some(Box::new(stored_grant(client, code)?))),
            Output::Extend { extensions } => {
                let mut extensions = std::mem::take(extensions);
                if pkce.verify(extensions.remove(&pkce), params.get("code_verifier").map(Cow::Borrowed)).is_err() {
                    return Ok(Some("code_verifier does not fit the code_challenge"));
                }
                Input::Extended { access_extensions: extensions }
            }
            Output::Issue { .. } => return Ok(None),
            Output::Ok(_) => return Err(Fault::Protocol("the code machine issued a token by itself")),
            Output::Err(_) => return Ok(Some(NOT_GOOD)),
        };
    }
}

fn stored_grant(client: &Client, code: &CodeRow) -> Result<Grant, Fault> {
    let mut extensions = Extensions::new();
    for (name, value) in code.extensions.iter() {
        extensions.set_raw(name.clone(), Value::private(Some(value.clone())));
    }
    Ok(Grant {
        owner_id: code.user_id.to_string(),
        client_id: client.client_id.to_string(),
        scope: code.scope.as_str().parse().map_err(|_| Fault::Protocol("a stored scope does not parse"))?,
        redirect_uri: code.redirect_uri.parse().map_err(|_| Fault::Protocol("a stored redirect URI does not parse"))?,
        until: code.expires_at.to_datetime(),
        extensions,
    })
}
