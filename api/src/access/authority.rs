//! What the caller of a request may do.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use tenantry_db::{Connection, DbError};
use tenantry_types::{UserId, UtcTime};

use super::facts::CommonSlots;
use super::permissions::{PermissionPattern, PermissionSet};
use super::policy::{Facts, PolicySet, Verdict};
use super::store;
use super::subject::SubjectAccess;
use super::tenant::TenantAccess;
use super::{Decision, scope_allows};
use crate::authn::{AuthnError, Principal, Subject};

/// What the caller of a request may do, by their token, their roles and the policies of their tenant. Cheap to clone.
///
/// As an extractor it is what the guard of the route has found out; a public route has none.
#[derive(Debug, Clone)]
pub struct Authority(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    principal: Principal,
    tenant: Arc<TenantAccess>,
    /// `None` for a client, which has no roles.
    subject: Option<Arc<SubjectAccess>>,
    surroundings: Surroundings,
}

/// Where and when it is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) slots: CommonSlots,
    pub(super) address: Option<IpAddr>,
    pub(super) now: UtcTime,
}

impl Authority {
    pub(super) fn new(
        principal: Principal,
        tenant: Arc<TenantAccess>,
        subject: Option<Arc<SubjectAccess>>,
        surroundings: Surroundings,
    ) -> Self {
        Self(Arc::new(Inner { principal, tenant, subject, surroundings }))
    }

    /// The same caller by what stands in the database now: for changes to what people may do, which must not be decided
    /// by what somebody has just lost. The tenant's row is locked, so that nobody else changes it meanwhile.
    pub fn renewed(&self, conn: &mut Connection) -> Result<Self, DbError> {
        let Inner { principal, tenant, subject, surroundings } = &*self.0;
        let scope = principal.scope();
        let mut now = TenantAccess::new(store::load_tenant(conn, scope)?, PolicySet::default());
        now.policies = tenant.policies.clone();
        let tenant = Arc::new(now);
        let subject = match (subject, &principal.subject) {
            (Some(_), Subject::User(user)) => {
                let rows = store::load_subject(conn, scope, *user)?;
                Some(Arc::new(SubjectAccess::new(Arc::clone(&tenant), &rows, surroundings.now)))
            }
            _ => None,
        };
        Ok(Self(Arc::new(Inner { principal: principal.clone(), tenant, subject, surroundings: *surroundings })))
    }

    /// Who is calling.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// What is known of the user; `None` for a client.
    pub fn subject(&self) -> Option<&SubjectAccess> {
        self.0.subject.as_deref()
    }

    /// What the tenant has said about access.
    pub fn tenant(&self) -> &TenantAccess {
        &self.0.tenant
    }

    /// What a user of the caller's tenant holds by what stands in the database now; `None` for somebody who is not in its
    /// directory. To be asked of a [renewed](Self::renewed) authority.
    pub fn subject_of(&self, conn: &mut Connection, user: UserId) -> Result<Option<SubjectAccess>, DbError> {
        let rows = store::load_subject(conn, self.0.principal.scope(), user)?;
        Ok(rows.is_active.map(|_| SubjectAccess::new(Arc::clone(&self.0.tenant), &rows, self.now())))
    }

    /// The time of the request.
    pub fn now(&self) -> UtcTime {
        self.0.surroundings.now
    }

    /// The names of the roles of the user, in order.
    pub fn roles(&self) -> Vec<String> {
        self.0.subject.iter().flat_map(|subject| &subject.roles).map(ToString::to_string).collect()
    }

    /// Whether they may do what this permission is for, where nothing is known of what it is done to.
    ///
    /// Both the token's scopes and something of the person's must allow it: a role, or a policy; and no policy may
    /// forbid it. A client acts on its own: there is nobody whose rights it could stand for, so only scopes that name the
    /// permission count.
    pub fn decide(&self, permission: &'static str) -> Decision {
        let Inner { principal, tenant, subject, .. } = &*self.0;
        let in_scope = |scope| scope_allows(scope, permission) || (subject.is_some() && scope == "api");
        if !principal.scopes.iter().any(in_scope) {
            return Decision::InsufficientScope(permission);
        }
        let by_role = subject.as_ref().is_none_or(|subject| subject.permissions.allows(permission));
        if tenant.policies.is_empty() {
            return if by_role { Decision::Allow } else { Decision::Forbidden(permission) };
        }
        let (resource, action) = permission.split_once('.').unwrap_or((permission, ""));
        match tenant.policies.decide(resource, action, &self.facts()) {
            Verdict::Denied(_) => Decision::Forbidden(permission),
            Verdict::Allowed(_) => Decision::Allow,
            Verdict::Silent if by_role => Decision::Allow,
            Verdict::Silent => Decision::Forbidden(permission),
        }
    }

    /// Whether they hold everything that the pattern stands for, so that they can give it to others: by their roles alone,
    /// because what a policy allows is allowed in its circumstances only. A client holds what its scopes name.
    pub fn holds(&self, pattern: &PermissionPattern) -> bool {
        match &self.0.subject {
            Some(subject) => {
                let scopes = self.scope_permissions();
                subject.permissions.covers(pattern)
                    && (self.0.principal.scopes.contains("api") || scopes.covers(pattern))
            }
            None => self.scope_permissions().covers(pattern),
        }
    }

    /// Whether they hold everything in the set.
    pub fn holds_all(&self, permissions: &PermissionSet) -> bool {
        let patterns = permissions.patterns();
        patterns.iter().all(|pattern| pattern.parse().is_ok_and(|pattern| self.holds(&pattern)))
    }

    /// What the scopes of the token name.
    fn scope_permissions(&self) -> PermissionSet {
        let patterns: Vec<PermissionPattern> =
            self.0.principal.scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
        patterns.iter().filter(|pattern| **pattern != PermissionPattern::All).collect()
    }

    /// What is known of the caller and the surroundings, for conditions.
    pub fn facts(&self) -> Facts {
        let Inner { principal, subject, surroundings: Surroundings { slots, address, now }, .. } = &*self.0;
        slots.facts(*now, principal, subject.as_deref(), *address)
    }
}

impl FromRequest for Authority {
    type Error = AuthnError;
    type Future = Ready<Result<Self, AuthnError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(AuthnError::Missing))
    }
}
