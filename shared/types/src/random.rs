//! The only place that asks the operating system for randomness.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;

/// Where random bytes come from. Passed in, so that tests own it.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills `bytes` with bytes that nobody can foresee.
    ///
    /// # Panics
    /// When the machine has no randomness to give: nothing that is done without it would be safe.
    fn fill(&self, bytes: &mut [u8]);
}

/// The cryptographic generator of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        #[allow(clippy::expect_used, reason = "see the trait: there is no safe way on")]
        aws_lc_rs::rand::fill(bytes).expect("the operating system gives random bytes");
    }
}

/// A new secret of 256 bits, 43 characters of base64url: for codes, cookies and client secrets.
pub fn random_token(random: &dyn Random) -> SecretString {
    let mut bytes = [0_u8; 32];
    random.fill(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// How many pieces are fetched at once.
const PIECES: usize = 64;

/// Random bytes in pieces of `N`, fetched for many uses at once: a call of the generator costs more than a microsecond
/// however little it gives. For names, not for secrets: what is not used yet waits in memory.
pub struct RandomAhead<const N: usize> {
    random: Arc<dyn Random>,
    fetched: Mutex<Vec<[u8; N]>>,
}

impl<const N: usize> RandomAhead<N> {
    /// Nothing is fetched yet.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self { random, fetched: Mutex::default() }
    }

    /// The next piece, which nobody else gets.
    pub fn next(&self) -> [u8; N] {
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(piece) = fetched.pop() {
            return piece;
        }
        let mut pieces = [[0; N]; PIECES];
        self.random.fill(pieces.as_flattened_mut());
        fetched.extend_from_slice(&pieces[1..]);
        pieces[0]
    }
}

impl<const N: usize> fmt::Debug for RandomAhead<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomAhead").field("random", &self.random).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn nobody_gets_the_bytes_of_another() {
        let ahead = RandomAhead::<16>::new(Arc::new(SystemRandom));
        let given: HashSet<_> = (0..3 * PIECES).map(|_| ahead.next()).collect();
        assert_eq!(given.len(), 3 * PIECES);
        assert!(!given.contains(&[0; 16]));
    }
}
