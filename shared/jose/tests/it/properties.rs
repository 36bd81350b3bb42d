//! Whatever is sent, there is an answer.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tenantry_jose::{
    Expected, Jwk, KeySet, VerifyingKey, is_code_verifier, peek, pkce_matches, pkce_s256, thumbprint, verify,
};

use crate::{AUDIENCE, ISSUER, NOW, encode, expected, forge, key, key_set};

/// Any JSON value, odd numbers included.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        (NOW - 100..NOW + 100).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(Value::from(ISSUER)),
        Just(Value::from(AUDIENCE)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(".{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// An object with some of these names.
fn any_object(names: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((prop::sample::select(names), any_json()), 0..names.len())
        .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

const HEADER_NAMES: &[&str] = &["alg", "kid", "typ", "cty", "crit", "b64", "jwk", "jku", "x5c", "zip", "enc", "other"];
const CLAIM_NAMES: &[&str] = &["iss", "aud", "sub", "jti", "exp", "nbf", "iat", "cnf", "other"];
const KEY_NAMES: &[&str] = &["kty", "crv", "x", "y", "n", "e", "d", "k", "alg", "use", "key_ops", "kid", "x5c"];

proptest! {
    #[test]
    fn any_text(text in ".{0,300}", parts in prop::collection::vec(any::<Vec<u8>>(), 0..5)) {
        let keys = key_set(&key());
        prop_assert!(verify(&text, &keys, &expected()).is_err());
        let token: Vec<String> = parts.iter().map(encode).collect();
        prop_assert!(verify(&token.join("."), &keys, &expected()).is_err());
        let _ = peek(&text);
    }

    #[test]
    fn any_header(header in any_object(HEADER_NAMES)) {
        let key = key();
        let token = forge(&Value::Object(header).to_string(), "{}", &key);
        prop_assert!(verify(&token, &key_set(&key), &expected()).is_err());
        let _ = peek(&token);
    }

    /// A token that passes has what was asked for.
    #[test]
    fn any_claims(claims in any_object(CLAIM_NAMES), leeway in 0_u64..100, bounded: bool) {
        let key = key();
        let limit = bounded.then_some(Duration::from_secs(60));
        let expected = Expected { leeway: Duration::from_secs(leeway), max_age: limit, max_lifetime: limit, ..expected() };
        let token = key.sign_jwt("at+jwt", &claims).unwrap();
        if let Ok(verified) = verify(&token, &key_set(&key), &expected) {
            prop_assert_eq!(verified.text("iss"), Some(ISSUER));
            prop_assert!(verified.seconds("exp").is_some_and(|expiry| expiry + i64::try_from(leeway).unwrap() > NOW));
            prop_assert_eq!(verified.claims, claims);
        }
    }

    /// With issuer and audience right, only the times decide, to the second.
    #[test]
    fn any_times(
        expiry in NOW - 200..NOW + 200,
        begin in NOW - 200..NOW + 200,
        issued in NOW - 200..NOW + 200,
        leeway in 0_i64..100,
        age in 0_i64..100,
        lifetime in 0_i64..100,
    ) {
        let key = key();
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let expected = Expected {
            leeway: seconds(leeway),
            max_age: Some(seconds(age)),
            max_lifetime: Some(seconds(lifetime)),
            ..expected()
        };
        let claims = json!({ "iss": ISSUER, "aud": [AUDIENCE], "exp": expiry, "nbf": begin, "iat": issued });
        let good = NOW < expiry + leeway
            && expiry <= NOW + lifetime + leeway
            && begin <= NOW + leeway
            && issued <= NOW + leeway
            && NOW <= issued + age + leeway;
        let token = key.sign_jwt("at+jwt", &claims).unwrap();
        prop_assert_eq!(verify(&token, &key_set(&key), &expected).is_ok(), good);
    }

    #[test]
    fn any_key(mut jwk in any_object(KEY_NAMES), kty in "(EC|RSA|OKP|oct)", crv in "(P-256|Ed25519)", x: Vec<u8>) {
        jwk.insert("kty".to_owned(), kty.into());
        jwk.insert("crv".to_owned(), crv.into());
        jwk.insert("x".to_owned(), encode(&x).into());
        jwk.insert("n".to_owned(), encode(&x).into());
        let jwk = Value::Object(jwk);
        let _ = VerifyingKey::from_jwk(&jwk);
        let set = json!({ "keys": [jwk] });
        prop_assert!(KeySet::from_jwks(&set).is_ok());
        if let Ok(jwk) = serde_json::from_value::<Jwk>(jwk) {
            let _ = thumbprint(&jwk);
        }
    }

    #[test]
    fn any_key_set(jwks in any_json()) {
        let _ = KeySet::from_jwks(&jwks);
    }

    #[test]
    fn any_verifier(verifier in "[A-Za-z0-9._~-]{43,128}", other in ".{0,130}") {
        prop_assert!(is_code_verifier(&verifier) && pkce_matches(&verifier, &pkce_s256(&verifier)));
        prop_assert!(other == verifier || !pkce_matches(&other, &pkce_s256(&verifier)));
    }
}
