//! What the caller of a request may do.

use std::future::{Ready, ready};
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use tenantry_db::{Connection, DbError};
use tenantry_types::{Clock, TenantId, UserId, UtcTime};

use super::control::facts_of;
use super::facts::CommonSlots;
use super::judge::{Reason, Who};
use super::permissions::{PermissionPattern, PermissionSet};
use super::policy::{Columns, Facts, Filter, Listing, PolicySet, Value};
use super::store;
use super::subject::{Held, SubjectAccess};
use super::tenant::TenantAccess;
use super::told::{Grounds, Told, Why};
use super::{AccessError, Decision, Permission, loader, scope_allows};
use crate::authn::{AuthnError, Principal, Subject, TenantStatus};
use crate::revocations::{self, TokenFacts};

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
    /// What is known of all this, once it was asked for.
    facts: OnceLock<Facts>,
    /// What was decided about single things, for the log.
    told: Arc<Told>,
}

/// What the guard of a route decided.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) decision: Decision,
    /// `None` where it depends on what it is done to, or the token is for less.
    pub(super) reason: Option<Reason<'a>>,
}

/// Where and when it is asked.
#[derive(Debug, Clone)]
pub(super) struct Surroundings {
    pub(super) slots: CommonSlots,
    pub(super) address: Option<IpAddr>,
    pub(super) now: UtcTime,
    pub(super) clock: Arc<dyn Clock>,
}

impl Authority {
    pub(super) fn new(
        principal: Principal,
        tenant: Arc<TenantAccess>,
        subject: Option<Arc<SubjectAccess>>,
        surroundings: Surroundings,
    ) -> Self {
        Self::with(principal, tenant, subject, surroundings, Arc::default())
    }

    fn with(
        principal: Principal,
        tenant: Arc<TenantAccess>,
        subject: Option<Arc<SubjectAccess>>,
        surroundings: Surroundings,
        told: Arc<Told>,
    ) -> Self {
        Self(Arc::new(Inner { principal, tenant, subject, surroundings, facts: OnceLock::new(), told }))
    }

    /// The same caller by what stands in the database now: for changes to what people may do, which must not be decided
    /// by what somebody has just lost. To be asked before anything is changed, with the tenant's row locked, so that nobody
    /// else changes it meanwhile.
    ///
    /// # Errors
    /// [`AccessError::Authn`] and [`AccessError::TenantNotActive`] for somebody who may do nothing any more,
    /// [`AccessError::Database`].
    pub fn renewed(&self, conn: &mut Connection) -> Result<Self, AccessError> {
        let Inner { principal, tenant, subject, surroundings, told, .. } = &*self.0;
        let (scope, now) = (principal.scope(), surroundings.clock.now());
        if revocations::is_revoked(conn, scope, &facts_of(principal))? {
            return Err(AuthnError::Revoked.into());
        }
        // Whatever changes what a tenant has said counts on.
        let tenant = match store::generation(conn, scope)? {
            Some(generation) if tenant.generation == Some(generation) => Arc::clone(tenant),
            _ => Arc::new(loader::load(conn, scope, &tenant.compiled)?),
        };
        let status = tenant.status(&principal.tenant);
        if status != TenantStatus::Active {
            return Err(AccessError::TenantNotActive(status));
        }
        let mut known = |user: UserId| {
            let rows = store::load_subject(conn, scope, user)?;
            let known = SubjectAccess::new(Arc::clone(&tenant), &rows, now);
            if known.is_active { Ok::<_, AccessError>(known) } else { Err(AuthnError::Revoked.into()) }
        };
        let subject = match (subject, &principal.subject) {
            (Some(_), Subject::User(user)) => Some(Arc::new(known(*user)?)),
            _ => None,
        };
        if let Some(Subject::User(actor)) = &principal.actor {
            known(*actor)?;
            let token = TokenFacts { user: Some(*actor), ..facts_of(principal) };
            if revocations::is_revoked(conn, scope, &token)? {
                return Err(AuthnError::Revoked.into());
            }
        }
        let surroundings = Surroundings { now, ..surroundings.clone() };
        Ok(Self::with(principal.clone(), tenant, subject, surroundings, Arc::clone(told)))
    }

    /// What the tenant has said, as it is in the middle of a transaction that changes it.
    pub fn changed_tenant(&self, conn: &mut Connection) -> Result<TenantAccess, DbError> {
        loader::load(conn, self.0.principal.scope(), &self.0.tenant.compiled)
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

    /// The id and the short name of the tenant.
    pub fn tenant_name(&self) -> (TenantId, Arc<str>) {
        let tenant = &self.0.principal.tenant;
        (tenant.id, tenant.slug.as_str().into())
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
        let name = permission.as_str();
        if !self.is_in_scope(name) {
            return Judged { decision: Decision::InsufficientScope(name), reason: None };
        }
        let reason = self.reason(name, || self.known());
        let decision = if reason.is_allowed() { Decision::Allow } else { Decision::Forbidden(name) };
        Judged { decision, reason: Some(reason) }
    }

    /// The same for a route whose handler asks again of what it finds. What it is done to makes no difference where no
    /// policy asks for it.
    pub(super) fn judge_for_some(&self, permission: Permission) -> Judged<'_> {
        if self.filter_by(permission, &Columns::default()).is_exact() {
            return self.judge(permission);
        }
        Judged { decision: self.decide_for_some(permission), reason: None }
    }

    /// Whether they may do what this permission is for, where nothing is known of what it is done to.
    ///
    /// Both the token's scopes and something of the person's must allow it: a role, or a policy; and no policy may
    /// forbid it. A client acts on its own: there is nobody whose rights it could stand for, so only scopes that name the
    /// permission count.
    pub fn decide(&self, permission: &'static str) -> Decision {
        if !self.is_in_scope(permission) {
            return Decision::InsufficientScope(permission);
        }
        let is_allowed = self.reason(permission, || self.known()).is_allowed();
        if is_allowed { Decision::Allow } else { Decision::Forbidden(permission) }
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
    /// [`AccessError::InsufficientScope`], [`AccessError::Forbidden`], [`AccessError::StepUp`].
    pub fn require_some(&self, permission: Permission) -> Result<(), AccessError> {
        self.refusal_of(permission, self.decide_for_some(permission)).map_or(Ok(()), Err)
    }

    /// Refuses who may not do what this permission is for, where nothing is known of what it is done to.
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`], [`AccessError::Forbidden`], [`AccessError::StepUp`].
    pub fn require(&self, permission: Permission) -> Result<(), AccessError> {
        self.refusal_of(permission, self.decide(permission.as_str())).map_or(Ok(()), Err)
    }

    /// What a decision of the guard means for the request, which is about nothing in particular yet; `None` for no refusal.
    pub(super) fn refusal_of(&self, permission: Permission, decision: Decision) -> Option<AccessError> {
        match decision {
            Decision::Allow => None,
            Decision::InsufficientScope(permission) => Some(AccessError::InsufficientScope(permission)),
            Decision::Forbidden(_) => Some(self.refusal(permission, self.known())),
        }
    }

    /// The refusal of something of which this is known. Where it would be allowed after another sign-in, it says which
    /// (RFC 9470). A client cannot sign in otherwise, nor can whoever acts for somebody else in their place.
    fn refusal(&self, permission: Permission, facts: &Facts) -> AccessError {
        let Inner { principal, tenant, surroundings, .. } = &*self.0;
        let (name, resource, action) = (permission.as_str(), permission.resource(), permission.action());
        let is_somebody = matches!(principal.subject, Subject::User(_)) && principal.actor.is_none();
        let stronger = surroundings.slots.sign_in().filter(|_| is_somebody).and_then(|at| {
            let may = |facts: &Facts| self.reason(name, || facts).is_allowed();
            tenant.policies.stronger(resource, action, facts, at, may)
        });
        stronger.map_or(AccessError::Forbidden(name), |stronger| AccessError::StepUp(name, stronger))
    }

    /// Refuses who may not do this to the thing of which these attributes are known: `policy.name`, as they are
    /// [described](super::Routes::describe).
    ///
    /// # Errors
    /// [`AccessError::InsufficientScope`], [`AccessError::Forbidden`], [`AccessError::StepUp`].
    pub fn check<'a>(
        &self,
        permission: Permission,
        attributes: impl IntoIterator<Item = (&'a str, Value)>,
    ) -> Result<(), AccessError> {
        let (name, Inner { tenant, told, .. }) = (permission.as_str(), &*self.0);
        let mut facts = self.known().clone();
        if let Some(kind) = tenant.kinds.get(permission.resource()) {
            for (name, value) in attributes {
                if let Some(slot) = kind.schema.slot(name) {
                    facts.set(slot, value);
                }
            }
        }
        let reason = self.is_in_scope(name).then(|| self.reason(name, || &facts));
        let refusal = match reason {
            None => Some(AccessError::InsufficientScope(name)),
            Some(reason) if reason.is_allowed() => None,
            // Of the rows of a list nobody is told why they are left out.
            Some(_) if told.is_list() => Some(AccessError::Forbidden(name)),
            Some(_) => Some(self.refusal(permission, &facts)),
        };
        let why = reason.map_or(Why::OutOfScope, |reason| Why::of(reason, tenant));
        told.note(Grounds { permission, why, facts, kinds: Arc::clone(&tenant.kinds) });
        refusal.map_or(Ok(()), Err)
    }

    /// The rows of a list to which they may do this: those of the table where the things that the permission is for are
    /// [kept](super::Kept). Where it is not exact, each row is [checked](Self::check) by itself.
    pub fn filter(&self, permission: Permission) -> Filter {
        self.0.told.lists();
        let nowhere = Columns::default();
        let kept = self.0.tenant.kinds.kept(permission.resource());
        self.filter_by(permission, kept.map_or(&nowhere, |(_, columns)| columns))
    }

    fn filter_by(&self, permission: Permission, columns: &Columns) -> Filter {
        let name = permission.as_str();
        let nobody = PolicySet::default();
        let (resource, action) = name.split_once('.').unwrap_or((name, ""));
        let (tenant, facts) = (&self.0.tenant, self.known());
        let (policies, base) =
            if self.is_in_scope(name) { (&*tenant.policies, self.is_allowed_by_role(name)) } else { (&nobody, false) };
        let schema = tenant.kinds.schema(resource);
        policies.filter(&Listing { schema, columns, resource, action, facts, base })
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

    /// What the roles and policies say, whatever the scopes do. Of a tenant without policies nothing has to be known.
    fn reason<'f>(&self, permission: &str, facts: impl FnOnce() -> &'f Facts) -> Reason<'_> {
        let (tenant, by_role) = (&self.0.tenant, self.is_allowed_by_role(permission));
        if tenant.policies.is_empty() {
            return if by_role { Reason::Role } else { Reason::Nothing };
        }
        let (resource, action) = permission.split_once('.').unwrap_or((permission, ""));
        tenant.judge(resource, action, facts(), by_role)
    }

    /// Whether they hold everything that the pattern stands for, for as long as it may be: see [`held`](Self::held).
    pub fn holds(&self, pattern: &PermissionPattern) -> bool {
        self.held(pattern) != Held::Not
    }

    /// Until when they hold everything that the pattern stands for, so that they can give it to others: by their roles
    /// alone, because what a policy allows is allowed in its circumstances only. A client holds what its scopes name. Whoever
    /// acts in the name of somebody else gives nothing of theirs away: else it would stay when the acting has ended.
    pub fn held(&self, pattern: &PermissionPattern) -> Held {
        if self.0.principal.actor.is_some() {
            return Held::Not;
        }
        let is_in_scope = || self.scope_permissions().covers(pattern);
        match &self.0.subject {
            Some(_) if !self.0.principal.scopes.contains("api") && !is_in_scope() => Held::Not,
            Some(subject) => subject.held(pattern),
            None if is_in_scope() => Held::ForGood,
            None => Held::Not,
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
        self.known().clone()
    }

    /// The same, found out once for a request.
    pub(super) fn known(&self) -> &Facts {
        let Surroundings { slots, now, .. } = &self.0.surroundings;
        self.0.facts.get_or_init(|| slots.facts(*now, &self.who(), self.tenant()))
    }

    /// What was decided about single things.
    pub(super) fn told(&self) -> &Told {
        &self.0.told
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
            tenant: Some(self.tenant_name()),
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
