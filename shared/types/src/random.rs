//! The only place that asks the operating system for randomness.

use std::fmt;

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
