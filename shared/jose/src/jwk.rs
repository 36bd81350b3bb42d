//! Members of a JWK, and its thumbprint.

use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use josekit::jwk::Jwk;
use serde_json::{Map, Value};

use crate::JoseError;

/// Members that only a private or symmetric key has (RFC 7518 §6.2.2, §6.3.2, §6.4; RFC 8037 §2).
pub(crate) const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// A member that must be a text.
pub(crate) fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, JoseError> {
    optional_text(members, name)?.ok_or(JoseError::Jwk("a required member is missing"))
}

/// A member that must be a text when it is there.
pub(crate) fn optional_text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, JoseError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(JoseError::Jwk("a member that must be a text is not")),
    }
}

/// A member that must be base64url.
pub(crate) fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, JoseError> {
    URL_SAFE_NO_PAD.decode(text(members, name)?).map_err(|_| JoseError::Jwk("a member that must be base64url is not"))
}

/// The SHA-256 thumbprint of a key in base64url (RFC 7638), the same whatever else the JWK says about it.
///
/// # Errors
/// [`JoseError::Jwk`] when a member that makes the key is missing or not a text, or the kind of key is unknown.
pub fn thumbprint(jwk: &Jwk) -> Result<String, JoseError> {
    let members: &Map<String, Value> = jwk.as_ref();
    // The required members in lexicographic order (RFC 7638 §3.2, RFC 8037 §2).
    let names: &[&str] = match text(members, "kty")? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        "oct" => &["k", "kty"],
        _ => return Err(JoseError::Jwk("the kind of key is not known")),
    };
    let members: Vec<String> = names
        .iter()
        .map(|name| Ok(format!("\"{name}\":{}", Value::from(text(members, name)?))))
        .collect::<Result<_, JoseError>>()?;
    let canonical = format!("{{{}}}", members.join(","));
    Ok(URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes())))
}
