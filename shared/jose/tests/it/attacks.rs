//! Tokens that want to be believed.

use aws_lc_rs::hmac;
use josekit::jws::JwsSigner as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, Expected, KeySet, MAX_TOKEN_BYTES, SigningKey, VerifyError, peek, verify};

use crate::{claims, encode, expected, forge, key, key_set, other_character};

/// What becomes of a header and payload that are properly signed.
fn verdict(header: &str, payload: &str) -> VerifyError {
    let key = key();
    verify(&forge(header, payload, &key), &key_set(&key), &expected()).unwrap_err()
}

const HEADER: &str = r#"{"alg":"ES256","typ":"at+jwt"}"#;

#[test]
fn a_good_token_is_believed() {
    let key = key();
    let token = key.sign_jwt("at+jwt", &claims()).unwrap();
    let verified = verify(&token, &key_set(&key), &expected()).unwrap();
    assert_eq!(Value::Object(verified.claims), claims());
    assert_eq!(verified.header.algorithm(), "ES256");
    assert!(verify(&forge(HEADER, &claims().to_string(), &key), &key_set(&key), &expected()).is_ok());
}

#[test]
fn no_algorithm_and_foreign_algorithms() {
    let key = key();
    let payload = encode(claims().to_string());
    for alg in ["none", "None", "NONE", "", "HS256", "es256", "ES384", "ES256K", "RS512", "ES256\u{0}"] {
        let header = encode(json!({ "alg": alg, "typ": "at+jwt", "kid": key.kid() }).to_string());
        let input = format!("{header}.{payload}");
        let signature = encode(key.sign(input.as_bytes()).unwrap());
        for signature in ["", signature.as_str()] {
            let token = format!("{input}.{signature}");
            assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Algorithm), "{alg}");
        }
    }
    let accepted = Expected { algorithms: &[Algorithm::EdDsa], ..expected() };
    let token = key.sign_jwt("at+jwt", &claims()).unwrap();
    assert_eq!(verify(&token, &key_set(&key), &accepted), Err(VerifyError::Algorithm));
    assert_eq!(verdict(r#"{"typ":"at+jwt"}"#, "{}"), VerifyError::InvalidHeader("alg"));
    assert_eq!(verdict(r#"{"alg":["ES256"],"typ":"at+jwt"}"#, "{}"), VerifyError::InvalidHeader("alg"));
    assert_eq!(verdict(r#"{"alg":null,"typ":"at+jwt"}"#, "{}"), VerifyError::InvalidHeader("alg"));
}

/// The public key as the secret of an HMAC, in each form in which it is published.
#[test]
fn hmac_with_the_public_key() {
    let key = key();
    let jwk = serde_json::to_string(key.public_jwk()).unwrap();
    let input = format!(
        "{}.{}",
        encode(json!({ "alg": "HS256", "typ": "at+jwt", "kid": key.kid() }).to_string()),
        encode(claims().to_string())
    );
    for secret in [jwk.as_bytes(), b"", key.kid().as_bytes()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        let token = format!("{input}.{}", encode(tag));
        assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Algorithm));
        let keys = json!({ "keys": [jwk, { "kty": "oct", "kid": key.kid(), "k": encode(secret), "alg": "HS256" }] });
        assert!(KeySet::from_jwks(&keys).unwrap().is_empty());
    }
}

/// A key that the token brings along is not looked at, whatever it is.
#[test]
fn embedded_keys_are_ignored() {
    let (attacker, victim) = (key(), key());
    for (name, value) in [
        ("jwk", serde_json::to_value(attacker.public_jwk()).unwrap()),
        ("jku", json!("https://evil.example/jwks")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MIIB"])),
    ] {
        let mut header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": victim.kid() });
        header[name] = value.clone();
        let token = forge(&header.to_string(), &claims().to_string(), &attacker);
        assert_eq!(verify(&token, &key_set(&victim), &expected()), Err(VerifyError::Signature), "{name}");
        // And it does no harm to a good token; a caller that wants it, as for DPoP, can read it.
        let token = forge(&header.to_string(), &claims().to_string(), &victim);
        assert_eq!(verify(&token, &key_set(&victim), &expected()).unwrap().header.member(name), Some(&value));
    }
}

#[test]
fn extensions_that_must_be_understood() {
    for member in
        [r#""crit":["exp"]"#, r#""crit":[]"#, r#""crit":"x""#, r#""b64":false"#, r#""b64":false,"crit":["b64"]"#]
    {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt",{member}}}"#);
        assert_eq!(verdict(&header, &claims().to_string()), VerifyError::CriticalExtension, "{member}");
    }
}

#[test]
fn tokens_of_another_type() {
    let key = key();
    for typ in ["JWT", "", "at+jwt ", "application/json", "application/x/at+jwt", "text/at+jwt", "logout+jwt"] {
        let token = key.sign_jwt(typ, &claims()).unwrap();
        assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Type), "{typ}");
    }
    for typ in ["at+jwt", "application/at+jwt", "AT+JWT", "Application/AT+jwt"] {
        let token = key.sign_jwt(typ, &claims()).unwrap();
        assert!(verify(&token, &key_set(&key), &expected()).is_ok(), "{typ}");
    }
    let untyped = forge(r#"{"alg":"ES256"}"#, &claims().to_string(), &key);
    assert_eq!(verify(&untyped, &key_set(&key), &expected()), Err(VerifyError::Type));
    let lenient = Expected { typ_may_be_absent: true, ..expected() };
    assert!(verify(&untyped, &key_set(&key), &lenient).is_ok());
    assert_eq!(verdict(r#"{"alg":"ES256","typ":1}"#, "{}"), VerifyError::InvalidHeader("typ"));
}

#[test]
fn names_of_keys_that_are_not_names() {
    for kid in ["1", "null", "[\"a\"]", "{}", &format!("\"{}\"", "k".repeat(257))] {
        let header = format!(r#"{{"alg":"ES256","typ":"at+jwt","kid":{kid}}}"#);
        assert_eq!(verdict(&header, "{}"), VerifyError::InvalidHeader("kid"), "{kid}");
    }
}

#[test]
fn duplicate_members() {
    let duplicate_alg = r#"{"alg":"none","typ":"at+jwt","alg":"ES256"}"#;
    assert_eq!(verdict(duplicate_alg, "{}"), VerifyError::DuplicateMember("header"));
    let twice = claims().to_string().replacen('{', r#"{"sub":"admin","#, 1);
    assert_eq!(verdict(HEADER, &twice), VerifyError::DuplicateMember("payload"));
    let within = claims().to_string().replacen('{', r#"{"cnf":{"jkt":"a","\u006akt":"b"},"#, 1);
    assert_eq!(verdict(HEADER, &within), VerifyError::DuplicateMember("payload"));
}

#[test]
fn not_a_compact_jws() {
    let key = key();
    let good = key.sign_jwt("at+jwt", &claims()).unwrap();
    let four = format!("{good}.");
    let five = format!("{good}.AAAA.AAAA");
    let json = json!({ "payload": "e30", "protected": "e30", "signature": "" }).to_string();
    for token in ["", "a", ".", "a.b", "a.b.c.d", &four, &five, &json] {
        let refused = verify(token, &key_set(&key), &expected()).unwrap_err();
        assert_eq!(refused, VerifyError::NotCompact, "{token}");
        assert_eq!(peek(token).unwrap_err(), VerifyError::NotCompact);
    }
    assert_eq!(verify("..", &key_set(&key), &expected()), Err(VerifyError::Json("header")));
}

#[test]
fn oversized() {
    let key = key();
    let mut claims = claims();
    claims["pad"] = "x".repeat(MAX_TOKEN_BYTES * 3 / 4 - 500).into();
    let fits = key.sign_jwt("at+jwt", &claims).unwrap();
    assert!(fits.len() <= MAX_TOKEN_BYTES && verify(&fits, &key_set(&key), &expected()).is_ok());
    claims["pad"] = "x".repeat(MAX_TOKEN_BYTES).into();
    let large = key.sign_jwt("at+jwt", &claims).unwrap();
    assert_eq!(verify(&large, &key_set(&key), &expected()), Err(VerifyError::TooLarge));
    assert_eq!(peek(&large).unwrap_err(), VerifyError::TooLarge);
}

#[test]
fn parts_that_are_not_what_they_should_be() {
    for payload in ["", "[]", "null", "\"exp\"", "{", "{}{}", "{\"exp\":1e999}"] {
        assert_eq!(verdict(HEADER, payload), VerifyError::Json("payload"), "{payload}");
    }
    for header in ["", "[]", "null", "{", "\u{feff}{}"] {
        assert_eq!(verdict(header, "{}"), VerifyError::Json("header"), "{header}");
    }
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(5000), "]".repeat(5000));
    assert_eq!(verdict(HEADER, &deep), VerifyError::Json("payload"));
}

/// Another encoding of the same bytes is another token, and is refused.
#[test]
fn encodings_are_exact() {
    let key = key();
    let good = key.sign_jwt("at+jwt", &claims()).unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    // 64 bytes leave four bits over in the last of 86 characters.
    let last = signature.chars().last().unwrap();
    let stray = format!("{}{}", &signature[..85], char::from(u8::try_from(last).unwrap() + 1));
    for (token, part) in [
        (format!("{header}=.{payload}.{signature}"), "header"),
        (format!("{header}.{payload}.{signature}=="), "signature"),
        (format!("{header}.{payload}.{stray}"), "signature"),
        (format!("{header}.{payload}.{}", signature.replacen(char::is_alphanumeric, "+", 1)), "signature"),
        (format!("{header}.{payload}.{signature}\n"), "signature"),
        (format!(" {header}.{payload}.{signature}"), "header"),
        (format!("{header}.{payload}.é{signature}"), "signature"),
    ] {
        assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Encoding(part)), "{token}");
    }
    let input = format!("{header}.{payload}=");
    let token = format!("{input}.{}", encode(key.sign(input.as_bytes()).unwrap()));
    assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Encoding("payload")));
}

#[test]
fn signatures_that_are_none() {
    let key = key();
    let good = key.sign_jwt("at+jwt", &claims()).unwrap();
    let (input, _) = good.rsplit_once('.').unwrap();
    // R = S = 0 (RFC 7518 §3.4) was once believed elsewhere.
    for signature in [&[][..], &[0; 64], &[0xff; 64], &[0; 63], &[0; 65], &[0x30; 72], &[1; 4096]] {
        let token = format!("{input}.{}", encode(signature));
        assert_eq!(verify(&token, &key_set(&key), &expected()), Err(VerifyError::Signature));
    }
}

#[test]
fn no_character_can_be_changed_or_left_out() {
    for algorithm in Algorithm::ALL.iter().copied() {
        let key = SigningKey::generate(algorithm).unwrap();
        let good = key.sign_jwt("at+jwt", &claims()).unwrap();
        for (index, character) in good.char_indices() {
            let (before, rest) = good.split_at(index);
            let after = &rest[1..];
            for token in [format!("{before}{}{after}", other_character(character)), format!("{before}{after}")] {
                assert!(verify(&token, &key_set(&key), &expected()).is_err(), "{algorithm} {index}");
            }
        }
    }
}

#[test]
fn a_peek_believes_nothing() {
    let token = format!("{}.{}.", encode(r#"{"alg":"none","kid":"k","typ":"t"}"#), encode(r#"{"iss":"i"}"#));
    let peeked = peek(&token).unwrap();
    assert_eq!(
        (peeked.header.algorithm(), peeked.header.key_id(), peeked.header.typ()),
        ("none", Some("k"), Some("t"))
    );
    assert_eq!((peeked.text("iss"), peeked.text("sub")), (Some("i"), None));
    assert_eq!(Value::Object(peeked.claims), json!({ "iss": "i" }));
}

/// What the sender wrote comes back in no message: it would end up in headers and logs.
#[test]
fn messages_repeat_nothing() {
    let secret = "sneaky\r\nSet-Cookie: a=b";
    let key = key();
    let header = json!({ "alg": secret, "typ": secret, "kid": secret }).to_string();
    let unknown = json!({ "alg": "ES256", "typ": "at+jwt", "kid": secret }).to_string();
    for header in [header, unknown] {
        let error = verify(&forge(&header, "{}", &key), &key_set(&key), &expected()).unwrap_err();
        assert!(error.to_string().is_ascii() && !error.to_string().contains("sneaky"), "{error}");
    }
}

proptest! {
    /// Any header over a signed token: an answer, and never belief where the algorithm is not the key's.
    #[test]
    fn signed_headers_never_panic(alg in "(ES256|none|HS256|EdDSA|.{0,5})", typ in ".{0,12}", rest in ".{0,20}") {
        let key = key();
        let header = json!({ "alg": alg, "typ": typ, "x": rest }).to_string();
        let verdict = verify(&forge(&header, &claims().to_string(), &key), &key_set(&key), &expected());
        prop_assert_eq!(verdict.is_ok(), alg == "ES256" && typ.eq_ignore_ascii_case("at+jwt"));
    }
}
