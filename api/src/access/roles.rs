//! What the built-in roles may do. The policy engine will take the place of this file.

use super::Permission;

/// Whether the role allows what needs `permission`. A role that is not known allows nothing.
pub(super) fn allows(role: &str, permission: Permission) -> bool {
    match role {
        // Everything in the tenant.
        "administrator" => true,
        "member" => matches!(permission.as_str(), "tenant_settings.read"),
        _ => false,
    }
}
