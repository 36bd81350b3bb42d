//! The name of a request in logs, answers and problem documents.

use std::fmt;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries it, in and out.
pub(crate) static X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The id of a request: what the client sent in `X-Request-Id` if that is `[A-Za-z0-9._-]{1,64}`, else one that
/// was made here. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The client's id, if there is exactly one and it is harmless in a header, a log line and a URL.
    pub(super) fn received(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(&X_REQUEST_ID);
        let value = values.next().filter(|_| values.next().is_none())?;
        let harmless = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        let good = (1..=64).contains(&value.len()) && value.as_bytes().iter().all(harmless);
        good.then(|| Self(value.clone()))
    }

    /// An id made of `hex`, which is lower-case hexadecimal.
    pub(super) fn made_of(hex: &str) -> Self {
        Self(HeaderValue::from_str(hex).unwrap_or(HeaderValue::from_static("unknown")))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    /// The id as the value of a header.
    pub fn as_header_value(&self) -> &HeaderValue {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    fn received(values: &[&[u8]]) -> Option<RequestId> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_REQUEST_ID.clone(), HeaderValue::from_bytes(value).unwrap());
        }
        RequestId::received(&headers)
    }

    #[test]
    fn only_harmless_ids_are_taken_over() {
        assert_eq!(received(&[b"abc-DEF_1.2"]).unwrap().as_str(), "abc-DEF_1.2");
        assert!(received(&[&[b'a'; 64]]).is_some());
        assert!(received(&[]).is_none());
        assert!(received(&[b"a", b"b"]).is_none(), "two ids are none");
        for bad in [&b""[..], b"a b", b"a\"b", b"a\tb", b"<script>", b"\xff\xfe", b"a%0d%0ab", &[b'a'; 65]] {
            assert!(received(&[bad]).is_none(), "{bad:?}");
        }
    }
}
