//! Which key signs, which are published, and what a rotation changes.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::DbError;
use tenantry_jose::{JoseError, KeySet, KeyringError, SigningKey};
use tenantry_types::UtcTime;

/// A key with the times of its life.
#[derive(Debug, Clone)]
pub struct PublishedKey {
    /// The key itself.
    pub key: SigningKey,
    /// From when it signs, until a newer one does.
    pub signs_from: UtcTime,
    /// Until when it is published; no end while it is the newest.
    pub published_until: Option<UtcTime>,
}

/// The keys of one tenant.
#[derive(Debug, Clone)]
pub struct TenantKeys {
    keys: Vec<PublishedKey>,
    verifying: KeySet,
    jwks: Arc<str>,
}

impl TenantKeys {
    /// The keys that are published at `now`, of those that are known.
    pub fn new(mut keys: Vec<PublishedKey>, now: UtcTime) -> Result<Self, KeyError> {
        keys.retain(|key| key.published_until.is_none_or(|until| now < until));
        keys.sort_by_key(|key| key.signs_from);
        let published: Vec<_> = keys.iter().rev().map(|key| key.key.public_jwk().as_ref().clone()).collect();
        let document = serde_json::json!({ "keys": published });
        let verifying = KeySet::from_jwks(&document)?;
        Ok(Self { keys, verifying, jwks: document.to_string().into() })
    }

    /// The key that signs now: the newest whose time has come.
    pub fn signer(&self, now: UtcTime) -> Result<&SigningKey, KeyError> {
        let due = self.keys.iter().rev().find(|key| key.signs_from <= now);
        due.or(self.keys.first()).map(|key| &key.key).ok_or(KeyError::NoKey)
    }

    /// The public halves, to check our own tokens with.
    pub fn verifying(&self) -> &KeySet {
        &self.verifying
    }

    /// The JWK Set document (RFC 7517 §5).
    pub fn jwks(&self) -> &str {
        &self.jwks
    }

    /// The keys, oldest first.
    pub fn keys(&self) -> &[PublishedKey] {
        &self.keys
    }
}

/// When a new key begins to sign and the old ones go.
#[derive(Debug, Clone, Copy)]
pub struct RotationPlan {
    /// From when the new key signs.
    pub signs_from: UtcTime,
    /// Until when the keys before it stay published.
    pub old_published_until: UtcTime,
}

impl RotationPlan {
    /// A rotation begun at `now`: the new key is published for `lead` before it signs; the old keys stay until the
    /// longest-lived token (`longest_token`) that they signed has expired.
    pub fn new(now: UtcTime, lead: Duration, longest_token: Duration) -> Self {
        let signs_from = now + lead;
        // Clocks and caches of a minute are forgiven.
        Self { signs_from, old_published_until: signs_from + longest_token + Duration::from_secs(60) }
    }
}

/// Why keys could not be had.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The tenant has no key, and none could be made.
    #[error("the tenant has no signing key")]
    NoKey,
    /// A stored key cannot be decrypted or sealed: the key-encryption key is another one.
    #[error("the key-encryption key does not fit: {0}")]
    Keyring(#[from] KeyringError),
    /// A stored key is broken.
    #[error(transparent)]
    Jose(#[from] JoseError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Another request that loaded the same keys failed.
    #[error("{0}")]
    Shared(Arc<KeyError>),
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_jose::Algorithm;
    use tenantry_types::{Clock, SystemClock};

    fn key(signs_from: UtcTime, published_until: Option<UtcTime>) -> PublishedKey {
        PublishedKey { key: SigningKey::generate(Algorithm::Es256).unwrap(), signs_from, published_until }
    }

    #[test]
    fn a_new_key_is_published_before_it_signs_and_an_old_one_after() {
        let now = SystemClock.now();
        let hour = Duration::from_secs(3_600);
        let plan = RotationPlan::new(now, hour, hour);
        let old = key(now - hour, Some(plan.old_published_until));
        let new = key(plan.signs_from, None);
        let (old_kid, new_kid) = (old.key.kid().to_owned(), new.key.kid().to_owned());
        let all = vec![new, old];

        let ring = TenantKeys::new(all.clone(), now).unwrap();
        assert_eq!(ring.verifying().len(), 2);
        assert_eq!(ring.signer(now).unwrap().kid(), old_kid);
        assert_eq!(ring.signer(plan.signs_from).unwrap().kid(), new_kid);

        let later = TenantKeys::new(all.clone(), plan.signs_from + hour).unwrap();
        assert_eq!(later.verifying().len(), 2, "a token signed just before the change is still good");
        let last = TenantKeys::new(all, plan.old_published_until).unwrap();
        assert_eq!(last.verifying().len(), 1);
        assert!(last.jwks().contains(&new_kid));
        assert!(!last.jwks().contains("\"d\""));
        assert!(matches!(TenantKeys::new(vec![], now).unwrap().signer(now), Err(KeyError::NoKey)));
    }
}
