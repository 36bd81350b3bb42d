//! ID tokens (OpenID Connect Core §2): openidconnect's claims, signed with the tenant's key.

use std::time::Duration;

use openidconnect::core::CoreGenderClaim;
use openidconnect::{
    AccessTokenHash, Audience, AuthenticationContextClass, AuthenticationMethodReference, IdTokenClaims, IssuerUrl,
    Nonce,
};
use tenantry_jose::{Expected, SigningKey, left_half_hash, verify};
use tenantry_types::{SessionId, UtcTime};

use super::claims::{self, OwnClaims};
use crate::clients::Client;
use crate::fault::Fault;
use crate::oauth::token::Granted;
use crate::state::Idp;
use crate::tenants::Issuer;

/// The claims of an ID token of ours.
type Claims = IdTokenClaims<OwnClaims, CoreGenderClaim>;

/// Signs the ID token that goes with an access token.
pub fn sign(
    idp: &Idp,
    issuer: &Issuer,
    key: &SigningKey,
    client: &Client,
    granted: &Granted,
    access_token: &str,
    now: UtcTime,
) -> Result<String, Fault> {
    let authentication = &granted.authentication;
    let own = OwnClaims {
        tenant_id: Some(issuer.tenant.id),
        sid: Some(authentication.sid),
        roles: claims::roles(&granted.user, &granted.scope),
    };
    let url = IssuerUrl::new(issuer.url.to_string()).map_err(|_| Fault::Protocol("the issuer is no URL"))?;
    let expires = now + Duration::from_secs(idp.config.tokens.id_token_seconds);
    let signed_in = UtcTime::from_unix_seconds(authentication.auth_time).unwrap_or(now);
    let amr = authentication.amr.iter().cloned().map(AuthenticationMethodReference::new).collect();
    let hash = left_half_hash(key.algorithm(), access_token);
    // The user's data is at userinfo (OpenID Connect Core §5.4): an ID token says who, not what about them.
    let nothing_more = claims::standard(&granted.user, &tenantry_types::ScopeSet::default());
    let claims = Claims::new(
        url,
        vec![Audience::new(client.client_id.to_string())],
        expires.to_datetime(),
        now.to_datetime(),
        nothing_more,
        own,
    )
    .set_nonce(granted.nonce.clone().map(Nonce::new))
    .set_auth_time(Some(signed_in.to_datetime()))
    .set_auth_context_ref(Some(AuthenticationContextClass::new(authentication.acr.clone())))
    .set_auth_method_refs(Some(amr))
    .set_access_token_hash(Some(AccessTokenHash::new(hash)));
    Ok(key.sign_jwt("JWT", &claims)?)
}

/// What an `id_token_hint` says.
#[derive(Debug)]
pub struct Hint {
    /// Who was signed in.
    pub subject: String,
    /// In which session.
    pub session: Option<SessionId>,
    /// For which client.
    pub client_id: String,
}

/// How long after its end an ID token still hints.
const LONGEST_AFTER_EXPIRY: Duration = Duration::from_secs(400 * 86_400);

/// Reads an ID token that we gave out. It may have expired (OpenID Connect RP-Initiated Logout §2); anything that is not
/// ours says nothing.
pub async fn hinted(idp: &Idp, issuer: &Issuer, token: &str) -> Result<Option<Hint>, Fault> {
    let keys = idp.keys.of(issuer.scope()).await?;
    let mut expected = Expected::new(&["JWT"], Some(&issuer.url), None, idp.clock.now());
    expected.leeway = LONGEST_AFTER_EXPIRY;
    let Ok(jwt) = verify(token, keys.verifying(), &expected) else { return Ok(None) };
    let (Some(subject), Some(client_id)) = (jwt.text("sub"), jwt.text("aud").or_else(|| first(&jwt.claims))) else {
        return Ok(None);
    };
    Ok(Some(Hint {
        subject: subject.to_owned(),
        session: jwt.text("sid").and_then(|sid| sid.parse().ok()),
        client_id: client_id.to_owned(),
    }))
}

fn first(claims: &serde_json::Map<String, serde_json::Value>) -> Option<&str> {
    claims.get("aud")?.as_array()?.first()?.as_str()
}
