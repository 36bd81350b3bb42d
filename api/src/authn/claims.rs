//! From the claims of a verified access token to a principal (RFC 9068 §2.2).

use std::sync::Arc;

use serde_json::Value;
use tenantry_jose::VerifiedJwt;
use tenantry_types::{ScopeSet, SessionId, TenantId, UtcTime};

use super::principal::PrincipalClaims;
use super::{AuthnError, Principal, Subject, Tenant};

/// What the audit trail has room for.
const MAX_CLIENT_ID: usize = 254;

/// More who act for one another are a mistake.
const MAX_ACTORS: usize = 5;

/// More roles or methods than this in one token are a mistake.
const MAX_LIST: usize = 64;

/// Reads the claims; the token's tenant must be that of its issuer.
pub(super) fn principal(token: &VerifiedJwt, tenant: &Arc<Tenant>) -> Result<Principal, AuthnError> {
    check_tenant(token, tenant)?;
    let client_id = required_text(token, "client_id")?;
    if client_id.len() > MAX_CLIENT_ID {
        return Err(AuthnError::Claim("client_id"));
    }
    // Required by RFC 9068 §2.2; nothing else looks at it yet.
    required_text(token, "jti")?;
    Ok(Principal::new(PrincipalClaims {
        subject: subject(token, client_id)?,
        actor: actor(token)?,
        tenant: Arc::clone(tenant),
        client_id: client_id.to_owned(),
        scopes: scopes(token)?,
        roles: texts(token, "roles")?,
        acr: optional_text(token, "acr")?.map(str::to_owned),
        amr: texts(token, "amr")?,
        auth_time: optional_time(token, "auth_time")?,
        session_id: session(token)?,
        bound_to: bound_to(token)?,
        issued_at: optional_time(token, "iat")?.ok_or(AuthnError::Claim("iat"))?,
        expires_at: optional_time(token, "exp")?.ok_or(AuthnError::Claim("exp"))?,
    }))
}

/// A tenant signs for itself only.
fn check_tenant(token: &VerifiedJwt, tenant: &Tenant) -> Result<(), AuthnError> {
    let claimed: TenantId = required_text(token, "tenant_id")?.parse().map_err(|_| AuthnError::Claim("tenant_id"))?;
    if claimed == tenant.id { Ok(()) } else { Err(AuthnError::OtherTenant) }
}

/// A client that acts for itself is its own subject (RFC 9068 §2.2); every other subject is a user.
fn subject(token: &VerifiedJwt, client_id: &str) -> Result<Subject, AuthnError> {
    let subject = required_text(token, "sub")?;
    if subject == client_id {
        return Ok(Subject::Client(client_id.to_owned()));
    }
    subject.parse().map(Subject::User).map_err(|_| AuthnError::Claim("sub"))
}

/// Who acts in the name of the subject (RFC 8693 §4.1). Those who acted before have no say in what may be done, but a chain
/// of them has to be one, and an end.
fn actor(token: &VerifiedJwt) -> Result<Option<Subject>, AuthnError> {
    const WRONG: AuthnError = AuthnError::Claim("act");
    let (mut current, mut next) = (None, token.claims.get("act"));
    for _ in 0..MAX_ACTORS {
        let Some(act) = next else { return Ok(current) };
        let Value::Object(act) = act else { return Err(WRONG) };
        // Somebody of another issuer is nobody whom this tenant knows.
        if act.get("iss").is_some_and(|issuer| Some(issuer) != token.claims.get("iss")) {
            return Err(WRONG);
        }
        let id = act.get("sub").and_then(Value::as_str).filter(|id| (1..=MAX_CLIENT_ID).contains(&id.len()));
        let id = id.ok_or(WRONG)?;
        let actor = id.parse().map_or_else(|_| Subject::Client(id.to_owned()), Subject::User);
        current.get_or_insert(actor);
        next = act.get("act");
    }
    if next.is_none() { Ok(current) } else { Err(WRONG) }
}

/// The session that can be ended by its name (OpenID Connect Back-Channel Logout §2.1 has the claim).
fn session(token: &VerifiedJwt) -> Result<Option<SessionId>, AuthnError> {
    optional_text(token, "sid")?.map(|id| id.parse().map_err(|_| AuthnError::Claim("sid"))).transpose()
}

/// The thumbprint of the key that the token is bound to (RFC 9449 §6.1). Whoever bound a token meant it to be worth nothing
/// without the key: a confirmation that is not understood makes it good for nothing (RFC 7800 §3.1).
fn bound_to(token: &VerifiedJwt) -> Result<Option<String>, AuthnError> {
    let Some(confirmation) = token.claims.get("cnf") else { return Ok(None) };
    let members = confirmation.as_object().filter(|members| members.len() == 1);
    let thumbprint = members.and_then(|members| members.get("jkt")).and_then(Value::as_str);
    thumbprint.filter(|text| !text.is_empty()).map(|text| Some(text.to_owned())).ok_or(AuthnError::Bound)
}

fn scopes(token: &VerifiedJwt) -> Result<ScopeSet, AuthnError> {
    optional_text(token, "scope")?.unwrap_or_default().parse().map_err(|_| AuthnError::Claim("scope"))
}

fn required_text<'a>(token: &'a VerifiedJwt, name: &'static str) -> Result<&'a str, AuthnError> {
    optional_text(token, name)?.filter(|text| !text.is_empty()).ok_or(AuthnError::Claim(name))
}

fn optional_text<'a>(token: &'a VerifiedJwt, name: &'static str) -> Result<Option<&'a str>, AuthnError> {
    match token.claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(AuthnError::Claim(name)),
    }
}

fn optional_time(token: &VerifiedJwt, name: &'static str) -> Result<Option<UtcTime>, AuthnError> {
    if !token.claims.contains_key(name) {
        return Ok(None);
    }
    token.seconds(name).and_then(UtcTime::from_unix_seconds).map(Some).ok_or(AuthnError::Claim(name))
}

fn texts(token: &VerifiedJwt, name: &'static str) -> Result<Vec<String>, AuthnError> {
    let values = match token.claims.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(values)) if values.len() <= MAX_LIST => values,
        Some(_) => return Err(AuthnError::Claim(name)),
    };
    values.iter().map(|value| value.as_str().map(str::to_owned).ok_or(AuthnError::Claim(name))).collect()
}
