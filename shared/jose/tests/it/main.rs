//! Tokens and sealed data as the rest of the workspace, and whoever attacks it, meets them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod attacks;
mod claims;
mod interop;
mod key_file;
mod keyring;
mod keys;
mod properties;
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jws::JwsSigner as _;
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, Expected, KeySet, SigningKey};
use tenantry_types::UtcTime;

/// 2027-01-15T08:00:00Z.
const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://id.example/t/acme";
const AUDIENCE: &str = "https://api.example";

fn now() -> UtcTime {
    UtcTime::from_unix_seconds(NOW).unwrap()
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

fn expected() -> Expected<'static> {
    Expected::new(&["at+jwt"], Some(ISSUER), Some(&[AUDIENCE]), now())
}

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "u1", "jti": "t1", "iat": NOW - 10, "nbf": NOW - 10, "exp": NOW + 300 })
}

fn key_set(key: &SigningKey) -> KeySet {
    KeySet::from(key.verifying_key().clone())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Signs whatever header and payload.
fn forge(header: &str, payload: &str, key: &SigningKey) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(signature))
}

/// Another character of the base64url alphabet.
fn other_character(character: char) -> char {
    if character == 'A' { 'B' } else { 'A' }
}
