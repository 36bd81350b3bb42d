//! What a membership is.

use tenantry_types::{TenantId, UserId, UtcTime};

/// That a person who lives in another tenant belongs to this one too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Who.
    pub user_id: UserId,
    /// Where they live.
    pub home_tenant_id: TenantId,
    /// Which version of their roles as a member it is.
    pub roles_version: i64,
    /// Since when.
    pub created_at: UtcTime,
}
