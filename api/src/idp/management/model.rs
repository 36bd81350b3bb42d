//! What the management API is sent, and what it answers.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use tenantry_types::{EmailAddress, SessionId, Slug, TenantId, UserId, UtcTime};

/// A tenant to be made.
#[derive(Debug, Clone, Serialize)]
pub struct NewTenant {
    /// Its short name, which nobody else has.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// The first person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<NewAdministrator>,
}

/// The first person of a tenant, who has the role `administrator`.
#[derive(Debug, Clone, Serialize)]
pub struct NewAdministrator {
    /// The id that they are to have.
    pub id: UserId,
    /// Their address, with which they sign in.
    pub email: EmailAddress,
    /// What they sign in with.
    #[serde(serialize_with = "exposed", skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretString>,
}

/// What changes about a tenant.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TenantChange {
    /// Its name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether it is in use: `active`, `inactive`, `suspended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
}

/// A tenant as the identity provider knows it.
#[derive(Debug, Clone, Deserialize)]
pub struct TenantRecord {
    /// Its id at both services.
    pub id: TenantId,
    /// Its short name.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Whether it is in use.
    pub status: String,
    /// Its issuer.
    pub issuer: String,
    /// When it changed last.
    #[serde(default)]
    pub updated_at: Option<UtcTime>,
}

/// A login domain as the identity provider knows it.
#[derive(Debug, Clone, Deserialize)]
pub struct DomainState {
    /// The name.
    pub domain: String,
    /// Whether the tenant prefers it.
    pub is_primary: bool,
}

/// The roles of a person. Of two sets the one with the higher version counts, whichever arrives first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RolesOf {
    /// Counts the changes.
    pub version: i64,
    /// The names of the roles.
    pub names: Vec<String>,
}

/// A person after their roles were replaced, or were not.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct RolesThere {
    /// Which version of their roles is there.
    pub(super) roles_version: i64,
}

/// That somebody whose home is another tenant can sign in at this one.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    /// Who.
    pub user_id: UserId,
    /// Where they are at home.
    pub home_tenant_id: TenantId,
    /// Since when.
    pub created_at: UtcTime,
}

/// A browser in which somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SessionRecord {
    /// The `sid` of tokens.
    pub id: SessionId,
    /// Who is signed in.
    pub user_id: UserId,
    /// When they signed in.
    pub authenticated_at: UtcTime,
    /// When the browser was there last.
    pub last_used_at: UtcTime,
    /// When it ends at the latest.
    pub expires_at: UtcTime,
    /// How strongly they were authenticated.
    pub acr: String,
    /// By which methods.
    pub amr: Vec<String>,
    /// From which address.
    pub address: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
}

/// A page of sessions, the newest first.
#[derive(Debug, Clone)]
pub struct SessionsPage {
    /// The sessions.
    pub sessions: Vec<SessionRecord>,
    /// Where the next page begins, if there is one.
    pub next: Option<String>,
}

#[allow(clippy::ref_option, reason = "the form that serde calls")]
fn exposed<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(SecretString::expose_secret).serialize(serializer)
}
