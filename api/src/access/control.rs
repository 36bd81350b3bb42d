//! What is remembered of who may do what, and for how long.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;
use serde_json::Value;
use tenantry_db::{Db, DbError, TenantScope};
use tenantry_types::{Clock, DomainName, PolicyId, TenantId, UserId, UtcTime};

use super::AccessError;
use super::authority::{Authority, Surroundings};
use super::facts::CommonSlots;
use super::judge::Who;
use super::kinds::{Kinds, Known};
use super::permissions::PermissionPattern;
use super::policy::{Assignment, Effect, Facts, Limit, Policy, PolicySet, limit};
use super::store::{self, PolicyRows};
use super::subject::{SubjectAccess, SubjectRows};
use super::tenant::{TenantAccess, TenantRows};
use crate::authn::{AuthnError, Principal, Subject, Tenant, TenantStatus};
use crate::revocations::{Revocations, TokenFacts};
use crate::signals::{Signal, SignalKind, Signals};

/// What is remembered is looked at again after this time in any case.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// Tenants that are remembered.
const MOST_TENANTS: u64 = 10_000;
/// Users that are remembered.
const MOST_SUBJECTS: u64 = 100_000;

/// Makes room for somebody who calls for the first time.
pub trait Newcomers: fmt::Debug + Send + Sync {
    /// Gives the principal a row in the directory of their tenant, with the roles that their token names. A repeat
    /// changes nothing.
    fn learn<'a>(&'a self, principal: &'a Principal) -> Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>>;
}

/// Who may do what, in every tenant. Clones share what is remembered.
#[derive(Debug, Clone)]
pub struct AccessControl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    signals: Signals,
    revocations: Revocations,
    kinds: Arc<Kinds>,
    built_in: BTreeSet<&'static str>,
    slots: CommonSlots,
    newcomers: Arc<dyn Newcomers>,
    tenants: Cache<TenantId, Arc<TenantAccess>>,
    subjects: Cache<(TenantId, UserId), Arc<SubjectAccess>>,
    /// Whose a host is; `None` for nobody's.
    hosts: Cache<String, Option<TenantId>>,
    /// Counts what was forgotten, so that nothing is remembered that was read before.
    forgotten: AtomicU64,
}

impl AccessControl {
    /// Reads from `db`; forgets what `signals` tell of.
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        signals: Signals,
        revocations: Revocations,
        kinds: Arc<Kinds>,
        built_in: BTreeSet<&'static str>,
        newcomers: Arc<dyn Newcomers>,
    ) -> Self {
        let tenants = Cache::builder().max_capacity(MOST_TENANTS).time_to_live(REMEMBERED_FOR).build();
        let subjects = Cache::builder().max_capacity(MOST_SUBJECTS).time_to_live(REMEMBERED_FOR).build();
        let hosts = Cache::builder().max_capacity(MOST_TENANTS).time_to_live(REMEMBERED_FOR).build();
        let forgotten = AtomicU64::new(0);
        Self(Arc::new(Inner {
            db,
            clock,
            signals,
            revocations,
            kinds,
            built_in,
            slots: CommonSlots::new(),
            newcomers,
            tenants,
            subjects,
            hosts,
            forgotten,
        }))
    }

    /// The permissions that routes of this service ask for.
    pub fn built_in(&self) -> &BTreeSet<&'static str> {
        &self.0.built_in
    }

    /// Whether a pattern stands for something that this service knows: a permission that a route asks for, or what can be
    /// done to a kind of resource of the catalogue.
    pub fn knows(&self, pattern: &PermissionPattern) -> bool {
        let Inner { kinds, built_in, .. } = &*self.0;
        let catalogue = kinds.catalogue();
        match pattern {
            PermissionPattern::All => true,
            PermissionPattern::Resource(resource) => {
                let prefix = format!("{resource}.");
                built_in.iter().any(|name| name.starts_with(&prefix)) || catalogue.schema(Some(resource)).is_some()
            }
            PermissionPattern::One(resource, action) => {
                built_in.contains(format!("{resource}.{action}").as_str()) || catalogue.has(resource, action)
            }
        }
    }

    /// Forgets what a signal tells of; everything for `None`.
    pub fn forget(&self, signal: Option<&Signal>) {
        self.0.forgotten.fetch_add(1, Ordering::AcqRel);
        match signal {
            None => {
                self.0.tenants.invalidate_all();
                self.0.subjects.invalidate_all();
                self.0.hosts.invalidate_all();
            }
            Some(Signal { tenant_id, kind: kind @ (SignalKind::Access | SignalKind::Tenant), .. }) => {
                if *kind == SignalKind::Tenant {
                    self.0.hosts.invalidate_all();
                }
                // What is remembered of its users was made of this, and counts no more either.
                self.0.tenants.invalidate(tenant_id);
            }
            Some(Signal { tenant_id, kind: SignalKind::Subject | SignalKind::Revocation, subject }) => {
                if let Some(user) = subject.as_deref().and_then(|subject| subject.parse().ok()) {
                    self.0.subjects.invalidate(&(*tenant_id, user));
                }
            }
        }
    }

    /// Whether a request of this tenant may come to this host: not where the host is another tenant's.
    ///
    /// # Errors
    /// [`AccessError::OtherTenantsHost`], [`AccessError::Database`].
    pub async fn check_host(&self, host: &str, tenant: &Tenant) -> Result<(), AccessError> {
        // Nobody can have verified what is no domain name: `localhost`, an address.
        if host.parse::<DomainName>().is_err() {
            return Ok(());
        }
        match self.0.owner(host).await? {
            Some(owner) if owner != tenant.id => Err(AccessError::OtherTenantsHost),
            _ => Ok(()),
        }
    }

    /// What the principal may do, who calls from `address`.
    ///
    /// # Errors
    /// [`AccessError::Authn`] for somebody who may do nothing any more, [`AccessError::Database`].
    pub async fn authority(&self, principal: &Principal, address: Option<IpAddr>) -> Result<Authority, AccessError> {
        // Before anything else: somebody whose account is gone must not be learned anew from a token of before.
        if self.0.revocations.covers(facts_of(principal)).await? {
            return Err(AuthnError::Revoked.into());
        }
        let scope = principal.scope();
        let tenant = self.0.tenant(scope).await?;
        let status = tenant.status(&principal.tenant);
        if status != TenantStatus::Active {
            return Err(AccessError::TenantNotActive(status));
        }
        let subject = match &principal.subject {
            Subject::Client(_) => None,
            Subject::User(user) => {
                let known = self.0.subject(scope, *user, Arc::clone(&tenant), Some(principal)).await?;
                Some(known.ok_or(AuthnError::Revoked)?)
            }
        };
        if subject.as_ref().is_some_and(|subject| !subject.is_active) {
            return Err(AuthnError::Revoked.into());
        }
        if let Some(Subject::User(actor)) = &principal.actor {
            self.check_actor(scope, *actor, principal, &tenant).await?;
        }
        let surroundings = Surroundings { slots: self.0.slots, address, now: self.0.clock.now() };
        Ok(Authority::new(principal.clone(), tenant, subject, surroundings))
    }
}

impl AccessControl {
    /// Somebody who was switched off acts for nobody, and neither does somebody whom the tenant does not know.
    async fn check_actor(
        &self,
        scope: TenantScope,
        actor: UserId,
        principal: &Principal,
        tenant: &Arc<TenantAccess>,
    ) -> Result<(), AccessError> {
        let facts = TokenFacts { user: Some(actor), ..facts_of(principal) };
        let known = self.0.subject(scope, actor, Arc::clone(tenant), None).await?;
        let is_active = known.is_some_and(|known| known.is_active);
        if is_active && !self.0.revocations.covers(facts).await? { Ok(()) } else { Err(AuthnError::Revoked.into()) }
    }

    /// What is known of a person of the tenant; `None` for somebody whom it has never seen.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn subject(&self, scope: TenantScope, user: UserId) -> Result<Option<Arc<SubjectAccess>>, DbError> {
        let tenant = self.0.tenant(scope).await?;
        self.0.subject(scope, user, tenant, None).await
    }

    /// What a tenant has said about access.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn tenant(&self, scope: TenantScope) -> Result<Arc<TenantAccess>, DbError> {
        self.0.tenant(scope).await
    }

    /// What is known of the things of a kind with these ids; nothing of a kind that is not kept here.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn known_of(&self, scope: TenantScope, resource: &str, ids: Vec<String>) -> Result<Known, DbError> {
        let Some((kept, _)) = self.0.kinds.kept(resource) else { return Ok(Vec::new()) };
        let (load, now) = (kept.load, self.0.clock.now());
        self.0.db.read(move |conn| load(conn, scope, now, &ids)).await
    }

    /// What is known of somebody at a time, for the conditions of policies.
    pub fn facts(&self, now: UtcTime, who: &Who, tenant: &TenantAccess) -> Facts {
        self.0.slots.facts(now, who, tenant)
    }
}

impl Inner {
    /// Whose a host is.
    async fn owner(&self, host: &str) -> Result<Option<TenantId>, DbError> {
        if self.signals.is_current()
            && let Some(owner) = self.hosts.get(host)
        {
            return Ok(owner);
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let wanted = host.to_owned();
        let owner = self.db.read(move |conn| store::tenant_of_host(conn, &wanted)).await?;
        self.hosts.insert(host.to_owned(), owner);
        if self.forgotten.load(Ordering::Acquire) != before {
            self.hosts.invalidate(host);
        }
        Ok(owner)
    }

    async fn tenant(&self, scope: TenantScope) -> Result<Arc<TenantAccess>, DbError> {
        let id = scope.tenant_id();
        if self.signals.is_current()
            && let Some(tenant) = self.tenants.get(&id)
        {
            return Ok(tenant);
        }
        let before = self.forgotten.load(Ordering::Acquire);
        let load = self
            .db
            .read(move |conn| Ok::<_, DbError>((store::load_tenant(conn, scope)?, store::load_policies(conn, scope)?)));
        let (rows, policies) = load.await?;
        let kinds = self.kinds_of(&rows, &policies);
        let mut tenant = TenantAccess::new(rows, kinds);
        tenant.policy_ids = policies.policies.iter().map(|row| (row.name.as_str().into(), row.id)).collect();
        tenant.policies = compile(&tenant, policies);
        let tenant = Arc::new(tenant);
        self.tenants.insert(id, Arc::clone(&tenant));
        if self.forgotten.load(Ordering::Acquire) != before {
            self.tenants.invalidate(&id);
        }
        Ok(tenant)
    }

    /// What is remembered of a user and still so.
    fn known(&self, tenant: &Arc<TenantAccess>, user: UserId, scope: TenantScope) -> Option<Arc<SubjectAccess>> {
        let now = self.clock.now();
        let is_good = |known: &SubjectAccess| {
            Arc::ptr_eq(&known.tenant, tenant) && known.valid_until.is_none_or(|until| now < until)
        };
        let known = self.subjects.get(&(scope.tenant_id(), user)).filter(|known| is_good(known));
        known.filter(|_| self.signals.is_current())
    }

    /// What is known of a user. A newcomer is made room for; `None` for somebody else whom nobody has seen.
    async fn subject(
        &self,
        scope: TenantScope,
        user: UserId,
        mut tenant: Arc<TenantAccess>,
        newcomer: Option<&Principal>,
    ) -> Result<Option<Arc<SubjectAccess>>, DbError> {
        if let Some(known) = self.known(&tenant, user, scope) {
            return Ok(Some(known));
        }
        let (key, now) = ((scope.tenant_id(), user), self.clock.now());
        let before = self.forgotten.load(Ordering::Acquire);
        let mut rows = self.db.read(move |conn| store::load_subject(conn, scope, user)).await?;
        match newcomer {
            Some(principal) if is_new(&rows, principal) => {
                self.newcomers.learn(principal).await?;
                rows = self.db.read(move |conn| store::load_subject(conn, scope, user)).await?;
            }
            None if rows.status.is_none() => return Ok(None),
            _ => {}
        }
        if !tenant.knows(&rows) {
            // A role or a group that was made between the two looks: the first of a tenant brings its roles with them.
            self.tenants.invalidate(&key.0);
            tenant = self.tenant(scope).await?;
        }
        let subject = Arc::new(SubjectAccess::new(tenant, &rows, now));
        self.subjects.insert(key, Arc::clone(&subject));
        if self.forgotten.load(Ordering::Acquire) != before {
            self.subjects.invalidate(&key);
        }
        Ok(Some(subject))
    }

    /// What the policies of a tenant can speak of.
    fn kinds_of(&self, tenant: &TenantRows, rows: &PolicyRows) -> Arc<Kinds> {
        let limits: Vec<Limit> =
            tenant.limits.iter().filter_map(|(name, value)| limit(name, value).ok()).map(|(limit, _)| limit).collect();
        if rows.permissions.is_empty() && limits.is_empty() {
            return Arc::clone(&self.kinds);
        }
        let added = rows.permissions.iter().map(|(resource, action)| (resource.as_str(), action.as_str()));
        let kinds = self.kinds.with(added);
        Arc::new(if limits.is_empty() { kinds } else { kinds.with_limits(&limits) })
    }
}

/// The policies, compiled. They were checked when they were saved; one that does not fit any more, because an
/// attribute is gone, denies what it speaks of if it is a deny, and is left out if it is an allow.
fn compile(tenant: &TenantAccess, rows: PolicyRows) -> PolicySet {
    let catalogue = tenant.kinds.catalogue();
    let mut assignments: HashMap<PolicyId, Vec<Assignment>> = HashMap::new();
    for (policy, kind, id) in &rows.assignments {
        // One to a role or a group that is gone stays, and reaches nobody: the policy does not come to be for everyone.
        assignments.entry(*policy).or_default().extend(tenant.assignment(kind, id));
    }
    let compiled = rows.policies.into_iter().filter_map(|row| {
        let assigned = assignments.remove(&row.id).unwrap_or_else(|| vec![Assignment::Everyone]);
        let document = row.document();
        let errors = match Policy::parse(catalogue, document.clone()) {
            Ok(policy) => return Some((policy, assigned)),
            Err(errors) => errors,
        };
        tracing::warn!(policy = %row.id, ?errors, "a policy does not fit the attributes of today");
        let always = Policy::parse(catalogue, without_conditions(document)).ok();
        always.filter(|policy| policy.effect == Effect::Deny).map(|policy| (policy, assigned))
    });
    PolicySet::assigned(compiled)
}

/// What says whether the token of this principal is revoked.
fn facts_of(principal: &Principal) -> TokenFacts {
    TokenFacts {
        tenant_id: principal.tenant.id,
        user: match principal.subject {
            Subject::User(id) => Some(id),
            Subject::Client(_) => None,
        },
        session: principal.session_id,
        issued_at: principal.issued_at,
    }
}

fn without_conditions(mut document: Value) -> Value {
    if let Some(rules) = document.get_mut("rules").and_then(Value::as_object_mut) {
        rules.remove("conditions");
    }
    document
}

/// Whether they were never seen, or their roles were given nowhere yet and their token names some.
fn is_new(rows: &SubjectRows, principal: &Principal) -> bool {
    rows.status.is_none() || (!rows.is_managed && rows.roles.is_empty() && !principal.roles.is_empty())
}
