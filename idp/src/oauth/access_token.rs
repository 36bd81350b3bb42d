//! Access tokens: JWTs of RFC 9068.

use serde::Serialize;
use tenantry_jose::SigningKey;
use tenantry_types::{GrantId, ScopeSet, TenantId, UtcTime};

use crate::clients::management::TokenFor;
use crate::fault::Fault;
use crate::sessions::Authentication;
use crate::state::Idp;
use crate::tenants::Issuer;

/// The media type in the header (RFC 9068 §2.1).
pub const TYP: &str = "at+jwt";

/// Whose token it is.
#[derive(Debug, Clone)]
pub enum Subject<'a> {
    /// A user, by what they granted.
    User {
        /// The `sub`.
        id: &'a str,
        /// The grant that it came of.
        grant: GrantId,
        /// How and when they signed in.
        authentication: &'a Authentication,
        /// The names of their roles, where the token says them.
        roles: Option<&'a [String]>,
    },
    /// The client itself (RFC 9068 §2.2: `sub` is the client).
    Client,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Audience<'a> {
    One(&'a str),
    Several([&'a str; 2]),
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: Audience<'a>,
    exp: i64,
    iat: i64,
    jti: &'a str,
    client_id: &'a str,
    tenant_id: TenantId,
    #[serde(skip_serializing_if = "str::is_empty")]
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant_id: Option<GrantId>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    authentication: Option<&'a Authentication>,
    #[serde(skip_serializing_if = "Option::is_none")]
    roles: Option<&'a [String]>,
}

/// Signs an access token.
pub fn sign(
    idp: &Idp,
    issuer: &Issuer,
    key: &SigningKey,
    client_id: &str,
    subject: &Subject<'_>,
    scope: &ScopeSet,
    now: UtcTime,
) -> Result<String, Fault> {
    let jti = idp.new_token_id();
    let management;
    let audience = if TokenFor::of(scope) == Some(TokenFor::Management) {
        management = idp.management_audience();
        management.as_str()
    } else {
        idp.config.tokens.audience.as_str()
    };
    let (sub, grant_id, authentication, roles) = match subject {
        Subject::User { id, grant, authentication, roles } => (*id, Some(*grant), Some(*authentication), *roles),
        Subject::Client => (client_id, None, None, None),
    };
    let claims = Claims {
        iss: &issuer.url,
        sub,
        // With `openid` it is for our own userinfo endpoint too.
        aud: if scope.contains("openid") {
            Audience::Several([audience, &issuer.url])
        } else {
            Audience::One(audience)
        },
        exp: now.unix_seconds() + seconds(idp.config.tokens.access_token_seconds),
        iat: now.unix_seconds(),
        jti: &jti,
        client_id,
        tenant_id: issuer.tenant.id,
        scope: scope.as_str(),
        grant_id,
        authentication,
        roles,
    };
    Ok(key.sign_jwt(TYP, &claims)?)
}

/// Seconds of the configuration as they stand in tokens.
pub fn seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
