//! Proof Key for Code Exchange, method S256 (RFC 7636).

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The S256 challenge of a verifier (RFC 7636 §4.2).
pub fn pkce_s256(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Whether `verifier` is well formed and `challenge` its S256 challenge (RFC 7636 §4.6), in a time that does not depend
/// on where they differ.
pub fn pkce_matches(verifier: &str, challenge: &str) -> bool {
    is_code_verifier(verifier) && verify_slices_are_equal(pkce_s256(verifier).as_bytes(), challenge.as_bytes()).is_ok()
}

/// Whether this can be a verifier: 43 to 128 unreserved characters (RFC 7636 §4.1).
pub fn is_code_verifier(verifier: &str) -> bool {
    (43..=128).contains(&verifier.len())
        && verifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// Whether this can be an S256 challenge: base64url of 32 bytes, 43 characters (RFC 7636 §4.2).
pub fn is_s256_challenge(challenge: &str) -> bool {
    challenge.len() == 43 && URL_SAFE_NO_PAD.decode(challenge).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// RFC 7636, appendix B.
    #[test]
    fn example_of_the_rfc() {
        assert_eq!(pkce_s256(VERIFIER), CHALLENGE);
        assert!(pkce_matches(VERIFIER, CHALLENGE));
        assert!(is_s256_challenge(CHALLENGE));
    }

    #[test]
    fn refuses_what_is_not_the_verifier() {
        assert!(!pkce_matches(VERIFIER, VERIFIER));
        assert!(!pkce_matches(VERIFIER, ""));
        assert!(!pkce_matches("", CHALLENGE));
        assert!(!pkce_matches(&VERIFIER.replace('d', "e"), CHALLENGE));
        let short = "a".repeat(42);
        assert!(!pkce_matches(&short, &pkce_s256(&short)));
    }

    #[test]
    fn lengths_and_characters() {
        assert!(is_code_verifier(&"a".repeat(43)) && is_code_verifier(&"-._~".repeat(32)));
        assert!(!is_code_verifier(&"a".repeat(129)));
        assert!(!is_code_verifier(&format!("{}=", "a".repeat(43))));
        assert!(!is_code_verifier(&"é".repeat(43)));
        assert!(!is_s256_challenge(&CHALLENGE[..42]));
        assert!(!is_s256_challenge(&format!("{CHALLENGE}=")));
        // 43 characters leave two bits over, which must be zero.
        assert!(!is_s256_challenge(&CHALLENGE.replace("cM", "cN")));
    }
}
