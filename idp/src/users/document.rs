//! A user as the management API and security events show them.

use serde::Serialize;
use tenantry_types::{TenantId, UserId, UtcTime};
use utoipa::ToSchema;

use super::User;

/// A person, as the management API and security events show them.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserDocument {
    /// The `sub` of tokens.
    pub id: UserId,
    /// Where the person lives.
    pub tenant_id: TenantId,
    /// What they sign in with, besides the e-mail address.
    pub username: String,
    /// Where mail reaches them.
    #[schema(format = "email")]
    pub email: String,
    /// Whether it is known that it does.
    pub email_verified: bool,
    /// A telephone number (E.164).
    pub phone: Option<String>,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// The name to show, where it is not made of the two.
    pub display_name: Option<String>,
    /// `active`, `inactive`, `banned`, `hold`, `pending` or `suspended`; only active people can sign in.
    pub status: String,
    /// The names of their roles in the tenant that was asked about.
    pub roles: Vec<String>,
    /// Which version of their roles it is.
    pub roles_version: i64,
    /// When the account was made.
    #[schema(value_type = String, format = "date-time")]
    pub created_at: UtcTime,
    /// When it changed last.
    #[schema(value_type = String, format = "date-time")]
    pub updated_at: UtcTime,
}

impl UserDocument {
    /// What is shown of it.
    pub fn of(user: &User) -> Self {
        Self {
            id: user.id,
            tenant_id: user.tenant_id,
            username: user.username.to_string(),
            email: user.email.to_string(),
            email_verified: user.email_verified,
            phone: user.phone.clone(),
            given_name: user.given_name.clone(),
            family_name: user.family_name.clone(),
            display_name: user.display_name.clone(),
            status: user.status.to_string(),
            roles: user.roles.clone(),
            roles_version: user.roles_version,
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
