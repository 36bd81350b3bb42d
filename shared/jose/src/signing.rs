//! Private keys that sign.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use josekit::jws::{JwsAlgorithm, JwsSigner};
use secrecy::SecretSlice;
use serde::Serialize;
use serde_json::{Value, json};

use crate::{Algorithm, JoseError, KeySet, VerifyingKey};

/// Types whose headers are encoded once, when the key is made. Others work as well, and cost an encoding each.
const PREPARED_TYPES: [&str; 6] =
    ["at+jwt", "JWT", "logout+jwt", "secevent+jwt", "token-introspection+jwt", "client-authentication+jwt"];

/// A private key, parsed once and shared: a clone is the same key. It does not print.
#[derive(Clone)]
pub struct SigningKey(Arc<Inner>);

struct Inner {
    algorithm: Algorithm,
    pair: Arc<Pair>,
    key_id: String,
    public: VerifyingKey,
    /// Encoded headers with the dot behind, by type.
    headers: Vec<(&'static str, String)>,
}

enum Pair {
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// A new key from the generator of the cryptographic library, which takes no other (RSA: 2048 bits).
    ///
    /// # Errors
    /// [`JoseError::Cryptography`] when the library fails.
    pub fn generate(algorithm: Algorithm) -> Result<Self, JoseError> {
        let pair = match algorithm {
            Algorithm::Es256 => Pair::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?),
            Algorithm::EdDsa => Pair::Ed25519(Ed25519KeyPair::generate()?),
            Algorithm::Rs256 | Algorithm::Ps256 => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048)?),
        };
        Self::assemble(algorithm, Arc::new(pair), None)
    }

    /// Reads a private key in unencrypted PKCS#8 (RFC 5208), DER.
    ///
    /// # Errors
    /// [`JoseError::PrivateKey`] when it is not one of this algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, JoseError> {
        let pair = match algorithm {
            Algorithm::Es256 => EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::P256),
            Algorithm::EdDsa => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
            Algorithm::Rs256 | Algorithm::Ps256 => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
        };
        let pair = pair.map_err(|_| JoseError::PrivateKey(algorithm))?;
        Self::assemble(algorithm, Arc::new(pair), None)
    }

    /// The same key under another name than its thumbprint.
    ///
    /// # Errors
    /// [`JoseError::Jwk`] when the name is longer than 256 bytes.
    pub fn with_kid(&self, key_id: &str) -> Result<Self, JoseError> {
        Self::assemble(self.0.algorithm, Arc::clone(&self.0.pair), Some(key_id))
    }

    fn assemble(algorithm: Algorithm, pair: Arc<Pair>, key_id: Option<&str>) -> Result<Self, JoseError> {
        let mut jwk = public_members(&pair);
        jwk["alg"] = algorithm.as_str().into();
        let nameless = VerifyingKey::from_jwk(&jwk)?;
        let key_id = key_id.unwrap_or_else(|| nameless.thumbprint()).to_owned();
        jwk["kid"] = key_id.as_str().into();
        let public = VerifyingKey::from_jwk(&jwk)?;
        let headers = PREPARED_TYPES.iter().map(|typ| (*typ, encoded_header(algorithm, &key_id, typ))).collect();
        Ok(Self(Arc::new(Inner { algorithm, pair, key_id, public, headers })))
    }

    /// The private key in unencrypted PKCS#8, DER: to be sealed at once.
    ///
    /// # Errors
    /// [`JoseError::Cryptography`] when the library fails.
    pub fn to_pkcs8(&self) -> Result<SecretSlice<u8>, JoseError> {
        let der = match &*self.0.pair {
            Pair::P256(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.to_pkcs8v1()?.as_ref().to_vec(),
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair)?.as_ref().to_vec(),
        };
        Ok(der.into())
    }

    /// The one algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The name of the key: its thumbprint (RFC 7638), unless it was given another.
    pub fn kid(&self) -> &str {
        &self.0.key_id
    }

    /// The public half with its name, algorithm and use.
    pub fn public_jwk(&self) -> &Jwk {
        self.0.public.public_jwk()
    }

    /// The public half.
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.0.public
    }

    /// Signs claims as a JWT of this media type (`typ`, without `application/`).
    ///
    /// Times among the claims should be integers: a float is legal (RFC 7519 §2), but not every reader takes it.
    ///
    /// # Errors
    /// [`JoseError::Claims`] when the claims do not make a JSON object, [`JoseError::Cryptography`] when the library
    /// fails.
    pub fn sign_jwt(&self, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
        let mut payload = Vec::with_capacity(1024);
        serde_json::to_writer(&mut payload, claims).map_err(|error| JoseError::Claims(Some(error)))?;
        if payload.first() != Some(&b'{') {
            return Err(JoseError::Claims(None));
        }
        let fresh;
        let header = if let Some((_, header)) = self.0.headers.iter().find(|(prepared, _)| *prepared == typ) {
            header
        } else {
            fresh = encoded_header(self.0.algorithm, &self.0.key_id, typ);
            &fresh
        };
        let capacity = header.len() + encoded_len(payload.len()) + 1 + encoded_len(self.signature_len());
        let mut token = String::with_capacity(capacity);
        token.push_str(header);
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        let signed = self.signed(token.as_bytes(), |signature| URL_SAFE_NO_PAD.encode(signature))?;
        token.push('.');
        token.push_str(&signed);
        Ok(token)
    }

    /// Signs, and hands the signature over where it lies: the library's buffer is large, and is not worth moving.
    fn signed<T>(&self, message: &[u8], take: impl FnOnce(&[u8]) -> T) -> Result<T, JoseError> {
        // The library signs with its own generator whatever it is given.
        let random = SystemRandom::new();
        Ok(match &*self.0.pair {
            Pair::P256(pair) => take(pair.sign(&random, message)?.as_ref()),
            Pair::Ed25519(pair) => take(pair.try_sign(message)?.as_ref()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                match self.0.algorithm {
                    Algorithm::Ps256 => pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature)?,
                    _ => pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?,
                }
                take(&signature)
            }
        })
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.kid())
            .finish_non_exhaustive()
    }
}

impl JwsSigner for SigningKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &self.0.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        Some(self.kid())
    }

    fn signature_len(&self) -> usize {
        match &*self.0.pair {
            Pair::P256(_) | Pair::Ed25519(_) => 64,
            Pair::Rsa(pair) => pair.public_modulus_len(),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, josekit::JoseError> {
        self.signed(message, <[u8]>::to_vec).map_err(|error| josekit::JoseError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsSigner> {
        Box::new(self.clone())
    }
}

impl<'a> FromIterator<&'a SigningKey> for KeySet {
    fn from_iter<I: IntoIterator<Item = &'a SigningKey>>(keys: I) -> Self {
        keys.into_iter().map(|key| key.verifying_key().clone()).collect()
    }
}

/// The header in base64url with the dot behind it.
fn encoded_header(algorithm: Algorithm, key_id: &str, typ: &str) -> String {
    let header = json!({ "alg": algorithm.as_str(), "kid": key_id, "typ": typ }).to_string();
    let mut encoded = URL_SAFE_NO_PAD.encode(header);
    encoded.push('.');
    encoded
}

/// The length of `bytes` bytes in base64url.
const fn encoded_len(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

/// The members that make the public key (RFC 7518 §6.2.1 and §6.3.1, RFC 8037 §2).
fn public_members(pair: &Pair) -> Value {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    match pair {
        Pair::P256(pair) => {
            // An uncompressed point: one byte of form, then both coordinates.
            let (x, y) = pair.public_key().as_ref().split_at(33);
            json!({ "kty": "EC", "crv": "P-256", "x": encode(&x[1..]), "y": encode(y) })
        }
        Pair::Ed25519(pair) => {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
        }
        Pair::Rsa(pair) => {
            let key = pair.public_key();
            let n = encode(key.modulus().big_endian_without_leading_zero());
            json!({ "kty": "RSA", "n": n, "e": encode(key.exponent().big_endian_without_leading_zero()) })
        }
    }
}
