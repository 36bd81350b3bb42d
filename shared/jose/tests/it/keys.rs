//! Which keys are taken, and which of them a token chooses.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, JoseError, KeySet, SigningKey, VerifyError, VerifyingKey, verify};

use crate::{claims, decode, encode, expected, forge, key, key_set};

fn jwk_of(key: &SigningKey) -> Value {
    serde_json::to_value(key.public_jwk()).unwrap()
}

fn refusal(jwk: &Value) -> String {
    VerifyingKey::from_jwk(jwk).unwrap_err().to_string()
}

#[test]
fn private_keys_round_trip_and_do_not_print() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = SigningKey::generate(algorithm).unwrap();
        let der = key.to_pkcs8().unwrap();
        let again = SigningKey::from_pkcs8(algorithm, der.expose_secret()).unwrap();
        assert_eq!((again.kid(), again.public_jwk()), (key.kid(), key.public_jwk()));
        assert_eq!(again.algorithm(), algorithm);
        let token = again.sign_jwt("at+jwt", &claims()).unwrap();
        verify(&token, &key_set(&key), &expected()).unwrap();
        let printed = format!("{key:?} {:?} {der:?}", key.verifying_key());
        assert!(printed.len() < 400, "{printed}");
        assert!(!jwk_of(&key).as_object().unwrap().contains_key("d"));
    }
}

#[test]
fn private_keys_of_another_kind_are_refused() {
    let der = key().to_pkcs8().unwrap();
    for algorithm in [Algorithm::EdDsa, Algorithm::Rs256, Algorithm::Ps256] {
        let refused = SigningKey::from_pkcs8(algorithm, der.expose_secret());
        assert!(matches!(refused, Err(JoseError::PrivateKey(named)) if named == algorithm));
    }
    assert!(SigningKey::from_pkcs8(Algorithm::Es256, b"").is_err());
}

#[test]
fn a_name_is_the_thumbprint_or_what_is_given() {
    let key = key();
    assert_eq!(key.kid(), tenantry_jose::thumbprint(key.public_jwk()).unwrap());
    let named = key.with_kid("2027-01 \"first\"").unwrap();
    assert_eq!(named.kid(), "2027-01 \"first\"");
    assert_eq!(named.verifying_key().thumbprint(), key.kid());
    let token = named.sign_jwt("at+jwt", &claims()).unwrap();
    assert_eq!(verify(&token, &key_set(&named), &expected()).unwrap().header.key_id(), Some(named.kid()));
    assert!(matches!(key.with_kid(&"k".repeat(257)), Err(JoseError::Jwk(_))));
}

#[test]
fn any_type_can_be_signed() {
    let key = key();
    for typ in ["at+jwt", "JWT", "logout+jwt", "made-up+jwt", "odd\"type\n"] {
        let token = key.sign_jwt(typ, &claims()).unwrap();
        let wanted = [typ];
        let expected = tenantry_jose::Expected { typ: &wanted, ..expected() };
        assert_eq!(verify(&token, &key_set(&key), &expected).unwrap().header.typ(), Some(typ));
    }
}

#[test]
fn only_objects_are_claims() {
    assert!(matches!(key().sign_jwt("JWT", &json!([])), Err(JoseError::Claims(None))));
    assert!(matches!(key().sign_jwt("JWT", &"text"), Err(JoseError::Claims(None))));
    let unspeakable = BTreeMap::from([((1, 2), 3)]);
    assert!(matches!(key().sign_jwt("JWT", &unspeakable), Err(JoseError::Claims(Some(_)))));
}

/// The library cannot be made to fail from here.
#[test]
fn failures_of_the_library_are_passed_on() {
    let error = JoseError::from(aws_lc_rs::error::Unspecified);
    assert!(matches!(error, JoseError::Cryptography(_)));
}

#[test]
fn unsuitable_keys_are_refused() {
    let good = jwk_of(&key());
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    let (x, y) = (good["x"].as_str().unwrap(), good["y"].as_str().unwrap());
    let shifted = |coordinate: &str| json!(encode([&[0], &decode(coordinate)[..]].concat()));
    for jwk in [
        json!(null),
        json!([]),
        json!({}),
        json!({ "kty": "oct", "k": encode([1; 32]) }),
        json!({ "kty": "oct" }),
        with("kty", json!(1)),
        with("kty", json!("RSA")),
        with("kty", json!("OKP")),
        with("crv", json!("P-384")),
        with("crv", json!("secp256k1")),
        with("alg", json!("ES384")),
        with("alg", json!("HS256")),
        with("alg", json!("RS256")),
        with("alg", json!(1)),
        with("use", json!("enc")),
        with("use", json!(["sig"])),
        with("key_ops", json!(["sign"])),
        with("key_ops", json!("verify")),
        with("kid", json!(7)),
        with("kid", json!("k".repeat(257))),
        with("d", json!(x)),
        with("k", json!(x)),
        with("x", json!(format!("{x}="))),
        with("x", json!(encode([0; 31]))),
        with("x", shifted(x)),
        with("y", shifted(y)),
        with("y", json!(x)),
        with("x", json!(encode([0xff; 32]))),
    ] {
        assert!(refusal(&jwk).starts_with("the JWK cannot be used: "), "{jwk}");
    }
    for jwk in [with("key_ops", json!(["verify"])), with("x5c", json!(["AAAA"])), with("whatever", json!({}))] {
        assert_eq!(VerifyingKey::from_jwk(&jwk).unwrap().public_jwk(), key_with(&good).public_jwk());
    }
}

fn key_with(jwk: &Value) -> VerifyingKey {
    VerifyingKey::from_jwk(jwk).unwrap()
}

#[test]
fn unsuitable_ed25519_and_rsa_keys_are_refused() {
    let ed = jwk_of(&SigningKey::generate(Algorithm::EdDsa).unwrap());
    let rsa = jwk_of(&SigningKey::generate(Algorithm::Rs256).unwrap());
    let with = |jwk: &Value, name: &str, value: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = value;
        jwk
    };
    let n = decode(rsa["n"].as_str().unwrap());
    let padded = [&[0], &n[..]].concat();
    for jwk in [
        with(&ed, "crv", json!("X25519")),
        with(&ed, "crv", json!("Ed448")),
        with(&ed, "x", json!(encode([1; 31]))),
        with(&ed, "alg", json!("ES256")),
        with(&rsa, "n", json!(encode(&n[..128]))),
        with(&rsa, "n", json!(encode(padded))),
        with(&rsa, "n", json!("")),
        with(&rsa, "n", json!(encode([0xff; 1025]))),
        with(&rsa, "e", json!("")),
        with(&rsa, "e", json!(encode([1]))),
        with(&rsa, "e", json!(encode([2]))),
        with(&rsa, "e", json!(encode([0, 3]))),
        with(&rsa, "e", json!(encode([1, 0, 0, 0, 1]))),
        with(&rsa, "alg", json!("RS512")),
    ] {
        assert!(VerifyingKey::from_jwk(&jwk).is_err(), "{jwk}");
    }
    // The fully specified name of RFC 9864 is the same algorithm.
    assert_eq!(key_with(&with(&ed, "alg", json!("Ed25519"))).algorithm(), Algorithm::EdDsa);
    assert_eq!(key_with(&with(&rsa, "alg", json!("PS256"))).algorithm(), Algorithm::Ps256);
    assert!(VerifyingKey::from_jwk_for(&rsa, Algorithm::Ps256).is_err(), "it says RS256");
    assert!(VerifyingKey::from_jwk_for(&ed, Algorithm::Es256).is_err());
}

#[test]
fn key_sets_leave_out_what_they_cannot_use() {
    let (one, two) = (key(), key());
    let mut twin = jwk_of(&two);
    twin["kid"] = one.kid().into();
    let jwks = json!({ "keys": [
        null, 7, {}, { "kty": "oct", "kid": "s", "k": encode([1; 32]) }, jwk_of(&one), twin, jwk_of(&two)
    ], "other": 1 });
    let keys = KeySet::from_jwks(&jwks).unwrap();
    assert_eq!(keys.iter().map(VerifyingKey::key_id).collect::<Vec<_>>(), [Some(one.kid()), Some(two.kid())]);
    // The first of the name was kept.
    assert_eq!(keys.find(one.kid()).unwrap().thumbprint(), one.kid());
    assert!(keys.find("s").is_none() && keys.find("").is_none());
    assert_eq!(KeySet::from_jwks(&keys.to_jwks()).unwrap().to_jwks(), keys.to_jwks());
    assert_eq!([&one, &two].into_iter().collect::<KeySet>().to_jwks(), keys.to_jwks());

    for jwks in [json!(null), json!([]), json!({}), json!({ "keys": {} }), json!({ "keys": vec![jwk_of(&one); 65] })] {
        assert!(matches!(KeySet::from_jwks(&jwks), Err(JoseError::JwkSet(_))), "{jwks}");
    }
}

#[test]
fn a_token_chooses_at_most_one_key() {
    let (one, two) = (key(), key());
    let both: KeySet = [&one, &two].into_iter().collect();
    let payload = claims().to_string();
    let nameless = forge(r#"{"alg":"ES256","typ":"at+jwt"}"#, &payload, &one);
    let named =
        |kid: &str, key| forge(&json!({ "alg": "ES256", "typ": "at+jwt", "kid": kid }).to_string(), &payload, key);

    assert_eq!(verify(&nameless, &both, &expected()), Err(VerifyError::AmbiguousKey));
    assert_eq!(verify(&nameless, &KeySet::default(), &expected()), Err(VerifyError::UnknownKey { key_id: None }));
    assert!(verify(&nameless, &key_set(&one), &expected()).is_ok());
    assert!(verify(&named(two.kid(), &two), &both, &expected()).is_ok());
    assert_eq!(verify(&named(two.kid(), &one), &both, &expected()), Err(VerifyError::Signature));
    assert_eq!(
        verify(&named("new", &one), &both, &expected()),
        Err(VerifyError::UnknownKey { key_id: Some("new".to_owned()) })
    );

    // A key without a name may be the one that is meant, when it is the only one.
    let unnamed = |key: &SigningKey| {
        let mut jwk = jwk_of(key);
        jwk.as_object_mut().unwrap().remove("kid");
        key_with(&jwk)
    };
    assert!(verify(&named("new", &one), &KeySet::from(unnamed(&one)), &expected()).is_ok());
    let unnamed: KeySet = [unnamed(&one), unnamed(&two)].into_iter().collect();
    assert_eq!(verify(&named("new", &one), &unnamed, &expected()), Err(VerifyError::AmbiguousKey));
}

/// RFC 8725 §3.1: a key is for one algorithm, whatever the token says.
#[test]
fn the_name_of_a_key_does_not_lend_it_another_algorithm() {
    let rsa = SigningKey::generate(Algorithm::Rs256).unwrap();
    let pss = SigningKey::from_pkcs8(Algorithm::Ps256, rsa.to_pkcs8().unwrap().expose_secret()).unwrap();
    assert_eq!(rsa.kid(), pss.kid());
    let token = pss.sign_jwt("at+jwt", &claims()).unwrap();
    assert!(verify(&token, &key_set(&pss), &expected()).is_ok());
    assert_eq!(verify(&token, &key_set(&rsa), &expected()), Err(VerifyError::Algorithm));
}
