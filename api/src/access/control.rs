//! What is remembered of who may do what, and for how long.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use moka::sync::Cache;
use tenantry_db::{Db, DbError, TenantScope};
use tenantry_types::{Clock, DomainName, TenantId, UserId, UtcTime};
use tokio::sync::Mutex;

use super::AccessError;
use super::absent::Absent;
use super::authority::{Authority, Surroundings};
use super::facts::CommonSlots;
use super::judge::Who;
use super::kinds::{Kinds, Known};
use super::loader::{self, Compiled};
use super::permissions::PermissionPattern;
use super::policy::Facts;
use super::store;
use super::subject::SubjectAccess;
use super::tenant::TenantAccess;
use crate::authn::{AuthnError, Principal, Subject, Tenant, TenantStatus};
use crate::revocations::{Revocations, TokenFacts};
use crate::signals::{Signal, SignalKind, Signals};

/// What is remembered is looked at again after this time in any case.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);
/// Tenants that are remembered.
const MOST_TENANTS: u64 = 10_000;
/// Users that are remembered.
const MOST_SUBJECTS: u64 = 100_000;

/// What was compiled of a tenant's policies is kept for so long after it was last used.
const COMPILED_FOR: Duration = Duration::from_secs(600);

/// Lets one at a time read what a tenant has said.
#[derive(Debug, Default)]
struct Flight(Mutex<Landed>);

/// What the last of them has read, and when it began to.
#[derive(Debug, Default)]
struct Landed {
    began: u64,
    tenant: Weak<TenantAccess>,
}

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
    absent: Absent,
    /// Whose a host is; `None` for nobody's.
    hosts: Cache<String, Option<TenantId>>,
    /// What was compiled of the policies of tenants, to be used again.
    compiled: Cache<TenantId, Arc<Compiled>>,
    /// Who reads what a tenant has said.
    flights: Cache<TenantId, Arc<Flight>>,
    /// Puts those who come and those who read in an order.
    ticks: AtomicU64,
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
        let compiled = Cache::builder().max_capacity(MOST_TENANTS).time_to_idle(COMPILED_FOR).build();
        let flights = Cache::builder().max_capacity(MOST_TENANTS).time_to_idle(COMPILED_FOR).build();
        // The first who comes is later than what nobody has read.
        let (ticks, forgotten) = (AtomicU64::new(1), AtomicU64::new(0));
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
            absent: Absent::new(),
            hosts,
            compiled,
            flights,
            ticks,
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
                self.0.absent.forget_all();
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
                    self.0.absent.forget(&(*tenant_id, user));
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

    /// Whether the tenant is in use now, for those of whom nothing more is known yet.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn status(&self, tenant: &Tenant) -> Result<TenantStatus, DbError> {
        let scope = TenantScope::system(tenant.id, "look whether a tenant is in use");
        let known = self.0.db.read(move |conn| store::status(conn, scope)).await?;
        Ok(known.unwrap_or(tenant.status))
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
        let clock = Arc::clone(&self.0.clock);
        let surroundings = Surroundings { slots: self.0.slots, address, now: clock.now(), clock };
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

    /// What is known of several people of the tenant, in one go; nothing of those whom it has never seen.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn subjects(
        &self,
        scope: TenantScope,
        people: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Arc<SubjectAccess>>, DbError> {
        let tenant = self.0.tenant(scope).await?;
        let (mut known, mut others) = (HashMap::new(), BTreeSet::new());
        for user in people {
            if let Some(subject) = self.0.known(&tenant, user, scope) {
                known.insert(user, subject);
            } else if !self.0.is_absent(scope, user) {
                others.insert(user);
            }
        }
        if others.is_empty() {
            return Ok(known);
        }
        let (asked, now): (Vec<UserId>, _) = (others.iter().copied().collect(), self.0.clock.now());
        let before = self.0.forgotten.load(Ordering::Acquire);
        let rows = self.0.db.read(move |conn| store::load_subjects(conn, scope, &asked)).await?;
        for user in others.into_iter().filter(|user| !rows.contains_key(user)) {
            self.0.note_absent(scope, user, before);
        }
        for (user, rows) in rows.into_iter().filter(|(_, rows)| rows.status.is_some()) {
            if tenant.knows(&rows) {
                known.insert(user, Arc::new(SubjectAccess::new(Arc::clone(&tenant), &rows, now)));
            } else {
                // They have something that was made a moment ago.
                known.extend(self.subject(scope, user).await?.map(|subject| (user, subject)));
            }
        }
        Ok(known)
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

    /// What a tenant has said. Of those who wait for it at the same time one reads it.
    async fn tenant(&self, scope: TenantScope) -> Result<Arc<TenantAccess>, DbError> {
        let id = scope.tenant_id();
        if self.signals.is_current()
            && let Some(tenant) = self.tenants.get(&id)
        {
            return Ok(tenant);
        }
        let came = self.ticks.fetch_add(1, Ordering::SeqCst);
        let flight = self.flights.get_with(id, Arc::default);
        let mut last = flight.0.lock().await;
        if let Some(tenant) = last.tenant.upgrade().filter(|_| last.began > came) {
            // Read by another, who began to after this one came.
            return Ok(tenant);
        }
        let began = self.ticks.fetch_add(1, Ordering::SeqCst);
        let before = self.forgotten.load(Ordering::Acquire);
        let compiled = self.compiled.get(&id).unwrap_or_else(|| Arc::new(Compiled::none(Arc::clone(&self.kinds))));
        let known = Arc::clone(&compiled);
        let fetched = self.db.read(move |conn| loader::fetch(conn, scope, &known)).await?;
        let built = tokio::task::spawn_blocking(move || loader::build(fetched, &compiled)).await;
        let tenant = Arc::new(built.map_err(|error| DbError::Panicked(error.to_string()))?);
        self.compiled.insert(id, Arc::clone(&tenant.compiled));
        self.tenants.insert(id, Arc::clone(&tenant));
        if self.forgotten.load(Ordering::Acquire) != before {
            self.tenants.invalidate(&id);
        }
        *last = Landed { began, tenant: Arc::downgrade(&tenant) };
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

    /// Whether somebody was not there a moment ago, and is not now.
    fn is_absent(&self, scope: TenantScope, user: UserId) -> bool {
        self.absent.has(&(scope.tenant_id(), user)) && self.signals.is_current()
    }

    /// Notes that somebody was not there, by what was read when so much had been forgotten.
    fn note_absent(&self, scope: TenantScope, user: UserId, before: u64) {
        self.absent.remember((scope.tenant_id(), user), || self.forgotten.load(Ordering::Acquire) == before);
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
        if newcomer.is_none() && self.is_absent(scope, user) {
            return Ok(None);
        }
        let (key, now) = ((scope.tenant_id(), user), self.clock.now());
        let before = self.forgotten.load(Ordering::Acquire);
        let mut rows = self.db.read(move |conn| store::load_subject(conn, scope, user)).await?;
        match newcomer {
            Some(principal) if rows.is_new(principal, &tenant) => {
                self.newcomers.learn(principal).await?;
                rows = self.db.read(move |conn| store::load_subject(conn, scope, user)).await?;
            }
            None if rows.status.is_none() => {
                self.note_absent(scope, user, before);
                return Ok(None);
            }
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
}

/// What says whether the token of this principal is revoked.
pub(super) fn facts_of(principal: &Principal) -> TokenFacts {
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
