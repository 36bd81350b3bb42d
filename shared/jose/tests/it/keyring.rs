//! Sealing and opening.

use josekit::jwe::{self, A256GCMKW, JweHeader};
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_jose::{Keyring, KeyringError, SealedJson};
use tenantry_types::SystemRandom;

use crate::{decode, encode, other_character};

const SECRET: [u8; 32] = [7; 32];

fn jwk(kid: &str, secret: &[u8]) -> Value {
    json!({ "kty": "oct", "kid": kid, "k": encode(secret) })
}

fn ring() -> Keyring {
    Keyring::from_json(&json!({ "keys": [jwk("one", &SECRET)] }).to_string()).unwrap()
}

/// Seals with the ring's key whatever header.
fn seal_with(members: Value, plaintext: &[u8]) -> String {
    let Value::Object(members) = members else { unreachable!() };
    let mut encrypter = A256GCMKW.encrypter_from_bytes(SECRET).unwrap();
    encrypter.set_key_id("one");
    jwe::serialize_compact(plaintext, &JweHeader::from_map(members).unwrap(), &encrypter).unwrap()
}

#[test]
fn what_is_sealed_opens() {
    let ring = ring();
    for plaintext in [&b""[..], b"a", &vec![0xff; 100_000]] {
        let sealed = ring.seal("cookie", plaintext).unwrap();
        assert_eq!(ring.open("cookie", &sealed).unwrap(), plaintext);
        assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)));
        assert_ne!(ring.seal("cookie", plaintext).unwrap(), sealed);
    }
    let header: Value =
        serde_json::from_slice(&decode(ring.seal("p", b"").unwrap().split('.').next().unwrap())).unwrap();
    assert_eq!((&header["alg"], &header["enc"]), (&json!("A256GCMKW"), &json!("A256GCM")));
    assert_eq!((&header["kid"], &header["purpose"]), (&json!("one"), &json!("p")));
}

/// It is an ordinary JWE.
#[test]
fn josekit_opens_it_too() {
    let sealed = ring().seal("cookie", b"text").unwrap();
    let decrypter = A256GCMKW.decrypter_from_bytes(SECRET).unwrap();
    let (plaintext, header) = jwe::deserialize_compact(&sealed, &decrypter).unwrap();
    assert_eq!((plaintext.as_slice(), header.claim("purpose")), (&b"text"[..], Some(&json!("cookie"))));
}

#[test]
fn a_purpose_is_bound() {
    let sealed = ring().seal("session-cookie", b"x").unwrap();
    for purpose in ["session-cooki", "session-cookie2", "Session-cookie", "key:1"] {
        assert!(matches!(ring().open(purpose, &sealed), Err(KeyringError::OtherPurpose)), "{purpose}");
    }
    for purpose in ["", "with space", "line\n", "é", &"p".repeat(201)] {
        assert!(matches!(ring().seal(purpose, b""), Err(KeyringError::Purpose)), "{purpose}");
        assert!(matches!(ring().open(purpose, &sealed), Err(KeyringError::Purpose)), "{purpose}");
    }
    // Written over, the header no longer fits the tag.
    let (header, rest) = sealed.split_once('.').unwrap();
    let header = String::from_utf8(decode(header)).unwrap().replace("session-cookie", "signing-key");
    let moved = format!("{}.{rest}", encode(header));
    assert!(matches!(ring().open("signing-key", &moved), Err(KeyringError::Tampered)));
}

#[test]
fn no_character_can_be_changed_or_left_out() {
    let ring = ring();
    let sealed = ring.seal("p", b"some plaintext").unwrap();
    for (index, character) in sealed.char_indices() {
        let (before, rest) = sealed.split_at(index);
        let after = &rest[1..];
        for changed in [format!("{before}{}{after}", other_character(character)), format!("{before}{after}")] {
            assert!(ring.open("p", &changed).is_err(), "{index}");
        }
    }
    let (before, last) = sealed.split_at(sealed.len() - 1);
    let stray = format!("{before}{}", char::from(last.as_bytes()[0] + 1));
    assert!(ring.open("p", &stray).is_err());
}

#[test]
fn tampered_and_foreign() {
    let ring = ring();
    let sealed = ring.seal("p", b"some plaintext").unwrap();
    let mut parts: Vec<String> = sealed.split('.').map(str::to_owned).collect();
    parts[3] = encode(b"another text..");
    assert!(matches!(ring.open("p", &parts.join(".")), Err(KeyringError::Tampered)));

    let other = Keyring::from_json(&json!({ "keys": [jwk("two", &[8; 32])] }).to_string()).unwrap();
    assert!(matches!(other.open("p", &sealed), Err(KeyringError::UnknownKey)));
    let impostor = Keyring::from_json(&json!({ "keys": [jwk("one", &[8; 32])] }).to_string()).unwrap();
    assert!(matches!(impostor.open("p", &sealed), Err(KeyringError::Tampered)));
}

/// A tag of one byte would be guessed in 256 tries, and an odd nonce is a way to wear the key out.
#[test]
fn shortened_tags_and_odd_nonces() {
    let ring = ring();
    let sealed = ring.seal("p", b"text").unwrap();
    let parts: Vec<&str> = sealed.split('.').collect();
    let with_part = |index: usize, bytes: &[u8]| {
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[index] = encode(bytes);
        parts.join(".")
    };
    let (key, nonce, tag) = (decode(parts[1]), decode(parts[2]), decode(parts[4]));
    let mut header: Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    let key_tag = decode(header["tag"].as_str().unwrap());
    header["tag"] = encode(&key_tag[..4]).into();
    let short_key_tag = with_part(0, header.to_string().as_bytes());
    header["tag"] = encode(&key_tag).into();
    header["iv"] = encode([1; 64]).into();
    let long_key_nonce = with_part(0, header.to_string().as_bytes());
    for sealed in [
        with_part(4, &tag[..1]),
        with_part(4, &tag[..12]),
        with_part(4, &[]),
        with_part(2, &[1; 64]),
        with_part(2, &nonce[..8]),
        with_part(2, &[]),
        with_part(1, &key[..16]),
        with_part(1, &[]),
        short_key_tag,
        long_key_nonce,
    ] {
        assert!(matches!(ring.open("p", &sealed), Err(KeyringError::NotSealed)), "{sealed}");
    }
}

#[test]
fn only_what_is_made_here_is_opened() {
    let ring = ring();
    let good = seal_with(json!({ "enc": "A256GCM", "purpose": "p" }), b"x");
    assert_eq!(ring.open("p", &good).unwrap(), b"x");
    for members in [
        // A bomb, though the key is right.
        json!({ "enc": "A256GCM", "purpose": "p", "zip": "DEF" }),
        json!({ "enc": "A256GCM", "purpose": "p", "crit": ["purpose"] }),
        json!({ "enc": "A256GCM", "purpose": "p", "typ": "JWT" }),
        json!({ "enc": "A128GCM", "purpose": "p" }),
        json!({ "enc": "A256CBC-HS512", "purpose": "p" }),
        json!({ "enc": "A256GCM" }),
        json!({ "enc": "A256GCM", "purpose": ["p"] }),
    ] {
        let sealed = seal_with(members.clone(), &[b'a'; 1000]);
        assert!(matches!(ring.open("p", &sealed), Err(KeyringError::NotSealed)), "{members}");
    }
    let header = decode(good.split('.').next().unwrap());
    let twice = String::from_utf8(header).unwrap().replacen('{', r#"{"purpose":"q","#, 1);
    let twice = format!("{}.{}", encode(twice), good.split_once('.').unwrap().1);
    for sealed in ["", ".", "....", "a.b.c", "a.b.c.d.e.f", &format!("{good}."), &twice] {
        assert!(matches!(ring.open("p", sealed), Err(KeyringError::NotSealed)), "{sealed}");
        assert!(!ring.needs_resealing(sealed));
    }
}

#[test]
fn sizes_are_bounded() {
    let ring = ring();
    let most = vec![0; 780_000];
    let sealed = ring.seal(&"p".repeat(200), &most).unwrap();
    assert_eq!(ring.open(&"p".repeat(200), &sealed).unwrap(), most);
    assert!(matches!(ring.seal("p", &vec![0; 800_000]), Err(KeyringError::TooLarge)));
    assert!(matches!(ring.open("p", &"a".repeat(1_100_000)), Err(KeyringError::TooLarge)));
}

#[test]
fn rotation() {
    let old = ring();
    let new = old.with_new_primary(&SystemRandom).unwrap();
    assert_ne!(new.primary_kid(), old.primary_kid());
    let (by_old, by_new) = (old.seal("p", b"x").unwrap(), new.seal("p", b"x").unwrap());
    assert_eq!(new.open("p", &by_old).unwrap(), b"x");
    assert_eq!(new.open("p", &by_new).unwrap(), b"x");
    assert!(matches!(old.open("p", &by_new), Err(KeyringError::UnknownKey)));
    assert!(new.needs_resealing(&by_old) && !new.needs_resealing(&by_new));

    let again = Keyring::from_json(new.to_json().expose_secret()).unwrap();
    assert_eq!(again.primary_kid(), new.primary_kid());
    assert_eq!(again.open("p", &by_old).unwrap(), again.open("p", &by_new).unwrap());

    let tag = old.derive("csrf").tag(&[b"session"]);
    assert!(new.derive("csrf").verify(&[b"session"], &tag));
    assert_ne!(new.derive("csrf").tag(&[b"session"]), tag);
    assert!(!new.derive("other").verify(&[b"session"], &tag));
}

#[test]
fn every_key_must_be_usable() {
    let keys = |keys: Value| Keyring::from_json(&json!({ "keys": keys }).to_string());
    let with = |name: &str, value: Value| {
        let mut jwk = jwk("k", &SECRET);
        jwk[name] = value;
        json!([jwk])
    };
    for broken in [
        json!(null),
        json!([]),
        json!([null]),
        json!([{}]),
        json!([jwk("k", &[1; 31])]),
        json!([jwk("k", &[1; 16])]),
        json!([jwk("", &SECRET)]),
        json!([jwk(&"k".repeat(65), &SECRET)]),
        json!([jwk("k", &SECRET), jwk("k", &[1; 32])]),
        with("kty", json!("EC")),
        with("alg", json!("dir")),
        with("use", json!("sig")),
        with("k", json!("not base64url!")),
        with("kid", Value::Null),
        (0..65).map(|index| jwk(&index.to_string(), &SECRET)).collect(),
    ] {
        assert!(matches!(keys(broken.clone()), Err(KeyringError::Keys(_))), "{broken}");
    }
    for text in ["", "[]", "{", r#"{"keys":[],"keys":[]}"#] {
        assert!(matches!(Keyring::from_json(text), Err(KeyringError::Keys(_))), "{text}");
    }
    let full = keys((0..64).map(|index| jwk(&index.to_string(), &SECRET)).collect()).unwrap();
    assert!(matches!(full.with_new_primary(&SystemRandom), Err(KeyringError::Keys(_))));
}

#[test]
fn nothing_prints_a_key() {
    let ring = ring();
    let sealed = SealedJson::<String>::new(ring.clone(), "p");
    let printed = format!("{ring:?} {sealed:?} {:?} {:?}", ring.to_json(), ring.derive("x"));
    assert!(!printed.contains(&encode(SECRET)) && !printed.contains("7, 7"), "{printed}");
    let error = Keyring::from_json(&json!({ "keys": [jwk("k", &[7; 31])] }).to_string()).unwrap_err();
    assert!(!format!("{error:?} {error}").contains("BwcH"));
}

/// josekit cannot be made to fail from here.
#[test]
fn failures_of_the_library_are_passed_on() {
    let failure = A256GCMKW.encrypter_from_bytes([1; 3]).unwrap_err();
    assert!(matches!(KeyringError::from(failure), KeyringError::Encryption(_)));
}

#[test]
fn values_with_types() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct SignIn {
        state: String,
        attempts: u8,
    }
    let cookie = SealedJson::<SignIn>::new(ring(), "sign-in");
    let value = SignIn { state: "s".to_owned(), attempts: 2 };
    let sealed = cookie.clone().seal(&value).unwrap();
    assert_eq!(cookie.open(&sealed).unwrap(), value);
    let other_type = SealedJson::<Vec<u8>>::new(ring(), "sign-in");
    assert!(matches!(other_type.open(&sealed), Err(KeyringError::Json(_))));
    let other_purpose = SealedJson::<SignIn>::new(ring(), format!("sign-in:{}", 1));
    assert!(matches!(other_purpose.open(&sealed), Err(KeyringError::OtherPurpose)));
}

proptest! {
    #[test]
    fn sealed_bytes_open(plaintext: Vec<u8>, purpose in "[!-~]{1,200}") {
        let sealed = ring().seal(&purpose, &plaintext).unwrap();
        prop_assert_eq!(ring().open(&purpose, &sealed).unwrap(), plaintext);
    }

    #[test]
    fn opening_never_panics(text in ".{0,200}", parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 5)) {
        prop_assert!(ring().open("p", &text).is_err());
        let sealed: Vec<String> = parts.iter().map(encode).collect();
        prop_assert!(ring().open("p", &sealed.join(".")).is_err());
    }

    /// Headers of the right form with anything in them.
    #[test]
    fn any_header_never_panics(iv: Vec<u8>, tag: Vec<u8>, alg in "(A256GCMKW|dir|.{0,6})", kid in "(one|.{0,6})") {
        let header = json!({ "alg": alg, "enc": "A256GCM", "iv": encode(iv), "kid": kid, "purpose": "p", "tag": encode(tag) });
        let sealed = format!("{}.{}.{}.AAAA.{}", encode(header.to_string()), encode([1; 32]), encode([1; 12]), encode([1; 16]));
        prop_assert!(ring().open("p", &sealed).is_err());
    }

    #[test]
    fn reading_keys_never_panics(text in r#"[{}\[\]":,a-z0-9 ]{0,60}"#) {
        prop_assert!(Keyring::from_json(&text).is_err());
    }
}
