//! The compact serialization, taken apart within bounds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::VerifyError;
use crate::strict_json::{self, NotStrict};

/// The longest token that is looked at, in bytes. A header field of most servers ends at 8 or 16 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// The longest `kid` that is looked up or kept, in bytes.
pub(crate) const MAX_KEY_ID_BYTES: usize = 256;

/// The JOSE header of a token (RFC 7515 §4).
#[derive(Debug, Clone, PartialEq)]
pub struct TokenHeader {
    members: Map<String, Value>,
}

impl TokenHeader {
    /// `alg` is a text, and `kid` and `typ` are when they are there: checked once, so that the accessors cannot fail.
    fn new(members: Map<String, Value>) -> Result<Self, VerifyError> {
        let is_text = |name: &str| members.get(name).map(Value::is_string);
        if is_text("alg") != Some(true) {
            return Err(VerifyError::InvalidHeader("alg"));
        }
        if is_text("typ") == Some(false) {
            return Err(VerifyError::InvalidHeader("typ"));
        }
        match members.get("kid") {
            None => {}
            Some(Value::String(key_id)) if key_id.len() <= MAX_KEY_ID_BYTES => {}
            Some(_) => return Err(VerifyError::InvalidHeader("kid")),
        }
        Ok(Self { members })
    }

    /// The name of the algorithm, as the token says it.
    pub fn algorithm(&self) -> &str {
        self.text("alg").unwrap_or_default()
    }

    /// The name of the key that signed.
    pub fn key_id(&self) -> Option<&str> {
        self.text("kid")
    }

    /// The media type of the token.
    pub fn typ(&self) -> Option<&str> {
        self.text("typ")
    }

    /// Any member. A key in it (`jwk`, `jku`, `x5c`, `x5u`) is nothing but what the sender says.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }
}

/// A token in its parts; only the header has been decoded.
#[derive(Debug)]
pub(crate) struct CompactJws<'a> {
    pub(crate) header: TokenHeader,
    /// What the signature is over: the first two parts as they were sent (RFC 7515 §5.2).
    pub(crate) signing_input: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> CompactJws<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, VerifyError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(VerifyError::TooLarge);
        }
        let (signing_input, signature) = token.rsplit_once('.').ok_or(VerifyError::NotCompact)?;
        let (header, payload) = signing_input.split_once('.').ok_or(VerifyError::NotCompact)?;
        if payload.contains('.') {
            return Err(VerifyError::NotCompact);
        }
        Ok(Self { header: TokenHeader::new(object("header", header)?)?, signing_input, payload, signature })
    }

    pub(crate) fn claims(&self) -> Result<Map<String, Value>, VerifyError> {
        object("payload", self.payload)
    }

    pub(crate) fn signature(&self) -> Result<Vec<u8>, VerifyError> {
        decode("signature", self.signature)
    }
}

/// Strict base64url: no padding, and no bits left over at the end, so that every byte of a token is signed for
/// (RFC 7515 §2).
fn decode(part: &'static str, text: &str) -> Result<Vec<u8>, VerifyError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| VerifyError::Encoding(part))
}

fn object(part: &'static str, text: &str) -> Result<Map<String, Value>, VerifyError> {
    strict_json::object(&decode(part, text)?).map_err(|problem| match problem {
        NotStrict::Syntax => VerifyError::Json(part),
        NotStrict::Duplicate => VerifyError::DuplicateMember(part),
    })
}
