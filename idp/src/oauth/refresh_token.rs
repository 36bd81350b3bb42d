//! Refresh tokens: a chain of secrets, one row for each grant.
//!
//! A token names its grant and its place in the chain and holds a secret; the row keeps the digest of the newest secret
//! only. Each secret is derived from the one before with a key of ours, so an old token can be told from a forged one
//! (walking from it along the chain ends at the newest), and two tabs that refresh at once are given the same successor,
//! without any secret being stored.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use tenantry_jose::HmacKey;
use tenantry_types::{GrantId, Random, Sha256Hash, UtcTime};
use uuid::Uuid;

/// What a refresh token begins with, so that secret scanners find leaked ones.
const PREFIX: &str = "tnr_";
/// How far an old token is followed along the chain: one refresh every minute for more than a day.
const LONGEST_WALK: u32 = 2_048;

/// A refresh token. It does not print its secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken {
    /// The grant that it continues.
    pub grant: GrantId,
    /// Its place in the chain, from 0.
    pub generation: u32,
    secret: [u8; 32],
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RefreshToken({} #{})", self.grant, self.generation)
    }
}

/// What the row of a grant says of its chain.
#[derive(Debug, Clone)]
pub struct ChainState {
    /// The place of the newest token.
    pub generation: u32,
    /// The digest of its secret.
    pub hash: Sha256Hash,
    /// When it was made, if it is not the first.
    pub rotated_at: Option<UtcTime>,
}

/// What a presented token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Presented {
    /// The newest: it is rotated to this successor.
    Current(RefreshToken),
    /// The one before, within the grace: the successor is the newest, and nobody has used it.
    Concurrent(RefreshToken),
    /// A real one that was used up before: somebody has a copy (RFC 9700 §4.14.2).
    Reused,
    /// None that we made.
    Unknown,
}

impl RefreshToken {
    /// The first token of a grant.
    pub fn first(grant: GrantId, random: &dyn Random) -> Self {
        let mut secret = [0; 32];
        random.fill(&mut secret);
        Self { grant, generation: 0, secret }
    }

    /// Reads what a client sent.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let (grant, rest) = bytes.split_first_chunk::<16>()?;
        let (generation, secret) = rest.split_first_chunk::<4>()?;
        Some(Self {
            grant: GrantId::from_uuid(Uuid::from_bytes(*grant)),
            generation: u32::from_be_bytes(*generation),
            secret: secret.try_into().ok()?,
        })
    }

    /// What is given to the client.
    pub fn to_text(&self) -> SecretString {
        let grant = Uuid::try_parse(self.grant.as_str()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(52);
        bytes.extend_from_slice(grant.as_bytes());
        bytes.extend_from_slice(&self.generation.to_be_bytes());
        bytes.extend_from_slice(&self.secret);
        format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)).into()
    }

    /// The digest of its secret: what the row keeps.
    pub fn hash(&self) -> Sha256Hash {
        Sha256Hash::of(self.secret)
    }

    /// The next token of the chain.
    #[must_use]
    pub fn successor(&self, chain: &HmacKey) -> Self {
        let place = self.generation.to_be_bytes();
        let secret = chain.tag(&[self.grant.as_str().as_bytes(), &place, &self.secret]);
        Self { grant: self.grant, generation: self.generation.saturating_add(1), secret }
    }

    /// What this token is to the grant that it names.
    pub fn classify(&self, state: &ChainState, chain: &HmacKey, now: UtcTime, grace: Duration) -> Presented {
        if self.generation == state.generation {
            return if state.hash.matches(self.secret) {
                Presented::Current(self.successor(chain))
            } else {
                Presented::Unknown
            };
        }
        if self.generation > state.generation || state.generation - self.generation > LONGEST_WALK {
            return Presented::Unknown;
        }
        let mut newest = self.clone();
        while newest.generation < state.generation {
            newest = newest.successor(chain);
        }
        if !state.hash.matches(newest.secret) {
            return Presented::Unknown;
        }
        let just_now = state.rotated_at.is_some_and(|at| now.since(at) <= grace);
        if self.generation + 1 == state.generation && just_now {
            Presented::Concurrent(newest)
        } else {
            Presented::Reused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;
    use tenantry_jose::Keyring;
    use tenantry_types::{Clock, SystemClock, SystemRandom};

    const GRACE: Duration = Duration::from_secs(10);

    fn chain_key() -> HmacKey {
        let dir = tempfile::tempdir().unwrap();
        Keyring::load_or_create(&dir.path().join("keys"), &SystemRandom).unwrap().derive("refresh")
    }

    fn state(newest: &RefreshToken, rotated_at: Option<UtcTime>) -> ChainState {
        ChainState { generation: newest.generation, hash: newest.hash(), rotated_at }
    }

    #[test]
    fn only_the_newest_is_good_and_the_one_before_for_a_moment() {
        let (chain, now) = (chain_key(), SystemClock.now());
        let first = RefreshToken::first(GrantId::new(&SystemClock, &SystemRandom), &SystemRandom);
        let second = first.successor(&chain);
        let third = second.successor(&chain);

        let at_first = state(&first, None);
        assert_eq!(first.classify(&at_first, &chain, now, GRACE), Presented::Current(second.clone()));
        assert_eq!(second.classify(&at_first, &chain, now, GRACE), Presented::Unknown);

        let at_second = state(&second, Some(now));
        assert_eq!(first.classify(&at_second, &chain, now + GRACE, GRACE), Presented::Concurrent(second.clone()));
        let late = now + GRACE + Duration::from_millis(1);
        assert_eq!(first.classify(&at_second, &chain, late, GRACE), Presented::Reused);

        let at_third = state(&third, Some(now));
        assert_eq!(first.classify(&at_third, &chain, now, GRACE), Presented::Reused);
        let forged = RefreshToken { secret: [7; 32], ..first.clone() };
        assert_eq!(forged.classify(&at_third, &chain, now, GRACE), Presented::Unknown);
        let forged = RefreshToken { secret: [7; 32], ..third };
        assert_eq!(forged.classify(&at_third, &chain, now, GRACE), Presented::Unknown);
    }

    #[test]
    fn survives_its_text_and_does_not_print() {
        let token = RefreshToken::first(GrantId::new(&SystemClock, &SystemRandom), &SystemRandom);
        let text = token.to_text();
        assert_eq!(RefreshToken::parse(text.expose_secret()), Some(token.clone()));
        assert!(!format!("{token:?}").contains(&text.expose_secret()[40..]));
    }

    proptest! {
        #[test]
        fn junk_is_no_token(text in "\\PC{0,90}") {
            prop_assert!(RefreshToken::parse(&text).is_none() || text.len() == 74);
        }
    }
}
