//! The rule: what a caller may do (RFC 6749 §3.3 for scopes).

/// What a route needs: `resource.action`. Declared as a constant beside the route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(&'static str);

impl Permission {
    /// A permission by its name, of the form `resource.action` in lower-case letters and underscores.
    ///
    /// # Panics
    /// While compiling, when it is used for a constant and the name has another form.
    pub const fn new(name: &'static str) -> Self {
        let bytes = name.as_bytes();
        let (mut at, mut dot) = (0, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'a'..=b'z' | b'_' => {}
                b'.' if dot == 0 => dot = at,
                _ => panic!("a permission is resource.action in lower-case letters and underscores"),
            }
            at += 1;
        }
        assert!(dot > 0 && dot + 1 < bytes.len(), "a permission is resource.action");
        Self(name)
    }

    /// The name, which is also the narrowest scope that allows it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The part after the dot.
    pub fn action(self) -> &'static str {
        self.0.split_once('.').map_or("", |(_, action)| action)
    }

    /// The part before the dot.
    pub fn resource(self) -> &'static str {
        self.0.split_once('.').map_or(self.0, |(resource, _)| resource)
    }
}

/// A part of the service that a tenant can switch off. Declared as a constant; the routes of the part name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Module(&'static str);

impl Module {
    /// The module of this name.
    pub const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// Whether they may. A permission stands here by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// They may.
    Allow,
    /// The token is for less: another one, for this scope, would do.
    InsufficientScope(&'static str),
    /// The person may not, whatever the token.
    Forbidden(&'static str),
}

/// Whether a scope is a pattern that the permission matches: the permission itself, or `resource.*`.
pub fn scope_allows(scope: &str, permission: &str) -> bool {
    match scope.strip_suffix(".*") {
        Some(resource) => permission.strip_prefix(resource).is_some_and(|rest| rest.starts_with('.')),
        None => scope == permission,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Permission = Permission::new("tenant_settings.read");

    #[test]
    fn patterns_match_whole_parts() {
        for good in ["tenant_settings.read", "tenant_settings.*"] {
            assert!(scope_allows(good, READ.as_str()), "{good}");
        }
        for bad in [
            "",
            "*",
            ".*",
            "*.*",
            "*.read",
            "tenant.*",
            "tenant_settings",
            "tenant_settings.",
            "tenant_settings.update",
            "tenant_settings.read.*",
            "tenant_settings.rea*",
            "api",
            "TENANT_SETTINGS.read",
        ] {
            assert!(!scope_allows(bad, READ.as_str()), "{bad:?}");
        }
    }

    #[test]
    fn names_have_two_parts() {
        assert_eq!((READ.as_str(), READ.resource()), ("tenant_settings.read", "tenant_settings"));
        for bad in ["read", ".read", "tenant.", "a.b.c", "Tenant.read", "tenant.*"] {
            assert!(std::panic::catch_unwind(|| Permission::new(bad)).is_err(), "{bad}");
        }
    }
}
