//! What the caller of a request may do.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use tenantry_db::{Connection, DbError};
use tenantry_types::{UserId, UtcTime};

use super::facts::CommonSlots;
use super::judge::{Reason, Who};
use super::permissions::{PermissionPattern, PermissionSet};
use super::policy::{Columns, Facts, Filter, Listing, PolicySet, Value};
use super::store;
use super::subject::SubjectAccess;
use super::tenant::TenantAccess;
use super::{AccessError, Decision, Permission, scope_allows};
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

/// What the guard of a route decided, and on what grounds.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) decision: Decision,
    /// `None` where it depends on what it is done to.
    pub(super) reason: Option<Reason<'a>>,
    pub(super) facts: Facts,
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
        let mut now = TenantAccess::new(store::load_tenant(conn, scope)?, Arc::clone(&tenant.kinds));
        now.policies = tenant.policies.clone();
        now.policy_ids.clone_from(&tenant.policy_ids);
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
    pub fn tenant(&self) -> &Arc<TenantAccess> {
        &self.0.tenant
    }

    /// What a user of the caller's tenant holds by what stands in the database now; `None` for somebody who is not in its
    /// directory. To be asked of a [renewed](Self::renewed) authority.
    pub fn subject_of(&self, conn: &mut Connection, user: UserId) -> Result<Option<SubjectAccess>, DbError> {
        let rows = store::load_subject(conn, self.0.principal.scope(), user)?;
        Ok(rows.status.is_some().then(|| SubjectAccess::new(Arc::clone(&self.0.tenant), &rows, self.now())))
    }

    /// The time of the request.
    pub fn now(&self) -> UtcTime {
        self.0.surroundings.now
    }

    /// The names of the roles of the user, in order.
    pub fn roles(&self) -> Vec<String> {
        self.0.subject.iter().flat_map(|subject| &subject.roles).map(ToString::to_string).collect()
    }

    /// What the guard of a route decides: see [`decide`](Self::decide).
    pub(super) fn judge(&self, permission: Permission) -> Judged<'_> {
        let facts = self.facts();
        let reason = self.tenant().judge(
            permission.resource(),
            permission.action(),
            &facts,
            self.is_allowed_by_role(permission.as_str()),
        );
        let decision = if !self.is_in_scope(permission.as_str()) {
            Decision::InsufficientScope(permission.as_str())
        } else if reason.is_allowed() {
            Decision::Allow
        } else {
            Decision::Forbidden(permission.as_str())
        };
        Judged { decision, reason: Some(reason), facts }
    }

    /// The same for a route whose handler asks again of what it finds. What it is done to makes no difference where no
    /// policy asks for it.
    pub(super) fn judge_for_some(&self, permission: Permission) -> Judged<'_> {
        if self.filter_by(permission, &Columns::default()).is_exact() {
            return self.judge(permission);
        }
        Judged { decision: self.decide_for_some(permission), reason: None, facts: self.facts() }
    }

    /// Whether they may do what this permission is for, where nothing is known of what it is done to.
    ///
    /// Both the token's scopes and something of the person's must allow it: a role, or a policy; and no policy may
    /// forbid it. A client acts on its own: there is nobody whose rights it could stand for, so only scopes that name the
    /// permission count.
    pub fn decide(&self, permission: &'static str) -> Decision {
        self.decide_with(permission, || self.facts())
    }

    /// Whether there may be something that they may do this to. Whoever is let in by this asks [`check`](Self::check) or
    /// [`filter`](Self::filter) next.
    pub fn decide_for_some(&self, permission: Permission) -> Decision {
        if !self.is_in_scope(permission.as_str()) {
            return Decision::InsufficientScope(permission.as_str());
        }
        // Of no attribute it is said where it is kept, so every condition on one may hold.
        if self.filter_by(permission, &Columns::default()).is_nothing() {
            return Decision::Forbidden(permission.as_str());
        }
        Decision::Allow
    }

    /// The same as [`decide_for_some`](Self::decide_for_some), as a refusal.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`], [`AccessError::Forbidden`].
    pub fn require_some(&self, permission: Permission) -> Result<(), AccessError> {
        AccessError::of(self.decide_for_some(permission)).map_or(Ok(()), Err)
    }

    /// Refuses who may not do this to the thing of which these attributes are known: `policy.name`, as they are
    /// [described](super::Routes::describe).
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`], [`AccessError::Forbidden`].
    pub fn check<'a>(
        &self,
        permission: Permission,
        attributes: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), AccessError> {
        let facts = || {
            let mut facts = self.facts();
            if let Some(kind) = self.0.tenant.kinds.get(permission.resource()) {
                for (name, value) in attributes {
                    if let Some(slot) = kind.schema.slot(name) {
                        facts.set(slot, value);
                    }
                }
            }
            facts
        };
        AccessError::of(self.decide_with(permission.as_str(), facts)).map_or(Ok(()), Err)
    }

    /// The rows of a list to which they may do this: those of the table where the things that the permission is for are
    /// [kept](super::Kept). Where it is not exact, each row is [checked](Self::check) by itself.
    pub fn filter(&self, permission: Permission) -> Filter {
        let nowhere = Columns::default();
        let kept = self.0.tenant.kinds.kept(permission.resource());
        self.filter_by(permission, kept.map_or(&nowhere, |(_, columns)| columns))
    }

    fn filter_by(&self, permission: Permission, columns: &Columns) -> Filter {
        let name = permission.as_str();
        let nobody = PolicySet::default();
        let (resource, action) = name.split_once('.').unwrap_or((name, ""));
        let (tenant, facts) = (&self.0.tenant, self.facts());
        let (policies, base) =
            if self.is_in_scope(name) { (&tenant.policies, self.is_allowed_by_role(name)) } else { (&nobody, false) };
        let schema = tenant.kinds.schema(resource);
        policies.filter(&Listing { schema, columns, resource, action, facts: &facts, base })
    }

    /// Whether the scopes of the token allow it.
    pub fn is_in_scope(&self, permission: &str) -> bool {
        let Inner { principal, subject, .. } = &*self.0;
        principal.scopes.iter().any(|scope| scope_allows(scope, permission) || (subject.is_some() && scope == "api"))
    }

    /// Whether the roles of the person allow it. A client has none, and its scopes say everything.
    pub fn is_allowed_by_role(&self, permission: &str) -> bool {
        self.0.subject.as_ref().is_none_or(|subject| subject.permissions.allows(permission))
    }

    fn decide_with(&self, permission: &'static str, facts: impl FnOnce() -> Facts) -> Decision {
        if !self.is_in_scope(permission) {
            return Decision::InsufficientScope(permission);
        }
        let (tenant, by_role) = (&self.0.tenant, self.is_allowed_by_role(permission));
        let is_allowed = if tenant.policies.is_empty() {
            by_role
        } else {
            let (resource, action) = permission.split_once('.').unwrap_or((permission, ""));
            tenant.judge(resource, action, &facts(), by_role).is_allowed()
        };
        if is_allowed { Decision::Allow } else { Decision::Forbidden(permission) }
    }

    /// Whether they hold everything that the pattern stands for, so that they can give it to others: by their roles alone,
    /// because what a policy allows is allowed in its circumstances only. A client holds what its scopes name. Whoever acts
    /// in the name of somebody else gives nothing of theirs away: else it would stay when the acting has ended.
    pub fn holds(&self, pattern: &PermissionPattern) -> bool {
        if self.0.principal.actor.is_some() {
            return false;
        }
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
        let Surroundings { slots, now, .. } = &self.0.surroundings;
        slots.facts(*now, &self.who(), self.tenant())
    }

    /// The caller, as somebody whom it can be asked about.
    pub fn who(&self) -> Who {
        let Inner { principal, subject, surroundings, .. } = &*self.0;
        Who {
            user: match &principal.subject {
                Subject::User(id) => Some(*id),
                Subject::Client(_) => None,
            },
            subject: subject.clone(),
            client_id: Some(principal.client_id.as_str().into()),
            scopes: Some(principal.scopes.iter().map(str::to_owned).collect()),
            tenant: Some((principal.tenant.id, principal.tenant.slug.as_str().into())),
            address: surroundings.address,
            acr: principal.acr.as_deref().map(Into::into),
            amr: Some(principal.amr.clone()),
            auth_time: principal.auth_time,
            actor: principal.actor.as_ref().map(|actor| actor.id().into()),
        }
    }
}

impl FromRequest for Authority {
    type Error = AuthnError;
    type Future = Ready<Result<Self, AuthnError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(AuthnError::Missing))
    }
}
