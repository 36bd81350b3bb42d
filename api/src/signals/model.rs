//! What is told.

use tenantry_types::{TenantId, text_enum};

text_enum! {
    /// What changed.
    pub enum SignalKind {
        /// Roles, groups, permissions or policies of the tenant.
        Access = "access",
        /// What one user of the tenant may do, or whether they may do anything.
        Subject = "subject",
        /// The tenant itself: its status, domains, modules or settings.
        Tenant = "tenant",
        /// Tokens that were good are not any more.
        Revocation = "revocation",
    }
}

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// What.
    pub kind: SignalKind,
    /// Which one, where there are several: the id of a user; of a revocation, what it says.
    pub subject: Option<String>,
}
