//! The signature algorithms that are spoken here.

use std::str::FromStr;

use josekit::jws::JwsAlgorithm;
use tenantry_types::ParseError;

/// A signature algorithm (RFC 7518 §3.1, RFC 8037 §3.1). All are asymmetric: there is no `none` and no HMAC to be
/// talked into (RFC 8725 §3.1 and §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256: the default, quick to make and short.
    Es256,
    /// Ed25519 (RFC 8037).
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256 and a salt of 32 bytes.
    Ps256,
}

impl Algorithm {
    /// All algorithms, the preferred first.
    pub const ALL: &'static [Self] = &[Self::Es256, Self::EdDsa, Self::Rs256, Self::Ps256];

    /// The name in the `alg` header.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }

    /// What an `alg` member means. `Ed25519` is the newer, fully specified name of what `EdDSA` is with a key on that
    /// curve (RFC 9864 §2.2), the only curve that is accepted here.
    pub(crate) fn of_member(name: &str) -> Option<Self> {
        if name == "Ed25519" { Some(Self::EdDsa) } else { name.parse().ok() }
    }
}

impl FromStr for Algorithm {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::ALL
            .iter()
            .copied()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(ParseError::new("must be one of: ES256 EdDSA RS256 PS256"))
    }
}

tenantry_types::text_serde!(Algorithm);

impl JwsAlgorithm for Algorithm {
    fn name(&self) -> &str {
        self.as_str()
    }

    fn box_clone(&self) -> Box<dyn JwsAlgorithm> {
        Box::new(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.as_str().parse(), Ok(*algorithm));
        }
        // Names are case-sensitive (RFC 7515 §4.1.1).
        for name in ["none", "None", "", "es256", "HS256", "ES256K", "ES384", "Ed25519"] {
            assert!(name.parse::<Algorithm>().is_err(), "{name}");
        }
        assert_eq!(Algorithm::of_member("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!(Algorithm::of_member("Ed448"), None);
        assert_eq!(serde_json::to_string(&Algorithm::EdDsa).unwrap(), "\"EdDSA\"");
        assert_eq!(serde_json::from_str::<Algorithm>("\"PS256\"").unwrap(), Algorithm::Ps256);
    }
}
