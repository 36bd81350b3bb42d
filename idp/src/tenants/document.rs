//! A tenant as the management API and security events show it.

use serde::Serialize;
use tenantry_types::{PublicUrl, TenantId, UtcTime};
use utoipa::ToSchema;

use super::Tenant;

/// A tenant, as the management API and security events show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub struct TenantDocument {
    /// The same id at both services.
    pub id: TenantId,
    /// Its short name in URLs, which never changes.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// `active`, `inactive` or `suspended`; people can sign in at active tenants only.
    pub status: String,
    /// Its issuer below the provider's own address.
    #[schema(format = "uri")]
    pub issuer: String,
    /// Whether it is the operator's own.
    pub is_platform: bool,
    /// When it was made.
    #[schema(value_type = String, format = "date-time")]
    pub created_at: UtcTime,
    /// When it changed last.
    #[schema(value_type = String, format = "date-time")]
    pub updated_at: UtcTime,
}

impl TenantDocument {
    /// What is shown of a tenant of the provider at `public_url`.
    pub fn new(tenant: &Tenant, public_url: &PublicUrl) -> Self {
        Self {
            id: tenant.id,
            slug: tenant.slug.to_string(),
            name: tenant.name.to_string(),
            status: tenant.status.to_string(),
            issuer: tenant.issuer_url(public_url),
            is_platform: tenant.is_platform,
            created_at: tenant.created_at,
            updated_at: tenant.updated_at,
        }
    }
}
