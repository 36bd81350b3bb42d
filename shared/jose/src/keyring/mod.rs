//! The keys that protect data at rest and in cookies.

mod file;
mod sealed_json;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwe::alg::aesgcmkw::{AesgcmkwJweDecrypter, AesgcmkwJweEncrypter};
use josekit::jwe::{A256GCMKW, JweContext, JweHeader};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde_json::{Map, Value, json};
use tenantry_types::Random;

pub use file::permissions_are_private;
pub use sealed_json::SealedJson;

use crate::strict_json;
use crate::{HmacKey, KeyringError};

/// The algorithm that wraps content keys (RFC 7518 §4.7).
const ALGORITHM: &str = "A256GCMKW";
/// The algorithm that encrypts content (RFC 7518 §5.3).
const ENCRYPTION: &str = "A256GCM";
/// The protected header member that says what sealed data is for.
const PURPOSE: &str = "purpose";
/// The members of the header of sealed data: these and no others.
const HEADER_MEMBERS: [&str; 6] = ["alg", "enc", "iv", "kid", PURPOSE, "tag"];

/// The longest sealed text that is made or opened, in bytes.
const MAX_SEALED_BYTES: usize = 1024 * 1024;
const MAX_PURPOSE_BYTES: usize = 200;
const MAX_KEYS: usize = 64;

/// Key-encryption keys: the first is primary and seals, all open. Shared: a clone is the same ring. It does not print.
///
/// Data is sealed as a compact JWE (RFC 7516) under a content key of its own, which is wrapped with the primary key. The
/// random nonces of AES-GCM limit one primary key to about four billion seals (NIST SP 800-38D §8.3).
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    primary: RingKey,
    older: Vec<RingKey>,
    context: JweContext,
}

#[derive(Clone)]
struct RingKey {
    key_id: String,
    secret: SecretSlice<u8>,
    encrypter: AesgcmkwJweEncrypter,
    decrypter: AesgcmkwJweDecrypter,
}

impl RingKey {
    fn new(key_id: &str, secret: Vec<u8>) -> Result<Self, KeyringError> {
        let invalid = |_| KeyringError::Keys("a key does not have 256 bits");
        let mut encrypter = A256GCMKW.encrypter_from_bytes(&secret).map_err(invalid)?;
        let mut decrypter = A256GCMKW.decrypter_from_bytes(&secret).map_err(invalid)?;
        encrypter.set_key_id(key_id);
        decrypter.set_key_id(key_id);
        Ok(Self { key_id: key_id.to_owned(), secret: secret.into(), encrypter, decrypter })
    }

    fn generate(random: &dyn Random) -> Result<Self, KeyringError> {
        let (mut key_id, mut secret) = ([0; 9], vec![0; 32]);
        random.fill(&mut key_id);
        random.fill(&mut secret);
        Self::new(&URL_SAFE_NO_PAD.encode(key_id), secret)
    }

    fn from_jwk(jwk: &Value) -> Result<Self, KeyringError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("kty") != Some("oct") {
            return Err(KeyringError::Keys("a key is not of kind oct"));
        }
        if jwk.get("alg").is_some_and(|algorithm| algorithm != ALGORITHM) {
            return Err(KeyringError::Keys("a key is not for A256GCMKW"));
        }
        if jwk.get("use").is_some_and(|usage| usage != "enc") {
            return Err(KeyringError::Keys("a key is not for encryption"));
        }
        let key_id = text("kid").filter(|key_id| (1..=64).contains(&key_id.len()));
        let key_id = key_id.ok_or(KeyringError::Keys("a key has no kid of 1 to 64 bytes"))?;
        let secret = text("k").and_then(|secret| URL_SAFE_NO_PAD.decode(secret).ok());
        Self::new(key_id, secret.ok_or(KeyringError::Keys("a key is not base64url"))?)
    }

    fn to_jwk(&self) -> Value {
        let secret = URL_SAFE_NO_PAD.encode(self.secret.expose_secret());
        json!({ "kty": "oct", "kid": self.key_id, "use": "enc", "alg": ALGORITHM, "k": secret })
    }
}

impl Keyring {
    /// Reads the keys from a file, or makes one new key and the file (mode 0600) when there is none. Several that start
    /// at once end up with the same key. Missing directories are made for the owner alone.
    ///
    /// # Errors
    /// [`KeyringError::Read`], [`KeyringError::Create`] or [`KeyringError::Keys`]. A file that exists is never replaced,
    /// whatever is in it.
    pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<Self, KeyringError> {
        if let Some(text) = file::read_if_there(path)? {
            return Self::from_json(&text);
        }
        let fresh = Self::assemble(vec![RingKey::generate(random)?])?;
        if file::create(path, fresh.to_json().expose_secret(), random)? { Ok(fresh) } else { Self::load(path) }
    }

    /// Reads the keys from a file.
    ///
    /// # Errors
    /// [`KeyringError::Read`] or [`KeyringError::Keys`].
    pub fn load(path: &Path) -> Result<Self, KeyringError> {
        Self::from_json(&file::read(path)?)
    }

    /// Reads the keys from a plain file that only its owner can use, and from no other.
    ///
    /// # Errors
    /// [`KeyringError::Exposed`] too.
    pub fn load_private(path: &Path) -> Result<Self, KeyringError> {
        Self::from_json(&file::read_private(path)?)
    }

    /// Reads a JWK Set (RFC 7517 §5) of `oct` keys of 256 bits, each with its own `kid`, the primary one first.
    ///
    /// # Errors
    /// [`KeyringError::Keys`]: every key must be usable, none is left out.
    pub fn from_json(text: &str) -> Result<Self, KeyringError> {
        let set = strict_json::object(text.as_bytes()).map_err(|_| KeyringError::Keys("it is not a JSON object"))?;
        let keys = set.get("keys").and_then(Value::as_array).ok_or(KeyringError::Keys("keys is not a list"))?;
        Self::assemble(keys.iter().map(RingKey::from_jwk).collect::<Result<_, _>>()?)
    }

    fn assemble(keys: Vec<RingKey>) -> Result<Self, KeyringError> {
        if keys.len() > MAX_KEYS {
            return Err(KeyringError::Keys("there are more than 64"));
        }
        for (index, key) in keys.iter().enumerate() {
            if keys.iter().take(index).any(|other| other.key_id == key.key_id) {
                return Err(KeyringError::Keys("two have the same kid"));
            }
        }
        let mut keys = keys.into_iter();
        let primary = keys.next().ok_or(KeyringError::Keys("there is none"))?;
        Ok(Self(Arc::new(Inner { primary, older: keys.collect(), context: context() })))
    }

    /// A ring with a new primary key, and the keys of this one to open what they sealed.
    ///
    /// # Errors
    /// [`KeyringError::Keys`] when there would be more than 64.
    pub fn with_new_primary(&self, random: &dyn Random) -> Result<Self, KeyringError> {
        let mut keys = vec![RingKey::generate(random)?];
        keys.extend(self.keys().cloned());
        Self::assemble(keys)
    }

    /// The keys as [`Self::from_json`] reads them: the content of a key file.
    pub fn to_json(&self) -> SecretString {
        format!("{:#}\n", json!({ "keys": self.keys().map(RingKey::to_jwk).collect::<Vec<_>>() })).into()
    }

    /// The name of the key that seals.
    pub fn primary_kid(&self) -> &str {
        &self.0.primary.key_id
    }

    /// Encrypts for one purpose, which is not secret but must be named again to open: name the table, column and row, so
    /// that data cannot be moved to where it means something else.
    ///
    /// # Errors
    /// [`KeyringError::Purpose`], [`KeyringError::TooLarge`] (about 780,000 bytes), [`KeyringError::Encryption`].
    pub fn seal(&self, purpose: &str, plaintext: &[u8]) -> Result<String, KeyringError> {
        check_purpose(purpose)?;
        if plaintext.len() > MAX_SEALED_BYTES / 4 * 3 - 4096 {
            return Err(KeyringError::TooLarge);
        }
        let mut header = JweHeader::new();
        header.set_content_encryption(ENCRYPTION);
        header.set_claim(PURPOSE, Some(purpose.into()))?;
        Ok(self.0.context.serialize_compact(plaintext, &header, &self.0.primary.encrypter)?)
    }

    /// Decrypts what was sealed for this purpose with any key of the ring.
    ///
    /// # Errors
    /// [`KeyringError::NotSealed`], [`KeyringError::OtherPurpose`], [`KeyringError::UnknownKey`],
    /// [`KeyringError::Tampered`], [`KeyringError::Purpose`], [`KeyringError::TooLarge`].
    pub fn open(&self, purpose: &str, sealed: &str) -> Result<Vec<u8>, KeyringError> {
        check_purpose(purpose)?;
        let header = checked_header(sealed)?;
        let text = |name: &str| header.get(name).and_then(Value::as_str);
        if text(PURPOSE) != Some(purpose) {
            return Err(KeyringError::OtherPurpose);
        }
        let key = self.keys().find(|key| text("kid") == Some(&key.key_id)).ok_or(KeyringError::UnknownKey)?;
        let opened = self.0.context.deserialize_compact(sealed, &key.decrypter);
        opened.map(|(plaintext, _)| plaintext).map_err(|_| KeyringError::Tampered)
    }

    /// Whether the keys work: seals and opens something.
    ///
    /// # Errors
    /// [`KeyringError`].
    pub fn check(&self) -> Result<(), KeyringError> {
        const PURPOSE: &str = "health";
        self.open(PURPOSE, &self.seal(PURPOSE, b"ready")?).map(|_| ())
    }

    /// Whether this was sealed with another key than the primary one, and should be sealed again.
    pub fn needs_resealing(&self, sealed: &str) -> bool {
        checked_header(sealed).is_ok_and(|header| header.get("kid").and_then(Value::as_str) != Some(self.primary_kid()))
    }

    /// A key for tags with one purpose, derived from the keys of the ring (HKDF-SHA256, RFC 5869).
    pub fn derive(&self, label: &str) -> HmacKey {
        let older = self.0.older.iter().map(|key| key.secret.expose_secret());
        HmacKey::derive(self.0.primary.secret.expose_secret(), older, label)
    }

    fn keys(&self) -> impl Iterator<Item = &RingKey> {
        std::iter::once(&self.0.primary).chain(&self.0.older)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys().map(|key| &key.key_id)).finish()
    }
}

/// josekit with everything taken away that is not used: above all inflation, which has no limit there.
fn context() -> JweContext {
    let mut context = JweContext::new();
    context.remove_compression("DEF");
    for other in ["A128CBC-HS256", "A192CBC-HS384", "A256CBC-HS512", "A128GCM", "A192GCM"] {
        context.remove_content_encryption(other);
    }
    context
}

fn check_purpose(purpose: &str) -> Result<(), KeyringError> {
    let visible = purpose.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=MAX_PURPOSE_BYTES).contains(&purpose.len()) { Ok(()) } else { Err(KeyringError::Purpose) }
}

/// The header of sealed data, of exactly the form that is made here.
///
/// Lengths are checked before josekit sees the text: it panics when the nonce is empty, and opens data whose tag was cut
/// to one byte, which can be guessed. RFC 7518 §4.7.1 and §5.3 demand nonces of 96 and tags of 128 bits.
fn checked_header(sealed: &str) -> Result<Map<String, Value>, KeyringError> {
    if sealed.len() > MAX_SEALED_BYTES {
        return Err(KeyringError::TooLarge);
    }
    let mut parts = sealed.split('.');
    let (Some(header), Some(key), Some(nonce), Some(_), Some(tag), None) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(KeyringError::NotSealed);
    };
    let has_bytes = |text: &str, wanted: usize| URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() == wanted);
    if !(has_bytes(key, 32) && has_bytes(nonce, 12) && has_bytes(tag, 16)) {
        return Err(KeyringError::NotSealed);
    }
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| KeyringError::NotSealed)?;
    let header = strict_json::object(&header).map_err(|_| KeyringError::NotSealed)?;
    let text = |name: &str| header.get(name).and_then(Value::as_str).unwrap_or_default();
    // No other member: not `zip`, whose inflation is a bomb (RFC 8725 §3.6), and not `crit`.
    let expected = header.len() == HEADER_MEMBERS.len()
        && HEADER_MEMBERS.iter().all(|name| header.get(*name).is_some_and(Value::is_string))
        && text("alg") == ALGORITHM
        && text("enc") == ENCRYPTION
        && has_bytes(text("iv"), 12)
        && has_bytes(text("tag"), 16);
    if expected { Ok(header) } else { Err(KeyringError::NotSealed) }
}
