//! What a tenant is.

use std::str::FromStr;

use tenantry_db::DbError;
use tenantry_types::{ParseError, PublicUrl, Slug, TenantId, UtcTime, text_enum};

text_enum! {
    /// Whether anybody can sign in at a tenant.
    pub enum TenantStatus {
        /// Everything works.
        Active = "active",
        /// Switched off by the tenant itself.
        Inactive = "inactive",
        /// Switched off by the operator.
        Suspended = "suspended",
    }
}

/// A tenant: an organisation with its own users, clients, keys and issuers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tenant {
    /// The same id at both services.
    pub id: TenantId,
    /// Its short name in the issuer URL.
    pub slug: Slug,
    /// Its name for people.
    pub name: TenantName,
    /// Whether it is in use.
    pub status: TenantStatus,
    /// Whether it is the operator's own: its clients can be given the scopes of the management API.
    pub is_platform: bool,
    /// When it was made.
    pub created_at: UtcTime,
    /// When it changed last.
    pub updated_at: UtcTime,
}

impl Tenant {
    /// The issuer that every tenant has: `{public_url}/t/{slug}`.
    pub fn issuer_url(&self, public_url: &PublicUrl) -> String {
        format!("{}/t/{}", public_url.as_str(), self.slug)
    }
}

/// The name of a tenant for people: 1 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct TenantName(String);

impl TenantName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 200 characters, without control characters"))
        }
    }
}

tenantry_types::text_serde!(TenantName);
tenantry_types::stored_as_text!(TenantName);

/// Why something about a tenant could not be done.
#[derive(Debug, thiserror::Error)]
pub enum TenantError {
    /// Another tenant has the slug.
    #[error("there is a tenant '{0}' already")]
    SlugTaken(Slug),
    /// There is no such tenant.
    #[error("there is no tenant '{0}'")]
    Unknown(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}
