//! The registered claims.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tenantry_jose::{Expected, SigningKey, VerifiedJwt, VerifyError, verify};

use crate::{AUDIENCE, ISSUER, NOW, claims, expected, key, key_set};

struct Case(SigningKey);

impl Case {
    /// The usual claims with one changed, or taken away when it is null.
    fn with(&self, name: &str, value: impl Into<Value>, expected: &Expected<'_>) -> Result<VerifiedJwt, VerifyError> {
        let mut claims = claims();
        match value.into() {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        let token = self.0.sign_jwt("at+jwt", &claims).unwrap();
        verify(&token, &key_set(&self.0), expected)
    }
}

fn case() -> Case {
    Case(key())
}

#[test]
fn issuer() {
    let case = case();
    let slash = format!("{ISSUER}/");
    let upper = ISSUER.to_uppercase();
    for other in [slash.as_str(), upper.as_str(), "", "https://id.example/t/acme2"] {
        assert_eq!(case.with("iss", other, &expected()), Err(VerifyError::Issuer), "{other}");
    }
    assert_eq!(case.with("iss", Value::Null, &expected()), Err(VerifyError::MissingClaim("iss")));
    assert_eq!(case.with("iss", json!([ISSUER]), &expected()), Err(VerifyError::InvalidClaim("iss")));
    assert!(case.with("iss", "other", &Expected { issuer: None, ..expected() }).is_ok());
}

#[test]
fn audience() {
    let case = case();
    assert!(case.with("aud", json!(["other", AUDIENCE]), &expected()).is_ok());
    for other in [json!("other"), json!([]), json!(["other", ""]), json!(format!("{AUDIENCE}/")), json!("")] {
        assert_eq!(case.with("aud", other.clone(), &expected()), Err(VerifyError::Audience), "{other}");
    }
    for broken in [json!(1), json!({}), json!([AUDIENCE, 1]), json!([[AUDIENCE]]), json!(true)] {
        assert_eq!(case.with("aud", broken.clone(), &expected()), Err(VerifyError::InvalidClaim("aud")), "{broken}");
    }
    assert_eq!(case.with("aud", Value::Null, &expected()), Err(VerifyError::MissingClaim("aud")));
    assert!(case.with("aud", Value::Null, &Expected { audience: None, ..expected() }).is_ok());
    let two = Expected { audience: Some(&["token endpoint", "issuer"]), ..expected() };
    assert!(case.with("aud", "issuer", &two).is_ok());
    assert_eq!(case.with("aud", "issue", &two), Err(VerifyError::Audience));
    assert_eq!(case.with("aud", AUDIENCE, &Expected { audience: Some(&[]), ..expected() }), Err(VerifyError::Audience));
}

#[test]
fn expiry_to_the_second() {
    let case = case();
    let lenient = Expected { leeway: Duration::from_secs(30), ..expected() };
    assert!(case.with("exp", NOW + 1, &expected()).is_ok());
    assert_eq!(case.with("exp", NOW, &expected()), Err(VerifyError::Expired));
    assert_eq!(case.with("exp", 0, &expected()), Err(VerifyError::Expired));
    assert_eq!(case.with("exp", -1, &expected()), Err(VerifyError::Expired));
    assert!(case.with("exp", NOW - 29, &lenient).is_ok());
    assert_eq!(case.with("exp", NOW - 30, &lenient), Err(VerifyError::Expired));
    assert_eq!(case.with("exp", Value::Null, &expected()), Err(VerifyError::MissingClaim("exp")));
    let open_ended = Expected { require_expiry: false, ..expected() };
    assert!(case.with("exp", Value::Null, &open_ended).is_ok());
    assert_eq!(case.with("exp", NOW, &open_ended), Err(VerifyError::Expired));
    let forever = Expected { leeway: Duration::MAX, ..expected() };
    assert!(case.with("exp", 0, &forever).is_ok());
}

#[test]
fn lifetime_is_bounded_where_asked() {
    let case = case();
    let short = Expected { max_lifetime: Some(Duration::from_secs(300)), require_expiry: false, ..expected() };
    assert!(case.with("exp", NOW + 300, &short).is_ok());
    assert_eq!(case.with("exp", NOW + 301, &short), Err(VerifyError::LifetimeTooLong));
    assert_eq!(case.with("exp", 253_402_300_799_i64, &short), Err(VerifyError::LifetimeTooLong));
    assert_eq!(case.with("exp", Value::Null, &short), Err(VerifyError::MissingClaim("exp")));
    let lenient = Expected { leeway: Duration::from_secs(10), ..short.clone() };
    assert!(case.with("exp", NOW + 310, &lenient).is_ok());
    assert!(case.with("exp", NOW + 310, &Expected { max_lifetime: Some(Duration::MAX), ..short }).is_ok());
}

#[test]
fn not_before_to_the_second() {
    let case = case();
    assert!(case.with("nbf", NOW, &expected()).is_ok());
    assert_eq!(case.with("nbf", NOW + 1, &expected()), Err(VerifyError::NotYetValid));
    let lenient = Expected { leeway: Duration::from_secs(30), ..expected() };
    assert!(case.with("nbf", NOW + 30, &lenient).is_ok());
    assert_eq!(case.with("nbf", NOW + 31, &lenient), Err(VerifyError::NotYetValid));
    assert!(case.with("nbf", Value::Null, &expected()).is_ok());
}

#[test]
fn issued_at() {
    let case = case();
    assert!(case.with("iat", NOW, &expected()).is_ok());
    assert!(case.with("iat", 0, &expected()).is_ok());
    assert!(case.with("iat", Value::Null, &expected()).is_ok());
    assert_eq!(case.with("iat", NOW + 1, &expected()), Err(VerifyError::IssuedInFuture));
    let fresh = Expected { max_age: Some(Duration::from_secs(60)), ..expected() };
    assert!(case.with("iat", NOW - 60, &fresh).is_ok());
    assert_eq!(case.with("iat", NOW - 61, &fresh), Err(VerifyError::TooOld));
    assert_eq!(case.with("iat", Value::Null, &fresh), Err(VerifyError::MissingClaim("iat")));
    let lenient = Expected { leeway: Duration::from_secs(5), ..fresh };
    assert!(case.with("iat", NOW - 65, &lenient).is_ok() && case.with("iat", NOW + 5, &lenient).is_ok());
}

#[test]
fn times_that_are_none() {
    let case = case();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(1e300),
            json!(-1e300),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(253_402_300_800_i64),
            json!("1800000000"),
            json!([NOW]),
            json!({}),
            json!(true),
        ] {
            let invalid = Err(VerifyError::InvalidClaim(name));
            assert_eq!(case.with(name, value.clone(), &expected()), invalid, "{name} {value}");
        }
    }
    // Null is no time either, and not the same as absent.
    let mut null = claims();
    null["exp"] = Value::Null;
    let token = case.0.sign_jwt("at+jwt", &null).unwrap();
    assert_eq!(verify(&token, &key_set(&case.0), &expected()), Err(VerifyError::InvalidClaim("exp")));
}

/// Fractions are legal (RFC 7519 §2), and are cut.
#[test]
fn times_with_fractions() {
    let case = case();
    #[allow(clippy::cast_precision_loss)]
    let now = NOW as f64;
    assert_eq!(case.with("exp", now + 1.5, &expected()).unwrap().seconds("exp"), Some(NOW + 1));
    assert_eq!(case.with("exp", now + 0.9, &expected()), Err(VerifyError::Expired));
    assert!(case.with("iat", now + 0.9, &expected()).is_ok());
    assert!(case.with("nbf", -0.5, &expected()).is_ok());
}

#[test]
fn texts_are_texts() {
    let case = case();
    for name in ["sub", "jti"] {
        for value in [json!(1), json!([]), json!({ "a": 1 }), json!(false)] {
            assert_eq!(case.with(name, value, &expected()), Err(VerifyError::InvalidClaim(name)));
        }
        assert!(case.with(name, Value::Null, &expected()).is_ok());
    }
}

#[test]
fn claims_come_out_with_their_types() {
    #[derive(Debug, Deserialize, PartialEq)]
    struct Wanted {
        sub: String,
        exp: i64,
    }
    let verified = case().with("scope", "a b", &expected()).unwrap();
    assert_eq!((verified.text("scope"), verified.text("exp"), verified.text("none")), (Some("a b"), None, None));
    assert_eq!((verified.seconds("exp"), verified.seconds("sub")), (Some(NOW + 300), None));
    assert_eq!(verified.clone().claims_as::<Wanted>().unwrap(), Wanted { sub: "u1".to_owned(), exp: NOW + 300 });
    assert!(verified.claims_as::<Vec<u8>>().is_err());
}
