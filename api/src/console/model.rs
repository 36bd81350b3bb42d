//! What is remembered of a sign-in under way, and of who is signed in.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use tenantry_db::TenantScope;
use tenantry_types::{ConsoleSessionId, Slug, TenantId, UtcTime};

use super::return_path::ReturnPath;

/// How long a person may take to sign in.
pub(super) const SIGN_IN_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// A sign-in that is under way, as the browser keeps it, sealed.
///
/// Has no `Debug`: it holds the PKCE verifier.
#[derive(Clone, Serialize, Deserialize)]
pub struct PendingSignIn {
    /// Where.
    pub(super) tenant: Slug,
    /// The issuer that was asked, so that the answer of another one is noticed (RFC 9700 §4.4).
    pub(super) issuer: String,
    /// What the answer must repeat.
    pub(super) state: String,
    /// What the ID token must repeat.
    pub(super) nonce: String,
    /// What proves to the token endpoint that it was this browser's request (RFC 7636).
    pub(super) verifier: String,
    /// When it began.
    pub(super) started_at: UtcTime,
    /// The page of the console that somebody was about to see.
    #[serde(default)]
    pub(super) return_to: Option<ReturnPath>,
}

impl PendingSignIn {
    pub(super) fn is_over(&self, now: UtcTime) -> bool {
        now.since(self.started_at) > SIGN_IN_LIFETIME
    }
}

/// The tokens of a session, as they are sealed.
///
/// Has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Tokens {
    access_token: String,
    refresh_token: Option<String>,
    id_token: String,
    /// When the access token ends, as far as the provider said.
    pub(super) access_expires_at: Option<UtcTime>,
    /// When the ID token ends.
    pub(super) id_expires_at: UtcTime,
    /// What the person is called.
    pub(super) name: Option<String>,
}

/// How long before its end an access token is renewed.
const RENEW_BEFORE: Duration = Duration::from_secs(30);

impl Tokens {
    pub(super) fn new(
        access_token: &SecretString,
        refresh_token: Option<&SecretString>,
        id_token: String,
        access_expires_at: Option<UtcTime>,
        id_expires_at: UtcTime,
        name: Option<String>,
    ) -> Self {
        Self {
            access_token: access_token.expose_secret().to_owned(),
            refresh_token: refresh_token.map(|token| token.expose_secret().to_owned()),
            id_token,
            access_expires_at,
            id_expires_at,
            name,
        }
    }

    /// The same, with the refresh token of `old` where there is no new one.
    pub(super) fn or_refresh_token_of(mut self, old: &Self) -> Self {
        if self.refresh_token.is_none() {
            self.refresh_token.clone_from(&old.refresh_token);
        }
        self
    }

    pub(super) fn access_token(&self) -> &str {
        &self.access_token
    }

    pub(super) fn refresh_token(&self) -> Option<&str> {
        self.refresh_token.as_deref()
    }

    pub(super) fn id_token(&self) -> &str {
        &self.id_token
    }

    /// Whether the access token should be renewed before it is used again.
    pub(super) fn are_stale(&self, now: UtcTime) -> bool {
        self.access_expires_at.is_some_and(|end| now + RENEW_BEFORE >= end)
    }
}

/// A signed-in browser.
#[derive(Clone)]
pub(super) struct Session {
    pub(super) id: ConsoleSessionId,
    pub(super) tenant_id: TenantId,
    pub(super) issuer: String,
    pub(super) subject: String,
    pub(super) csrf_token: String,
    /// Sealed [`Tokens`].
    pub(super) tokens: String,
    pub(super) last_used_at: UtcTime,
    pub(super) expires_at: UtcTime,
}

impl Session {
    /// The scope for queries on its behalf.
    pub(super) fn scope(&self) -> TenantScope {
        TenantScope::authenticated(self.tenant_id)
    }

    /// When it ends if it is not used again.
    pub(super) fn ends_at(&self, idle: Duration) -> UtcTime {
        self.expires_at.min(self.last_used_at + idle)
    }
}

/// What the sealed tokens of a session are bound to: they cannot be moved to another row.
pub(super) fn tokens_purpose(id: ConsoleSessionId) -> String {
    format!("console_sessions.tokens/{id}")
}
