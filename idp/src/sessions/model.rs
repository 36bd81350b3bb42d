//! What a session is.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tenantry_types::{SessionId, UserId, UtcTime};

use crate::config::SessionsConfig;

/// How and when somebody signed in: what `auth_time`, `acr`, `amr` and `sid` say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// When, in seconds since 1970.
    pub auth_time: i64,
    /// The level that was reached.
    pub acr: String,
    /// The methods that were used (RFC 8176).
    pub amr: Vec<String>,
    /// The session that it was in.
    pub sid: SessionId,
}

/// The authentication context class of a password alone.
pub const ACR_PASSWORD: &str = "urn:tenantry:acr:password";

/// A browser that has signed in.
#[derive(Debug, Clone)]
pub struct Session {
    /// Its public name: the `sid` of tokens.
    pub id: SessionId,
    /// Who signed in.
    pub user_id: UserId,
    /// When they did.
    pub authenticated_at: UtcTime,
    /// The level that was reached.
    pub acr: String,
    /// The methods that were used.
    pub amr: Vec<String>,
}

impl Session {
    /// What tokens say of this sign-in.
    pub fn authentication(&self) -> Authentication {
        Authentication {
            auth_time: self.authenticated_at.unix_seconds(),
            acr: self.acr.clone(),
            amr: self.amr.clone(),
            sid: self.id,
        }
    }
}

/// When a session lasts: it has not ended, not expired, and was used lately.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The time: sessions that expired before do not last.
    pub now: UtcTime,
    /// Nor do those that were not used since.
    pub idle_since: UtcTime,
}

impl Live {
    /// At this time, by these settings.
    pub fn at(now: UtcTime, settings: &SessionsConfig) -> Self {
        Self { now, idle_since: now - Duration::from_secs(settings.idle_seconds) }
    }
}

/// A session that lasts, as it is shown to those who look after it.
#[derive(Debug, Clone)]
pub struct LiveSession {
    /// Whose, and how they signed in.
    pub session: Session,
    /// From where.
    pub address: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// Since when it lasts.
    pub created_at: UtcTime,
    /// When the browser came last.
    pub last_used_at: UtcTime,
    /// When it ends at the latest.
    pub expires_at: UtcTime,
}
