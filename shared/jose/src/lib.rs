//! Signed and encrypted tokens: JWS, JWT, JWK and JWE (RFC 7515 to 7519, RFC 8037), hardened after RFC 8725.
//!
//! josekit gives the vocabulary ([`josekit::jws::JwsSigner`], [`josekit::jws::JwsVerifier`], [`josekit::jwk::Jwk`]) and
//! does all encryption; aws-lc-rs does the arithmetic of signatures, which is half again to three times as fast.
//!
//! What a stranger sends is taken apart here and not by josekit's decoder, because that one takes the last of
//! duplicate members (RFC 7515 §4 and RFC 7519 §4 want unique names), has no limit of size, lets a JWT without `exp` or
//! `aud` pass, panics on times like `1e300` and on a JWE without a nonce, and opens a JWE whose authentication tag was cut
//! to one byte. The rules are in [`verify`] and in [`Keyring::open`].
//!
//! - [`SigningKey`] signs; it is parsed once and shared.
//! - [`VerifyingKey`] and [`KeySet`] are public keys; [`verify`] checks a token against them and an [`Expected`].
//! - [`Keyring`] holds the keys that protect data at rest; [`SealedJson`] is one purpose of it with a type.

mod algorithm;
mod claims;
mod compact;
mod error;
mod hmac_key;
mod jwk;
mod key_set;
mod keyring;
mod pkce;
mod signing;
mod strict_json;
mod token_hash;
mod verify;
mod verifying;

pub use algorithm::Algorithm;
pub use compact::{MAX_TOKEN_BYTES, TokenHeader};
pub use error::{JoseError, KeyringError, VerifyError};
pub use hmac_key::HmacKey;
pub use josekit::jwk::Jwk;
pub use jwk::thumbprint;
pub use key_set::KeySet;
pub use keyring::{Keyring, SealedJson, permissions_are_private};
pub use pkce::{is_code_verifier, is_s256_challenge, pkce_matches, pkce_s256};
pub use signing::SigningKey;
pub use token_hash::left_half_hash;
pub use verify::{Expected, UnverifiedJwt, VerifiedJwt, peek, verify};
pub use verifying::VerifyingKey;
