//! Public keys.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use josekit::jwk::Jwk;
use josekit::jws::{JwsAlgorithm, JwsVerifier};
use serde_json::{Map, Value};

use crate::compact::MAX_KEY_ID_BYTES;
use crate::jwk::{PRIVATE_MEMBERS, bytes, optional_text, text};
use crate::{Algorithm, JoseError, thumbprint};

/// A public key, parsed once and shared: a clone is the same key.
#[derive(Clone)]
pub struct VerifyingKey(Arc<Inner>);

struct Inner {
    algorithm: Algorithm,
    key_id: Option<String>,
    key: ParsedPublicKey,
    jwk: Jwk,
    thumbprint: String,
}

impl VerifyingKey {
    /// Reads a public JWK: `EC` on P-256, `OKP` on Ed25519, or `RSA` of 2048 to 8192 bits.
    ///
    /// A key is for one algorithm (RFC 8725 §3.1): the one it names, or else the one of its curve; an RSA key that names
    /// none is for RS256.
    ///
    /// # Errors
    /// [`JoseError::Jwk`] when it is malformed, of another kind, not for signatures, or holds a private or symmetric key.
    pub fn from_jwk(jwk: &Value) -> Result<Self, JoseError> {
        Self::read(jwk, None)
    }

    /// The same for an algorithm that is known from elsewhere, like a client's registered one.
    ///
    /// # Errors
    /// As [`Self::from_jwk`], and when the key is not for this algorithm.
    pub fn from_jwk_for(jwk: &Value, algorithm: Algorithm) -> Result<Self, JoseError> {
        Self::read(jwk, Some(algorithm))
    }

    fn read(jwk: &Value, wanted: Option<Algorithm>) -> Result<Self, JoseError> {
        let members = jwk.as_object().ok_or(JoseError::Jwk("it is not an object"))?;
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(JoseError::Jwk("it holds a private or symmetric key"));
        }
        check_use(members)?;
        let key_id = optional_text(members, "kid")?;
        if key_id.is_some_and(|key_id| key_id.len() > MAX_KEY_ID_BYTES) {
            return Err(JoseError::Jwk("kid is too long"));
        }
        let algorithm = algorithm_of(members, wanted)?;
        let key = match algorithm {
            Algorithm::Es256 => p256_key(members)?,
            Algorithm::EdDsa => ed25519_key(members)?,
            Algorithm::Rs256 | Algorithm::Ps256 => rsa_key(members, algorithm)?,
        };
        let jwk = published(members, algorithm)?;
        let thumbprint = thumbprint(&jwk)?;
        Ok(Self(Arc::new(Inner { algorithm, key_id: key_id.map(str::to_owned), key, jwk, thumbprint })))
    }

    /// The one algorithm of the key.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm
    }

    /// The name of the key.
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    /// The key with its name, algorithm and use, and nothing else that its source may have said.
    pub fn public_jwk(&self) -> &Jwk {
        &self.0.jwk
    }

    /// The thumbprint of the key (RFC 7638), the `jkt` of a token that is bound to it (RFC 9449 §6.1).
    pub fn thumbprint(&self) -> &str {
        &self.0.thumbprint
    }

    /// Whether the signature is the key's signature of the message.
    pub(crate) fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.key.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("algorithm", &self.algorithm())
            .field("key_id", &self.key_id())
            .finish_non_exhaustive()
    }
}

impl JwsVerifier for VerifyingKey {
    fn algorithm(&self) -> &dyn JwsAlgorithm {
        &self.0.algorithm
    }

    fn key_id(&self) -> Option<&str> {
        self.key_id()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), josekit::JoseError> {
        let result = self.0.key.verify_sig(message, signature);
        result.map_err(|error| josekit::JoseError::InvalidSignature(error.into()))
    }

    fn box_clone(&self) -> Box<dyn JwsVerifier> {
        Box::new(self.clone())
    }
}

/// Both `use` and `key_ops` may say what the key is for (RFC 7517 §4.2 and §4.3).
fn check_use(members: &Map<String, Value>) -> Result<(), JoseError> {
    if optional_text(members, "use")?.is_some_and(|usage| usage != "sig") {
        return Err(JoseError::Jwk("it is not for signatures"));
    }
    match members.get("key_ops") {
        None => Ok(()),
        Some(Value::Array(operations)) if operations.iter().any(|operation| operation == "verify") => Ok(()),
        Some(_) => Err(JoseError::Jwk("it is not for verifying")),
    }
}

fn algorithm_of(members: &Map<String, Value>, wanted: Option<Algorithm>) -> Result<Algorithm, JoseError> {
    let possible: &[Algorithm] = match text(members, "kty")? {
        "EC" => &[Algorithm::Es256],
        "OKP" => &[Algorithm::EdDsa],
        "RSA" => &[Algorithm::Rs256, Algorithm::Ps256],
        _ => return Err(JoseError::Jwk("the kind of key is not supported")),
    };
    let stated = match optional_text(members, "alg")? {
        None => None,
        Some(name) => Some(Algorithm::of_member(name).ok_or(JoseError::Jwk("its algorithm is not supported"))?),
    };
    match (stated, wanted) {
        (Some(stated), Some(wanted)) if stated != wanted => Err(JoseError::Jwk("it is for another algorithm")),
        (stated, wanted) => stated
            .or(wanted)
            .or(possible.first().copied())
            .filter(|algorithm| possible.contains(algorithm))
            .ok_or(JoseError::Jwk("its kind does not fit its algorithm")),
    }
}

/// Coordinates have their full length (RFC 7518 §6.2.1.2), so a point has one encoding and one thumbprint. That the
/// point is on the curve is checked by the library.
fn p256_key(members: &Map<String, Value>) -> Result<ParsedPublicKey, JoseError> {
    let (x, y) = (bytes(members, "x")?, bytes(members, "y")?);
    if text(members, "crv")? != "P-256" || x.len() != 32 || y.len() != 32 {
        return Err(JoseError::Jwk("it is not a key on P-256"));
    }
    let mut point = Vec::with_capacity(65);
    point.push(4); // uncompressed (SEC 1 §2.3.3)
    point.extend_from_slice(&x);
    point.extend_from_slice(&y);
    ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).map_err(|_| JoseError::Jwk("it is not a point on P-256"))
}

fn ed25519_key(members: &Map<String, Value>) -> Result<ParsedPublicKey, JoseError> {
    let x = bytes(members, "x")?;
    if text(members, "crv")? != "Ed25519" || x.len() != 32 {
        return Err(JoseError::Jwk("it is not a key on Ed25519"));
    }
    ParsedPublicKey::new(&ED25519, x).map_err(|_| JoseError::Jwk("it is not a point on Ed25519"))
}

/// Numbers have no leading zero octets (RFC 7518 §2), so a key has one thumbprint; 2048 bits is the least (§3.3).
fn rsa_key(members: &Map<String, Value>, algorithm: Algorithm) -> Result<ParsedPublicKey, JoseError> {
    let (n, e) = (bytes(members, "n")?, bytes(members, "e")?);
    // Bytes are counted, so the first must have its top bit set: every modulus of a standard size has.
    if !(256..=1024).contains(&n.len()) || n.first().is_none_or(|first| *first < 0x80) {
        return Err(JoseError::Jwk("its modulus is not of 2048 to 8192 bits"));
    }
    let odd = e.last().is_some_and(|last| last % 2 == 1);
    if !odd || e.len() > 4 || e == [1] {
        return Err(JoseError::Jwk("its exponent is not an odd number from 3 to 32 bits"));
    }
    let parameters = match algorithm {
        Algorithm::Ps256 => &RSA_PSS_2048_8192_SHA256,
        _ => &RSA_PKCS1_2048_8192_SHA256,
    };
    RsaPublicKeyComponents { n, e }
        .to_parsed_public_key(parameters)
        .map_err(|_| JoseError::Jwk("it is not a valid RSA key"))
}

/// What is published of a key: what makes it, its name, and that it is for this algorithm only.
fn published(members: &Map<String, Value>, algorithm: Algorithm) -> Result<Jwk, JoseError> {
    let mut kept = Map::new();
    for name in ["kty", "crv", "x", "y", "n", "e", "kid"] {
        if let Some(value) = members.get(name) {
            kept.insert(name.to_owned(), value.clone());
        }
    }
    kept.insert("alg".to_owned(), algorithm.as_str().into());
    kept.insert("use".to_owned(), "sig".into());
    Jwk::from_map(kept).map_err(|_| JoseError::Jwk("it is malformed"))
}
