//! What the token endpoint gives (RFC 6749 §5.1).

use actix_web::HttpResponse;
use actix_web::http::header;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// Tokens for a client.
#[derive(Serialize)]
pub struct TokenReply<'a> {
    /// The access token.
    pub access_token: &'a str,
    /// Always `Bearer`.
    pub token_type: &'static str,
    /// How long it is good, in seconds.
    pub expires_in: u64,
    /// What it is good for.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub scope: &'a str,
    /// The next refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Exposed<'a>>,
    /// Who signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_token: Option<&'a str>,
}

/// A secret on its way to whom it belongs.
pub struct Exposed<'a>(pub &'a SecretString);

impl Serialize for Exposed<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl TokenReply<'_> {
    /// The response: never cached (RFC 6749 §5.1).
    pub fn respond(&self) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::PRAGMA, "no-cache"))
            .json(self)
    }
}
