//! Whether a token is believed: the steps of RFC 7515 §5.2 and RFC 7519 §7.2 with the advice of RFC 8725.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tenantry_types::UtcTime;

use crate::compact::{CompactJws, TokenHeader};
use crate::{Algorithm, KeySet, VerifyError, claims};

/// What a token must be. Made by [`Expected::new`], then changed field by field.
#[derive(Debug, Clone)]
pub struct Expected<'a> {
    /// The media types that are accepted in `typ`, without `application/` (RFC 8725 §3.11). None listed accepts none.
    pub typ: &'a [&'a str],
    /// Whether `typ` may be absent, as ID tokens and client assertions have it. Default: no.
    pub typ_may_be_absent: bool,
    /// The algorithms that are accepted. Default: all that are known.
    pub algorithms: &'a [Algorithm],
    /// The issuer that must be claimed; `None` does not look.
    pub issuer: Option<&'a str>,
    /// The audiences of which one must be claimed; `None` does not look, and an empty list accepts no token.
    pub audience: Option<&'a [&'a str]>,
    /// The time now.
    pub now: UtcTime,
    /// How far the clocks may be apart, in whole seconds. Default: none.
    pub leeway: Duration,
    /// Whether `exp` must be there. Default: yes.
    pub require_expiry: bool,
    /// How long ago `iat` may be; then `iat` must be there. Default: any time ago, and `iat` may be absent.
    pub max_age: Option<Duration>,
    /// How far away `exp` may be, so that what is remembered against replay stays bounded; then `exp` must be there.
    /// Default: any time.
    pub max_lifetime: Option<Duration>,
}

impl<'a> Expected<'a> {
    /// A token of one of these types that has not expired. Issuer and audience are asked for, so that leaving one out
    /// is a decision.
    pub fn new(typ: &'a [&'a str], issuer: Option<&'a str>, audience: Option<&'a [&'a str]>, now: UtcTime) -> Self {
        Self {
            typ,
            typ_may_be_absent: false,
            algorithms: Algorithm::ALL,
            issuer,
            audience,
            now,
            leeway: Duration::ZERO,
            require_expiry: true,
            max_age: None,
            max_lifetime: None,
        }
    }
}

/// A token that is believed.
#[derive(Debug, Clone, PartialEq)]
pub struct VerifiedJwt {
    /// The JOSE header.
    pub header: TokenHeader,
    /// The claims; the registered ones have their types.
    pub claims: Map<String, Value>,
}

impl VerifiedJwt {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A claim that is a time, in whole seconds since 1970; `None` also when it is not a time between the years -6060
    /// and 9999.
    pub fn seconds(&self, name: &str) -> Option<i64> {
        self.claims.get(name).and_then(claims::whole_seconds)
    }

    /// The claims as a type.
    ///
    /// # Errors
    /// When they do not have its form.
    pub fn claims_as<T: DeserializeOwned>(self) -> Result<T, serde_json::Error> {
        serde_json::from_value(Value::Object(self.claims))
    }
}

/// A token that nobody has checked: good for choosing the keys to check it with, and for nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct UnverifiedJwt {
    /// The JOSE header, as the sender says.
    pub header: TokenHeader,
    /// The claims, as the sender says.
    pub claims: Map<String, Value>,
}

impl UnverifiedJwt {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}

/// Reads a token without checking anything but its form and size.
///
/// # Errors
/// [`VerifyError::TooLarge`], [`VerifyError::NotCompact`], or what is wrong with a part.
pub fn peek(token: &str) -> Result<UnverifiedJwt, VerifyError> {
    let jws = CompactJws::parse(token)?;
    let claims = jws.claims()?;
    Ok(UnverifiedJwt { header: jws.header, claims })
}

/// Checks a token. The key is only ever taken from `keys`: what the header offers (`jwk`, `jku`, `x5c`, `x5u`) is not
/// looked at (RFC 8725 §3.10).
///
/// A `kid` chooses the key of that name, or else the only nameless key of the algorithm; without a `kid` there must be
/// only one key of the algorithm (OpenID Connect Core §10.1).
///
/// # Errors
/// The first thing found wrong, in the order: size and form, algorithm, extensions, type, key, signature, claims.
pub fn verify(token: &str, keys: &KeySet, expected: &Expected<'_>) -> Result<VerifiedJwt, VerifyError> {
    let jws = CompactJws::parse(token)?;
    let algorithm = accepted_algorithm(&jws.header, expected)?;
    check_extensions(&jws.header)?;
    check_typ(&jws.header, expected)?;
    let key = keys.choose(jws.header.key_id(), algorithm)?;
    if !key.has_signed(jws.signing_input.as_bytes(), &jws.signature()?) {
        return Err(VerifyError::Signature);
    }
    let claims = jws.claims()?;
    claims::check(&claims, expected)?;
    Ok(VerifiedJwt { header: jws.header, claims })
}

/// RFC 8725 §3.1: the caller says which algorithms are good, the token does not.
fn accepted_algorithm(header: &TokenHeader, expected: &Expected<'_>) -> Result<Algorithm, VerifyError> {
    Algorithm::of_member(header.algorithm())
        .filter(|algorithm| expected.algorithms.contains(algorithm))
        .ok_or(VerifyError::Algorithm)
}

/// No extension is understood here, so any that is critical refuses the token, and so does an unencoded payload, which a
/// JWT cannot have (RFC 7515 §4.1.11, RFC 7797 §7).
fn check_extensions(header: &TokenHeader) -> Result<(), VerifyError> {
    if header.member("crit").is_some() || header.member("b64").is_some() {
        return Err(VerifyError::CriticalExtension);
    }
    Ok(())
}

/// A media type is the same in any case, and may leave `application/` away (RFC 7515 §4.1.9).
fn check_typ(header: &TokenHeader, expected: &Expected<'_>) -> Result<(), VerifyError> {
    const PREFIX: &str = "application/";
    let accepted = match header.typ() {
        None => expected.typ_may_be_absent,
        Some(typ) => {
            let short = match typ.split_at_checked(PREFIX.len()) {
                Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) && !rest.contains('/') => rest,
                _ => typ,
            };
            expected.typ.iter().any(|accepted| accepted.eq_ignore_ascii_case(short))
        }
    };
    if accepted { Ok(()) } else { Err(VerifyError::Type) }
}
