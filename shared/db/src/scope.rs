//! Whose rows a query may touch.

use tenantry_types::TenantId;

/// The tenant that a store function works for, and by what right.
///
/// Every store function on a table of tenants' rows takes one and filters by it. There is deliberately no `Default`
/// and no `Deserialize`: a scope is made from an authenticated request or from a named task of the system, never from
/// input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope {
    tenant_id: TenantId,
    system: Option<&'static str>,
}

impl TenantScope {
    /// For a request whose tenant was established: by a verified token, a session, or the issuer it came to.
    pub const fn authenticated(tenant_id: TenantId) -> Self {
        Self { tenant_id, system: None }
    }

    /// For work that no request asked for; `why` names the task, as in `"expire sessions"`.
    pub const fn system(tenant_id: TenantId, why: &'static str) -> Self {
        Self { tenant_id, system: Some(why) }
    }

    /// The tenant.
    pub const fn tenant_id(&self) -> TenantId {
        self.tenant_id
    }

    /// The task of the system that this scope was made for, when it was not made for a request.
    pub const fn system_task(&self) -> Option<&'static str> {
        self.system
    }
}

#[cfg(test)]
mod tests {
    use tenantry_types::{SystemClock, SystemRandom};

    use super::*;

    #[test]
    fn a_scope_knows_its_tenant_and_its_right() {
        let tenant_id = TenantId::new(&SystemClock, &SystemRandom);
        assert_eq!(TenantScope::authenticated(tenant_id).tenant_id(), tenant_id);
        assert_eq!(TenantScope::authenticated(tenant_id).system_task(), None);
        assert_eq!(TenantScope::system(tenant_id, "expire sessions").system_task(), Some("expire sessions"));
    }
}
