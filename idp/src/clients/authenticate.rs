//! How a client proves who it is (RFC 6749 §2.3, RFC 7523, OpenID Connect Core §9).
//!
//! A client uses the one method that it registered: a stronger method cannot be talked down to a weaker one.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use tenantry_jose::{Expected, peek};
use tenantry_types::{Sha256Hash, UtcTime};
use url::form_urlencoded;

use super::{AuthMethod, Client};
use crate::fault::Fault;
use crate::params::Params;
use crate::state::CLOCK_LEEWAY_SECONDS;
use crate::state::Idp;
use crate::tenants::Issuer;

/// Why a client is not believed. Which of the reasons it was is not told.
#[derive(Debug, thiserror::Error)]
pub enum ClientAuthError {
    /// More than one method was used (RFC 6749 §2.3).
    #[error("the client must authenticate in one way only")]
    SeveralMethods,
    /// Unknown client, wrong method, wrong secret, bad assertion.
    #[error("client authentication failed")]
    Failed {
        /// Whether it tried with the `Authorization` header.
        by_header: bool,
    },
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// What a client presents.
enum Presented {
    Nothing { client_id: String },
    Basic { client_id: String, secret: SecretString },
    Post { client_id: String, secret: SecretString },
    Assertion { client_id: String, assertion: String },
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion that is good for longer is refused: it would have to be remembered for so long.
const LONGEST_ASSERTION: Duration = Duration::from_secs(3_600);

/// The client of a request to the token endpoint.
pub async fn authenticate(
    idp: &Idp,
    issuer: &Issuer,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, ClientAuthError> {
    let presented = presented(headers, params)?;
    let by_header = matches!(presented, Presented::Basic { .. });
    let failed = || ClientAuthError::Failed { by_header };
    let client = idp.clients.find(issuer.scope(), presented.client_id()).await.map_err(Fault::from)?;
    let client = client.ok_or_else(failed)?;
    if client.auth_method != presented.method() {
        return Err(failed());
    }
    let now = idp.clock.now();
    match &presented {
        Presented::Nothing { .. } => {}
        Presented::Basic { secret, .. } | Presented::Post { secret, .. } => {
            let good = client.secret.as_ref().is_some_and(|known| known.matches(secret.expose_secret(), now));
            if !good {
                return Err(failed());
            }
        }
        Presented::Assertion { assertion, .. } => {
            if !is_good_assertion(idp, issuer, &client, assertion, now).await? {
                return Err(failed());
            }
        }
    }
    Ok(client)
}

impl Presented {
    fn client_id(&self) -> &str {
        match self {
            Self::Nothing { client_id }
            | Self::Basic { client_id, .. }
            | Self::Post { client_id, .. }
            | Self::Assertion { client_id, .. } => client_id,
        }
    }

    const fn method(&self) -> AuthMethod {
        match self {
            Self::Nothing { .. } => AuthMethod::None,
            Self::Basic { .. } => AuthMethod::ClientSecretBasic,
            Self::Post { .. } => AuthMethod::ClientSecretPost,
            Self::Assertion { .. } => AuthMethod::PrivateKeyJwt,
        }
    }
}

fn presented(headers: &HeaderMap, params: &Params) -> Result<Presented, ClientAuthError> {
    let mut authorization = headers.get_all(header::AUTHORIZATION);
    let by_header = authorization.next();
    if authorization.next().is_some() {
        return Err(ClientAuthError::SeveralMethods);
    }
    let (client_id, secret) = (params.get("client_id"), params.get("client_secret"));
    let assertion = params.get("client_assertion");
    let failed = |by_header| ClientAuthError::Failed { by_header };
    match (by_header, secret, assertion) {
        (Some(value), None, None) => {
            let (user, password) = value.to_str().ok().and_then(basic).ok_or_else(|| failed(true))?;
            // The same name in the body is harmless; another one is not.
            if client_id.is_some_and(|client_id| client_id != user) {
                return Err(ClientAuthError::SeveralMethods);
            }
            Ok(Presented::Basic { client_id: user, secret: password.into() })
        }
        (None, Some(secret), None) => Ok(Presented::Post {
            client_id: client_id.ok_or_else(|| failed(false))?.to_owned(),
            secret: secret.to_owned().into(),
        }),
        (None, None, Some(assertion)) => {
            if params.get("client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(failed(false));
            }
            let issuer = peek(assertion).ok().and_then(|jwt| jwt.claims.get("iss")?.as_str().map(str::to_owned));
            let issuer = issuer.ok_or_else(|| failed(false))?;
            if client_id.is_some_and(|client_id| client_id != issuer) {
                return Err(failed(false));
            }
            Ok(Presented::Assertion { client_id: issuer, assertion: assertion.to_owned() })
        }
        (None, None, None) => Ok(Presented::Nothing { client_id: client_id.ok_or_else(|| failed(false))?.to_owned() }),
        _ => Err(ClientAuthError::SeveralMethods),
    }
}

/// Name and secret of a Basic header. Both are form-encoded first (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (name, secret) = decoded.split_once(':')?;
    Some((form_decoded(name)?, form_decoded(secret)?))
}

fn form_decoded(text: &str) -> Option<String> {
    // Mostly there is nothing to decode. And `&` and `=` cannot stand in an encoded value; with them this would be several
    // parameters.
    if !text.contains(['%', '+']) || text.contains(['&', '=']) {
        return Some(text.to_owned());
    }
    form_urlencoded::parse(text.as_bytes()).next().map(|(decoded, _)| decoded.into_owned())
}

/// RFC 7523 §3, OpenID Connect Core §9: signed by the client, about the client, for us, used once.
async fn is_good_assertion(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    assertion: &str,
    now: UtcTime,
) -> Result<bool, Fault> {
    let Some(keys) = &client.keys else { return Ok(false) };
    let token_endpoint = issuer.endpoint("/oauth2/token");
    let audiences = [&*issuer.url, token_endpoint.as_str()];
    let mut expected =
        Expected::new(&["JWT", "client-authentication+jwt"], Some(client.client_id.as_str()), Some(&audiences), now);
    expected.typ_may_be_absent = true;
    expected.leeway = Duration::from_secs(CLOCK_LEEWAY_SECONDS);
    expected.max_lifetime = Some(LONGEST_ASSERTION);
    let jwt = match tenantry_jose::verify(assertion, keys, &expected) {
        Ok(jwt) => jwt,
        Err(error) => {
            tracing::info!(client = %client.client_id, %error, "a client assertion was refused");
            return Ok(false);
        }
    };
    let (Some(id), Some(expires)) = (jwt.text("jti"), jwt.seconds("exp")) else { return Ok(false) };
    if jwt.text("sub") != Some(client.client_id.as_str()) {
        return Ok(false);
    }
    let hash = Sha256Hash::of(format!("{}\0{id}", client.row_id));
    let expires = UtcTime::from_unix_seconds(expires).unwrap_or(now) + expected.leeway;
    let scope = issuer.scope();
    Ok(idp.db.write(move |conn| super::store::remember_assertion(conn, scope, &hash, expires)).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_encoded() {
        let header = |text: &str| format!("Basic {}", STANDARD.encode(text));
        assert_eq!(basic(&header("app:secret")), Some(("app".into(), "secret".into())));
        assert_eq!(basic(&header("a%3Ab:s%2B+c")), Some(("a:b".into(), "s+ c".into())));
        assert_eq!(basic(&header("no colon")), None);
        assert_eq!(basic("Bearer abc"), None);
        assert_eq!(basic("Basic !!!"), None);
    }
}
