//! The header.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;
use tenantry_jose::HmacKey;
use tenantry_types::Sha256Hash;

use super::{IdempotencyError, Once};
use crate::authn::{Principal, Subject};

/// What the header is called.
pub const HEADER: &str = "idempotency-key";

/// The longest key.
const MAX_BYTES: usize = 255;

/// The key of a request, if it has one, with the method and the target that it came to.
#[derive(Debug, Clone)]
pub struct IdempotencyKey {
    key: Option<String>,
    method: String,
    target: String,
    if_match: Vec<u8>,
}

impl IdempotencyKey {
    /// What this request does, that the caller sends with this body: the same key names the same again. `secret` keeps
    /// what is stored of the body from being guessed at: a password that somebody chose may be in it. Once it has been
    /// rotated, a repeat of an older request is refused as another request, and never done again.
    pub fn of(&self, secret: &HmacKey, principal: &Principal, body: &Value) -> Once {
        let Some(key) = &self.key else { return Once::Unkeyed };
        let (kind, id) = match &principal.subject {
            Subject::User(id) => ("user", id.as_str()),
            Subject::Client(id) => ("client", id.as_str()),
        };
        // Objects are kept in the order of their names, so the order and the spaces that the client chose do not matter.
        let body = body.to_string();
        let request = [self.method.as_bytes(), self.target.as_bytes(), &*self.if_match, body.as_bytes()];
        Once::Keyed {
            key: digest(&[kind.as_bytes(), id.as_bytes(), principal.client_id.as_bytes(), key.as_bytes()]),
            request: Sha256Hash::of(secret.tag(&request)),
        }
    }

    fn read(request: &HttpRequest) -> Result<Self, IdempotencyError> {
        Ok(Self {
            key: key(request.headers())?,
            method: request.method().as_str().to_owned(),
            target: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            if_match: request.headers().get("if-match").map_or_else(Vec::new, |value| value.as_bytes().to_vec()),
        })
    }
}

impl FromRequest for IdempotencyKey {
    type Error = IdempotencyError;
    type Future = Ready<Result<Self, IdempotencyError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::read(request))
    }
}

/// A string of RFC 9651 §3.3.3, as the draft wants, or the bare characters, as everybody sends.
fn key(headers: &HeaderMap) -> Result<Option<String>, IdempotencyError> {
    let mut lines = headers.get_all(HEADER);
    let Some(line) = lines.next() else { return Ok(None) };
    let text = line.to_str().map_err(|_| IdempotencyError::Malformed)?.trim();
    let text = text.strip_prefix('"').map_or(Some(text), |rest| rest.strip_suffix('"'));
    let text = text.ok_or(IdempotencyError::Malformed)?;
    let good = (1..=MAX_BYTES).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    if good && lines.next().is_none() { Ok(Some(text.to_owned())) } else { Err(IdempotencyError::Malformed) }
}

/// The digest of the parts, each with its length before it: no two lists of parts are the same.
fn digest(parts: &[&[u8]]) -> Sha256Hash {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    Sha256Hash::of(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_key_is_quoted_or_bare() {
        let read = |lines: &[&str]| {
            let mut request = TestRequest::default();
            for line in lines {
                request = request.append_header((HEADER, *line));
            }
            key(request.to_http_request().headers())
        };
        assert_eq!(read(&[]).unwrap(), None);
        for good in ["\"8e03978e-40d5\"", "8e03978e-40d5"] {
            assert_eq!(read(&[good]).unwrap().as_deref(), Some("8e03978e-40d5"));
        }
        for bad in ["", "\"", "\"\"", "\"a", "a b", "a\"b", &"x".repeat(256)] {
            assert!(read(&[bad]).is_err(), "{bad:?}");
        }
        assert!(read(&["a", "a"]).is_err());
    }
}
