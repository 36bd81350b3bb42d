//! The keys that the audit trail is signed with.
//!
//! One key signs for all tenants until it is replaced; then its private half is destroyed and its public half stays, for
//! what it has signed. A public key is only believed with its voucher, a tag that nobody can make without the
//! key-encryption keys: whoever can write to the database can add a key of their own, and nothing that it signed counts.

mod store;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tenantry_db::{Connection, DbError};
use tenantry_jose::{Algorithm, JoseError, KeySet, Keyring, KeyringError, SigningKey, VerifyingKey};
use tenantry_types::{Clock, UtcTime};

/// What the private key is sealed for.
const PURPOSE: &str = "audit-signing-key";
/// What vouchers are derived for.
const VOUCHER: &str = "audit-public-key";

/// Why a key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum AuditKeyError {
    /// The private key cannot be opened or sealed: the key-encryption key is another one.
    #[error("the key-encryption key does not fit the audit trail's signing key: {0}")]
    Keyring(#[from] KeyringError),
    /// A key is broken.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// What is believed of the keys in the database.
#[derive(Debug, Clone, Default)]
pub struct TrustedKeys {
    /// The public keys that are vouched for, the newest first.
    pub keys: KeySet,
    /// The names of those that are not.
    pub strangers: Vec<String>,
}

/// The key that signs now; the first is made when there is none. For `db.write`.
///
/// # Errors
/// [`AuditKeyError`].
pub fn current_or_new(
    conn: &mut Connection,
    keyring: &Keyring,
    clock: &dyn Clock,
) -> Result<SigningKey, AuditKeyError> {
    match current(conn, keyring)? {
        Some(key) => Ok(key),
        None => make(conn, keyring, clock.now()),
    }
}

/// The key that signs now, when there is one.
///
/// # Errors
/// [`AuditKeyError`].
pub fn current(conn: &mut Connection, keyring: &Keyring) -> Result<Option<SigningKey>, AuditKeyError> {
    let Some(sealed) = store::newest_private_key(conn)? else { return Ok(None) };
    Ok(Some(SigningKey::from_pkcs8(Algorithm::Es256, &keyring.open(PURPOSE, &sealed)?)?))
}

/// Makes a new key that signs from now on, and destroys the private half of those before it. For `db.write`.
///
/// # Errors
/// [`AuditKeyError`].
pub fn rotate(conn: &mut Connection, keyring: &Keyring, clock: &dyn Clock) -> Result<SigningKey, AuditKeyError> {
    let now = clock.now();
    store::retire_all(conn, now)?;
    make(conn, keyring, now)
}

/// Reads all public keys, and says which are believed.
///
/// # Errors
/// [`DbError`].
pub fn trusted(conn: &mut Connection, keyring: &Keyring) -> Result<TrustedKeys, DbError> {
    let (mut keys, mut strangers) = (Vec::new(), Vec::new());
    for row in store::all(conn)? {
        match believed(keyring, &row) {
            Some(key) => keys.push(key),
            None => strangers.push(row.kid),
        }
    }
    Ok(TrustedKeys { keys: keys.into_iter().collect(), strangers })
}

fn make(conn: &mut Connection, keyring: &Keyring, now: UtcTime) -> Result<SigningKey, AuditKeyError> {
    let key = SigningKey::generate(Algorithm::Es256)?;
    let jwk = Value::Object(key.public_jwk().as_ref().clone()).to_string();
    let row = store::NewKey {
        kid: key.kid(),
        private_key: Some(keyring.seal(PURPOSE, key.to_pkcs8()?.expose_secret())?),
        voucher: URL_SAFE_NO_PAD.encode(keyring.derive(VOUCHER).tag(&[key.kid().as_bytes(), jwk.as_bytes()])),
        public_jwk: jwk,
        created_at: now,
        retired_at: None,
    };
    store::insert(conn, &row)?;
    Ok(key)
}

fn believed(keyring: &Keyring, row: &store::KeyRow) -> Option<VerifyingKey> {
    let key = VerifyingKey::from_jwk(&serde_json::from_str(&row.public_jwk).ok()?).ok()?;
    let tag = URL_SAFE_NO_PAD.decode(&row.voucher).ok()?;
    let vouched = keyring.derive(VOUCHER).verify(&[row.kid.as_bytes(), row.public_jwk.as_bytes()], &tag);
    (vouched && key.key_id() == Some(row.kid.as_str())).then_some(key)
}
