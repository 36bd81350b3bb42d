//! The registered claims, one rule per function (RFC 7519 §4.1).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{Expected, VerifyError};

type Claims = Map<String, Value>;

/// The last second of the year 9999: no calendar that we keep goes further.
const LAST_SECOND: i64 = 253_402_300_799;

/// Every rule, in turn.
pub(crate) fn check(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    check_texts(claims)?;
    check_issuer(claims, expected)?;
    check_audience(claims, expected)?;
    check_expiry(claims, expected)?;
    check_not_before(claims, expected)?;
    check_issued_at(claims, expected)
}

/// `iss`, `sub` and `jti` are texts (RFC 7519 §4.1.1, §4.1.2, §4.1.7).
fn check_texts(claims: &Claims) -> Result<(), VerifyError> {
    for name in ["iss", "sub", "jti"] {
        if claims.get(name).is_some_and(|value| !value.is_string()) {
            return Err(VerifyError::InvalidClaim(name));
        }
    }
    Ok(())
}

/// The issuer is compared octet by octet (RFC 8725 §3.8).
fn check_issuer(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    let Some(issuer) = expected.issuer else { return Ok(()) };
    match claims.get("iss").and_then(Value::as_str) {
        None => Err(VerifyError::MissingClaim("iss")),
        Some(claimed) if claimed == issuer => Ok(()),
        Some(_) => Err(VerifyError::Issuer),
    }
}

/// One of the audiences is one of ours (RFC 7519 §4.1.3, RFC 8725 §3.9).
fn check_audience(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    let claimed: Vec<&str> = match claims.get("aud") {
        None => Vec::new(),
        Some(Value::String(audience)) => vec![audience],
        Some(Value::Array(audiences)) => audiences
            .iter()
            .map(|audience| audience.as_str().ok_or(VerifyError::InvalidClaim("aud")))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(VerifyError::InvalidClaim("aud")),
    };
    let Some(ours) = expected.audience else { return Ok(()) };
    if !claims.contains_key("aud") {
        return Err(VerifyError::MissingClaim("aud"));
    }
    if claimed.iter().any(|audience| ours.contains(audience)) { Ok(()) } else { Err(VerifyError::Audience) }
}

/// Refused on or after `exp` (RFC 7519 §4.1.4).
fn check_expiry(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    let now = expected.now.unix_seconds();
    let Some(expiry) = numeric_date(claims, "exp")? else {
        let needed = expected.require_expiry || expected.max_lifetime.is_some();
        return if needed { Err(VerifyError::MissingClaim("exp")) } else { Ok(()) };
    };
    if now >= expiry.saturating_add(seconds(expected.leeway)) {
        return Err(VerifyError::Expired);
    }
    match expected.max_lifetime {
        Some(limit) if expiry - now > seconds(limit.saturating_add(expected.leeway)) => {
            Err(VerifyError::LifetimeTooLong)
        }
        _ => Ok(()),
    }
}

/// Refused before `nbf` (RFC 7519 §4.1.5).
fn check_not_before(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    match numeric_date(claims, "nbf")? {
        Some(begin) if begin > latest(expected) => Err(VerifyError::NotYetValid),
        _ => Ok(()),
    }
}

/// Not issued in the future, nor too long ago where an age is asked for (RFC 7519 §4.1.6, RFC 9449 §4.3).
fn check_issued_at(claims: &Claims, expected: &Expected<'_>) -> Result<(), VerifyError> {
    let Some(issued) = numeric_date(claims, "iat")? else {
        return if expected.max_age.is_some() { Err(VerifyError::MissingClaim("iat")) } else { Ok(()) };
    };
    if issued > latest(expected) {
        return Err(VerifyError::IssuedInFuture);
    }
    match expected.max_age {
        Some(limit) if expected.now.unix_seconds() - issued > seconds(limit.saturating_add(expected.leeway)) => {
            Err(VerifyError::TooOld)
        }
        _ => Ok(()),
    }
}

/// The latest that "now" may be on the clock of who made the token.
fn latest(expected: &Expected<'_>) -> i64 {
    expected.now.unix_seconds().saturating_add(seconds(expected.leeway))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A claim that is a time when it is there.
fn numeric_date(claims: &Claims, name: &'static str) -> Result<Option<i64>, VerifyError> {
    claims.get(name).map(|value| whole_seconds(value).ok_or(VerifyError::InvalidClaim(name))).transpose()
}

/// A `NumericDate` (RFC 7519 §2): seconds since 1970, cut to whole ones. `1e300` is a number, but not a time.
pub(crate) fn whole_seconds(value: &Value) -> Option<i64> {
    let seconds = match value.as_i64() {
        Some(whole) => whole,
        #[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates, and the range is checked")]
        None => value.as_f64()?.floor() as i64,
    };
    (-LAST_SECOND..=LAST_SECOND).contains(&seconds).then_some(seconds)
}
