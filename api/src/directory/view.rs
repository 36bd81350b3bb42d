//! People on the wire.

use serde::Serialize;
use serde_json::Value;
use tenantry_types::{TenantId, UserId, UtcTime};
use utoipa::ToSchema;

use super::model::{AccountStatus, RoleView};
use super::store::AccountRow;
use crate::input::EntityTag;

/// Somebody in the directory of the tenant.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountView {
    /// The `sub` of their tokens.
    pub id: UserId,
    /// Where mail reaches them; absent until it is known.
    #[schema(format = "email", example = "john.doe@acme.example.com")]
    pub email: Option<String>,
    /// Whether it is known that it does.
    pub email_verified: bool,
    /// What they sign in with.
    pub username: Option<String>,
    /// First name.
    #[schema(example = "John")]
    pub first_name: Option<String>,
    /// Last name.
    #[schema(example = "Doe")]
    pub last_name: Option<String>,
    /// The name to show, where it is not made of the two.
    pub display_name: Option<String>,
    /// A telephone number (E.164).
    #[schema(example = "+12025550123")]
    pub phone: Option<String>,
    /// The address of a picture.
    #[schema(format = "uri")]
    pub avatar_url: Option<String>,
    /// What the tenant's programs keep with them.
    #[schema(value_type = Object)]
    pub metadata: Value,
    /// `active`, `inactive`, `banned`, `hold`, `pending` or `suspended`; only who is active can sign in.
    #[schema(value_type = String, example = "active")]
    pub status: AccountStatus,
    /// The roles that they have of their own.
    pub roles: Vec<RoleView>,
    /// The tenant that they are at home in, when it is another: then their account is changed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub home_tenant_id: Option<TenantId>,
    /// Counts the changes.
    pub version: i64,
    /// Since when they are known here.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: UtcTime,
    /// When something changed last.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: UtcTime,
}

impl AccountView {
    /// What is shown of somebody.
    pub fn new(row: AccountRow, roles: Vec<RoleView>) -> Self {
        Self {
            id: row.id,
            email: row.email,
            email_verified: row.email_verified,
            username: row.username,
            first_name: row.given_name,
            last_name: row.family_name,
            display_name: row.display_name,
            phone: row.phone,
            avatar_url: row.avatar_url,
            metadata: row.metadata.into_inner(),
            status: row.status,
            roles,
            home_tenant_id: row.home_tenant_id,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }

    /// Names this version of them: of their row, and of the roles that are shown with it.
    pub fn tag(&self, tenant: TenantId) -> EntityTag {
        EntityTag::showing(tenant, self.id, self.version, &self.roles)
    }
}
