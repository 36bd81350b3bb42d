//! The private key with which this service proves itself at the identity provider, in a file of its own.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tenantry_jose::{Algorithm, JoseError, KeySet, SigningKey, permissions_are_private};

const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// A key of 256 bits has 250 bytes.
const MAX_BYTES: u64 = 16 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum ClientKeyError {
    /// The file cannot be read or made.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not a key.
    #[error("{0} is not a private key for ES256 in PEM (PKCS #8)")]
    Malformed(PathBuf),
    /// Others could read it.
    #[error("{0} can be read by others: chmod 600 {0}")]
    Exposed(PathBuf),
    /// The key cannot be made.
    #[error("a key cannot be made")]
    Key(#[from] JoseError),
}

/// The key of this service as a client, for ES256 (RFC 7518 §3.4). It does not print.
#[derive(Debug, Clone)]
pub struct ClientKeyFile(SigningKey);

impl ClientKeyFile {
    /// The key in this file; `None` when there is no file.
    ///
    /// # Errors
    /// [`ClientKeyError`]; a file that others can read is refused.
    pub fn load(path: &Path) -> Result<Option<Self>, ClientKeyError> {
        let failed = |source| ClientKeyError::File { path: path.to_owned(), source };
        match permissions_are_private(path) {
            Ok(true) => {}
            Ok(false) => return Err(ClientKeyError::Exposed(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let malformed = || ClientKeyError::Malformed(path.to_owned());
        if fs::metadata(path).map_err(failed)?.len() > MAX_BYTES {
            return Err(malformed());
        }
        let text = fs::read_to_string(path).map_err(failed)?;
        let inner = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).ok_or_else(malformed)?;
        let base64: String = inner.split_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| malformed())?;
        let key = SigningKey::from_pkcs8(Algorithm::Es256, &der).map_err(|_| malformed())?;
        Ok(Some(Self(key)))
    }

    /// The key in this file, which is made for its owner alone when it is not there. Says whether it was made.
    ///
    /// # Errors
    /// [`ClientKeyError`].
    pub fn load_or_create(path: &Path) -> Result<(Self, bool), ClientKeyError> {
        if let Some(key) = Self::load(path)? {
            return Ok((key, false));
        }
        let failed = |source| ClientKeyError::File { path: path.to_owned(), source };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        let key = SigningKey::generate(Algorithm::Es256)?;
        let pem = format!("{BEGIN}\n{}\n{END}\n", STANDARD.encode(key.to_pkcs8()?.expose_secret()));
        // `create_new` neither follows a link nor writes over a key that is registered.
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        file.and_then(|mut file| file.write_all(pem.as_bytes()).and_then(|()| file.sync_all())).map_err(failed)?;
        Ok((Self(key), true))
    }

    /// The public half, as it is registered: a JWK Set.
    pub fn jwks(&self) -> Value {
        [&self.0].into_iter().collect::<KeySet>().to_jwks()
    }

    pub(super) const fn signing_key(&self) -> &SigningKey {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/client.pem");
        assert!(ClientKeyFile::load(&path).unwrap().is_none());
        let (first, made) = ClientKeyFile::load_or_create(&path).unwrap();
        let (second, again) = ClientKeyFile::load_or_create(&path).unwrap();
        assert!(made && !again);
        assert_eq!(first.jwks(), second.jwks());
        assert!(!first.jwks().to_string().contains("\"d\""));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(ClientKeyFile::load(&path), Err(ClientKeyError::Exposed(_))));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nonsense").unwrap();
        assert!(matches!(ClientKeyFile::load_or_create(&path), Err(ClientKeyError::Malformed(_))));
    }
}
