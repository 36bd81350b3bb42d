//! What a session is.

use serde::{Deserialize, Serialize};
use tenantry_types::{SessionId, UserId, UtcTime};

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
