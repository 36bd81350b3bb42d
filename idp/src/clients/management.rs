//! The scopes of the management API.

use tenantry_types::ScopeSet;

/// What the scopes of the management API begin with.
pub const PREFIX: &str = "admin.";

/// All scopes of the management API. Only clients of platform tenants can be given them.
pub const SCOPES: &[&str] = &["admin.read", "admin.tenants", "admin.users", "admin.clients"];

/// Whether a scope is one of the management API.
pub fn is_management(scope: &str) -> bool {
    scope.starts_with(PREFIX)
}

/// Which API the scopes of a token are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFor {
    /// The resource server.
    Resources,
    /// Our own management API, and nothing else.
    Management,
}

impl TokenFor {
    /// What a token with these scopes is for; `None` when they are for both, which no token is.
    pub fn of(scope: &ScopeSet) -> Option<Self> {
        let management = scope.iter().filter(|scope| is_management(scope)).count();
        match management {
            0 => Some(Self::Resources),
            all if all == scope.iter().count() => Some(Self::Management),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_for_one_api() {
        let of = |scope: &str| TokenFor::of(&scope.parse().unwrap());
        assert_eq!(of(""), Some(TokenFor::Resources));
        assert_eq!(of("openid api administrator.x"), Some(TokenFor::Resources));
        assert_eq!(of("admin.read admin.users"), Some(TokenFor::Management));
        assert_eq!(of("admin.read api"), None);
    }
}
