//! Roles: what they are called, which family they are of, and those that every tenant has.

use std::fmt;
use std::str::FromStr;

use tenantry_types::{ParseError, text_enum};

use crate::input::name;

text_enum! {
    /// Whom a role is for.
    pub enum RoleFamily {
        /// Those who provide what the tenant offers.
        Provider = "Provider",
        /// Those who work for the tenant.
        Internal = "Internal",
        /// Those who use what it offers.
        Customer = "Customer",
    }
}

/// The name of a role or a group: 1 to 100 characters that can be seen, without spaces around them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleName(String);

impl RoleName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        name::<100>(text).map(Self).map_err(|detail| ParseError(detail.into()))
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A role that every tenant has from the beginning. It cannot be changed or deleted.
#[derive(Debug, Clone, Copy)]
pub struct SystemRole {
    /// Its name.
    pub name: &'static str,
    /// Whom it is for.
    pub family: RoleFamily,
    /// What it is, for people.
    pub description: &'static str,
    /// What it allows.
    pub permissions: &'static [&'static str],
}

/// The roles that every tenant has.
pub const SYSTEM_ROLES: &[SystemRole] = &[
    SystemRole {
        name: "administrator",
        family: RoleFamily::Internal,
        description: "May do everything in the tenant",
        permissions: &["*"],
    },
    SystemRole {
        name: "auditor",
        family: RoleFamily::Internal,
        description: "May see who did what, and who may do what",
        permissions: &[
            "audit.*",
            "access_log.read",
            "account.read",
            "group.read",
            "permission.read",
            "policy.read",
            "role.read",
            "session.read",
        ],
    },
    SystemRole {
        name: "provider",
        family: RoleFamily::Provider,
        description: "Provides what the tenant offers",
        permissions: &["tenant_settings.read"],
    },
    SystemRole {
        name: "member",
        family: RoleFamily::Customer,
        description: "Uses what the tenant offers",
        permissions: &["tenant_settings.read"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::PermissionPattern;

    #[test]
    fn system_roles_are_well_formed() {
        for role in SYSTEM_ROLES {
            assert!(role.name.parse::<RoleName>().is_ok());
            assert!(role.permissions.iter().all(|permission| permission.parse::<PermissionPattern>().is_ok()));
        }
        for bad in ["", " a", "a ", "a\u{0}", &"x".repeat(101)] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad:?}");
        }
    }
}
