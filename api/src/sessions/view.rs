//! Sessions on the wire.

use serde::Serialize;
use tenantry_types::{SessionId, UserId, UtcTime};
use utoipa::ToSchema;

use crate::directory::accounts::Named;
use crate::idp::SessionRecord;

/// A browser in which somebody is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    /// Its id: the `sid` of tokens that were issued in it.
    pub id: SessionId,
    /// Who is signed in.
    pub user: SessionUser,
    /// When they signed in.
    #[schema(value_type = String, format = DateTime)]
    pub authenticated_at: UtcTime,
    /// When the browser was at the identity provider last.
    #[schema(value_type = String, format = DateTime)]
    pub last_used_at: UtcTime,
    /// When it ends at the latest.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: UtcTime,
    /// How strongly they were authenticated (`acr`, OpenID Connect Core §2).
    #[schema(example = "urn:tenantry:acr:password")]
    pub acr: String,
    /// By which methods (`amr`, RFC 8176).
    #[schema(example = json!(["pwd"]))]
    pub amr: Vec<String>,
    /// From which address they signed in.
    #[schema(example = "192.0.2.17")]
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
    /// Whether the access token of this request was issued in it.
    pub current: bool,
}

/// Who is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionUser {
    /// The `sub` of their tokens.
    pub id: UserId,
    /// Where mail reaches them; absent until it is known here.
    #[schema(format = "email", example = "john.doe@acme.example.com")]
    pub email: Option<String>,
    /// What they are called; absent until it is known here.
    #[schema(example = "John Doe")]
    pub display_name: Option<String>,
}

impl SessionView {
    /// How a session is shown to somebody who comes with a token of `current`.
    pub fn new(session: SessionRecord, user: Option<&Named>, current: Option<SessionId>) -> Self {
        let SessionRecord { id, user_id, authenticated_at, last_used_at, expires_at, acr, amr, address, user_agent } =
            session;
        let user = SessionUser {
            id: user_id,
            email: user.and_then(|user| user.email.clone()),
            display_name: user.and_then(Named::full_name),
        };
        let current = current == Some(id);
        Self { id, user, authenticated_at, last_used_at, expires_at, acr, amr, address, user_agent, current }
    }
}
