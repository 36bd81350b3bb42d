//! Digests of secrets that we made ourselves.

use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::ParseError;

/// SHA-256 in base64url without padding (43 characters).
///
/// Right for what has 256 bits of entropy (codes, tokens, client secrets); never for what a person chose.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct Sha256Hash(String);

impl Sha256Hash {
    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes.as_ref())))
    }

    /// Whether this is the digest of `bytes`, in a time that does not depend on where they differ.
    pub fn matches(&self, bytes: impl AsRef<[u8]>) -> bool {
        aws_lc_rs::constant_time::verify_slices_are_equal(self.0.as_bytes(), Self::of(bytes).0.as_bytes()).is_ok()
    }

    /// The digest as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Sha256Hash {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            _ => Err(ParseError::new("must be a SHA-256 digest in base64url")),
        }
    }
}

crate::text_serde!(Sha256Hash);
crate::stored_as_text!(Sha256Hash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_only_what_it_was_made_of() {
        let hash = Sha256Hash::of("abc");
        assert_eq!(hash.as_str(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert!(hash.matches("abc") && !hash.matches("abd"));
        assert_eq!(hash.as_str().parse(), Ok(hash.clone()));
        assert!("short".parse::<Sha256Hash>().is_err());
    }
}
