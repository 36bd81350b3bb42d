//! The public keys of one issuer or client.

use serde_json::{Value, json};

use crate::{Algorithm, JoseError, VerifyError, VerifyingKey};

/// More keys than this are a mistake or an attack.
const MAX_KEYS: usize = 64;

/// Public keys to check signatures with (JWK Set, RFC 7517 §5).
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<VerifyingKey>);

impl KeySet {
    /// Reads a JWK Set. Keys that are not understood, not for signatures, or of which another key has the name and
    /// algorithm already are left out, as RFC 7517 §5 advises; so are symmetric and private keys.
    ///
    /// # Errors
    /// [`JoseError::JwkSet`] when it is not a JWK Set or has more than 64 keys.
    pub fn from_jwks(jwks: &Value) -> Result<Self, JoseError> {
        let keys = jwks.get("keys").and_then(Value::as_array).ok_or(JoseError::JwkSet("keys is not a list"))?;
        if keys.len() > MAX_KEYS {
            return Err(JoseError::JwkSet("it has more than 64 keys"));
        }
        Ok(keys.iter().filter_map(|jwk| VerifyingKey::from_jwk(jwk).ok()).collect())
    }

    /// The key of this name.
    pub fn find(&self, key_id: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.key_id() == Some(key_id))
    }

    /// The keys, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &VerifyingKey> {
        self.0.iter()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JWK Set to publish.
    pub fn to_jwks(&self) -> Value {
        json!({ "keys": self.0.iter().map(VerifyingKey::public_jwk).collect::<Vec<_>>() })
    }

    /// The key that a token must have been signed with. At most one is tried: a token cannot make us work through all.
    pub(crate) fn choose(&self, key_id: Option<&str>, algorithm: Algorithm) -> Result<&VerifyingKey, VerifyError> {
        let fits = |key: &&VerifyingKey| key.algorithm() == algorithm;
        if let Some(wanted) = key_id {
            if let Some(key) = self.0.iter().filter(fits).find(|key| key.key_id() == key_id) {
                return Ok(key);
            }
            // The name is known, so asking for newer keys would not help.
            if self.find(wanted).is_some() {
                return Err(VerifyError::Algorithm);
            }
        }
        let mut candidates = self.0.iter().filter(fits).filter(|key| key_id.is_none() || key.key_id().is_none());
        match (candidates.next(), candidates.next()) {
            (Some(key), None) => Ok(key),
            (None, _) => Err(VerifyError::UnknownKey { key_id: key_id.map(str::to_owned) }),
            (Some(_), Some(_)) => Err(VerifyError::AmbiguousKey),
        }
    }
}

impl FromIterator<VerifyingKey> for KeySet {
    /// The first of several keys with the same name and algorithm is kept.
    fn from_iter<I: IntoIterator<Item = VerifyingKey>>(keys: I) -> Self {
        let mut kept: Vec<VerifyingKey> = Vec::new();
        for key in keys {
            let known = key.key_id().is_some()
                && kept.iter().any(|other| other.key_id() == key.key_id() && other.algorithm() == key.algorithm());
            if !known {
                kept.push(key);
            }
        }
        Self(kept)
    }
}

impl From<VerifyingKey> for KeySet {
    fn from(key: VerifyingKey) -> Self {
        Self(vec![key])
    }
}
