//! What can go wrong. No message repeats what a caller sent or what a key file holds.

use std::io;
use std::path::PathBuf;

use crate::Algorithm;

/// Keys that cannot be used, and signatures that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum JoseError {
    /// The bytes are not a private key of this algorithm.
    #[error("not a private key for {0} in PKCS#8")]
    PrivateKey(Algorithm),
    /// A JWK that is malformed, or not a public key of a supported algorithm.
    #[error("the JWK cannot be used: {0}")]
    Jwk(&'static str),
    /// A JWK Set that is malformed as a whole.
    #[error("the JWK Set cannot be used: {0}")]
    JwkSet(&'static str),
    /// Claims that do not make a JSON object.
    #[error("the claims are not a JSON object")]
    Claims(#[source] Option<serde_json::Error>),
    /// The cryptographic library failed to make a key or a signature; it never says why.
    #[error("the cryptographic library failed")]
    Cryptography(#[from] aws_lc_rs::error::Unspecified),
}

/// Why a token is not believed. The messages are safe to show to whoever sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("the token is too large")]
    TooLarge,
    /// Not three parts with two dots between (RFC 7515 §7.1).
    #[error("the token is not a JWS in compact serialization")]
    NotCompact,
    /// A part is not base64url, or not the one encoding of its bytes: padding, stray bits, other characters.
    #[error("the {0} of the token is not base64url")]
    Encoding(&'static str),
    /// A part is not a JSON object.
    #[error("the {0} of the token is not a JSON object")]
    Json(&'static str),
    /// A part names a member twice, at any depth.
    #[error("the {0} of the token has duplicate members")]
    DuplicateMember(&'static str),
    /// A header parameter that is missing or of the wrong type.
    #[error("the header parameter {0} is not valid")]
    InvalidHeader(&'static str),
    /// An algorithm that is unknown, or not accepted here, or not that of the key.
    #[error("the algorithm of the token is not accepted")]
    Algorithm,
    /// An extension that must be understood, and is not (RFC 7515 §4.1.11).
    #[error("the token has critical extensions that are not understood")]
    CriticalExtension,
    /// A token made for something else (RFC 8725 §3.11).
    #[error("the token is of another type")]
    Type,
    /// No `kid`, and more than one key that could be meant.
    #[error("the token does not say which key signed it")]
    AmbiguousKey,
    /// No key of this name and algorithm: perhaps one that is newer than the key set.
    #[error("the token was signed with an unknown key")]
    UnknownKey {
        /// What the token said.
        key_id: Option<String>,
    },
    /// The signature is not the key's signature of this token.
    #[error("the signature of the token is not valid")]
    Signature,
    /// A claim that is needed here.
    #[error("the token has no claim {0}")]
    MissingClaim(&'static str),
    /// A claim of the wrong type, or a time outside any calendar.
    #[error("the claim {0} of the token is not valid")]
    InvalidClaim(&'static str),
    /// Issued by someone else.
    #[error("the token has another issuer")]
    Issuer,
    /// Meant for someone else.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iat` has not come.
    #[error("the token was issued in the future")]
    IssuedInFuture,
    /// `iat` is too long ago.
    #[error("the token is too old")]
    TooOld,
    /// `exp` is too far away.
    #[error("the token is valid for too long")]
    LifetimeTooLong,
}

/// Why keys could not be had, or data not be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    /// The key file cannot be read.
    #[error("cannot read the key file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file cannot be made.
    #[error("cannot create the key file {}", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The key file can be read by others, or is not a plain file.
    #[error("the key file {} must be a plain file that only its owner can use (mode 0600)", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// Not a JWK Set of 256-bit keys with distinct names.
    #[error("the keys cannot be used: {0}")]
    Keys(&'static str),
    /// A purpose is 1 to 200 visible ASCII characters.
    #[error("the purpose is not valid")]
    Purpose,
    /// More than can be sealed or opened.
    #[error("the data is too large")]
    TooLarge,
    /// Not something that was sealed here.
    #[error("the data is not sealed as it should be")]
    NotSealed,
    /// Sealed with a key that is not in the ring (any more).
    #[error("the data is sealed with an unknown key")]
    UnknownKey,
    /// Sealed for something else.
    #[error("the data is sealed for another purpose")]
    OtherPurpose,
    /// Changed after it was sealed.
    #[error("the sealed data was tampered with")]
    Tampered,
    /// The value has no form in JSON, or the opened data is not JSON of the type.
    #[error("the data is not the JSON it should be")]
    Json(#[from] serde_json::Error),
    /// Encryption itself failed.
    #[error("the data could not be encrypted")]
    Encryption(#[from] josekit::JoseError),
}
