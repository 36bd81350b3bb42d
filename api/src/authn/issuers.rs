//! The issuers of the identity provider: whose they are, and with which keys they sign.
//!
//! An issuer is looked up when its first token comes. Its keys are asked for again when they are old, in the background,
//! and when a token names a key that is not among them, within a limit. When the provider cannot be reached, what is
//! known stays good.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use parking_lot::RwLock;
use tenantry_db::Db;
use tenantry_jose::KeySet;
use tenantry_types::{Clock, DomainName, Origin, TenantId, UtcTime};

use super::rate_limit::RateLimit;
use super::store::{self, Named};
use super::{Tenant, TenantStatus};
use crate::idp::{IdpClient, IdpError, IssuerTenant};

/// Issuers that are remembered, and as many that are known not to exist.
const CAPACITY: u64 = 10_000;

/// How long an issuer that nobody uses is remembered.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// Origins of a tenant that are remembered, and of all together.
const MOST_ORIGINS_OF_A_TENANT: usize = 200;
const MOST_ORIGINS: u64 = 100_000;

/// How long it is believed that an issuer does not exist.
const UNKNOWN_FOR: Duration = Duration::from_secs(60);

/// An issuer with its tenant and keys, as of one moment.
#[derive(Debug)]
pub struct Issuer {
    /// The issuer identifier.
    pub url: String,
    /// Whose it is.
    pub tenant: Arc<Tenant>,
    /// The public keys it signs with.
    pub keys: KeySet,
    fetched_at: UtcTime,
}

/// Why an issuer is not to be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IssuerError {
    /// The identity provider has no such issuer.
    #[error("there is no such issuer")]
    Unknown,
    /// Nothing is known of it, and nothing can be learned now.
    #[error(transparent)]
    Unavailable(#[from] IdpError),
    /// Too many issuers that were not seen before.
    #[error("too many unknown issuers")]
    TooMany,
}

/// All issuers that were seen. Clones share them.
#[derive(Clone)]
pub struct Issuers(Arc<Inner>);

struct Inner {
    idp: IdpClient,
    db: Db,
    clock: Arc<dyn Clock>,
    fresh_for: Duration,
    known: Cache<String, Arc<Entry>>,
    unknown: Cache<String, UtcTime>,
    /// The origins of the clients of each tenant.
    origins_of: Cache<TenantId, Arc<HashSet<String>>>,
    /// Those of all tenants. What a tenant gives up stays for a while: it opens nothing of anybody's.
    origins: Cache<String, ()>,
    /// Over all issuers together: strangers can name as many as they like.
    lookups: RateLimit,
    /// Over those of tenants that are kept here, of which there are only so many: after a start they all come at once.
    lookups_of_kept: RateLimit,
}

struct Entry {
    current: RwLock<Arc<Issuer>>,
    /// Held while the keys are asked for, so that it is done once.
    fetching: tokio::sync::Mutex<()>,
    fetches: RateLimit,
}

impl Issuers {
    /// The issuers of a provider, of which the tenants in `db` are kept here. Keys are asked for again after `fresh_for`.
    pub fn new(idp: IdpClient, db: Db, fresh_for: Duration, clock: Arc<dyn Clock>) -> Self {
        let lookups = RateLimit::new(50, Duration::from_millis(100), clock.now());
        let lookups_of_kept = RateLimit::new(1_000, Duration::from_millis(5), clock.now());
        let known = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        let unknown = Cache::builder().max_capacity(CAPACITY).time_to_live(UNKNOWN_FOR).build();
        let origins_of = Cache::builder().max_capacity(CAPACITY).time_to_idle(IDLE).build();
        let origins = Cache::builder().max_capacity(MOST_ORIGINS).time_to_live(IDLE).build();
        Self(Arc::new(Inner {
            idp,
            db,
            clock,
            fresh_for,
            known,
            unknown,
            origins_of,
            origins,
            lookups,
            lookups_of_kept,
        }))
    }

    /// Whether the clients of any tenant that was seen have this origin.
    pub fn is_origin_of_somebody(&self, origin: &str) -> bool {
        self.0.origins.contains_key(origin)
    }

    /// Whether the clients of this tenant have this origin.
    pub async fn is_origin_of(&self, origin: &str, tenant: TenantId) -> bool {
        self.0.origins_of.get(&tenant).await.is_some_and(|origins| origins.contains(origin))
    }

    /// The origins of the clients of each tenant that was seen: another set where they were asked for again.
    pub fn origins(&self) -> impl Iterator<Item = (TenantId, Arc<HashSet<String>>)> {
        self.0.origins_of.iter().map(|(tenant, origins)| (*tenant, origins))
    }

    /// The issuer of this name, from memory when it is known.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn find(&self, url: &str) -> Result<Arc<Issuer>, IssuerError> {
        let now = self.0.clock.now();
        if let Some(entry) = self.0.known.get(url).await {
            let issuer = entry.current();
            if now.since(issuer.fetched_at) >= self.0.fresh_for {
                self.refresh_in_background(entry, now);
            }
            return Ok(issuer);
        }
        let Some(named) = self.named(url) else { return Err(IssuerError::Unknown) };
        if self.0.unknown.get(url).await.is_some_and(|until| now < until) {
            return Err(IssuerError::Unknown);
        }
        // One look-up at a time for each issuer: whoever else asks meanwhile gets the same answer.
        let look_up = async {
            if !self.may_look_up(named, now).await {
                return Err(IssuerError::TooMany);
            }
            self.fetch(url).await.map(|issuer| Arc::new(Entry::new(issuer, now)))
        };
        match self.0.known.try_get_with_by_ref(url, look_up).await {
            Ok(entry) => Ok(entry.current()),
            Err(error) => {
                if matches!(*error, IssuerError::Unknown) {
                    self.0.unknown.insert(url.to_owned(), now + UNKNOWN_FOR).await;
                }
                Err((*error).clone())
            }
        }
    }

    /// The same, where it is not believed that the provider had no such issuer a moment ago: for what is lost if it is
    /// refused.
    ///
    /// # Errors
    /// [`IssuerError`].
    pub async fn find_anew(&self, url: &str) -> Result<Arc<Issuer>, IssuerError> {
        self.0.unknown.invalidate(url).await;
        self.find(url).await
    }

    /// The issuer with keys that are newer than these, because a token names one that is not among them.
    ///
    /// # Errors
    /// [`IssuerError::Unknown`] when the provider has it no more. When it cannot be asked, or was asked too often, what
    /// is known is the answer.
    pub async fn newer_than(&self, issuer: &Arc<Issuer>) -> Result<Arc<Issuer>, IssuerError> {
        match self.0.known.get(&issuer.url).await {
            Some(entry) => self.refresh(&entry, issuer).await,
            None => Ok(Arc::clone(issuer)),
        }
    }

    /// Whether tokens can be checked: keys of some issuer are there, or those of this one can be had.
    ///
    /// # Errors
    /// [`IdpError`].
    pub async fn check(&self, url: &str) -> Result<(), IdpError> {
        self.0.known.run_pending_tasks().await;
        if self.0.known.entry_count() > 0 {
            return Ok(());
        }
        self.0.idp.issuer(url).await.map(|_| ())
    }

    /// Only what can be an issuer is asked for: `{provider}/t/{slug}`, or a login domain.
    pub fn is_plausible(&self, url: &str) -> bool {
        self.named(url).is_some()
    }

    fn named(&self, url: &str) -> Option<Named> {
        if let Some(path) = url.strip_prefix(self.0.idp.public_url().as_str()) {
            return path.strip_prefix("/t/")?.parse().ok().map(Named::Slug);
        }
        let host = url.strip_prefix("https://")?;
        let name: DomainName = host.parse().ok()?;
        (name.as_str() == host).then_some(Named::Host(name))
    }

    /// Whether the provider may be asked for one more issuer. What strangers name does not hold up the tenants that are
    /// kept here.
    async fn may_look_up(&self, named: Named, now: UtcTime) -> bool {
        if self.0.lookups.take(now) {
            return true;
        }
        let is_kept = self.0.db.read(move |conn| store::is_kept(conn, &named)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether an issuer is that of a tenant that is kept here could not be found out");
            false
        });
        is_kept && self.0.lookups_of_kept.take(now)
    }

    fn refresh_in_background(&self, entry: Arc<Entry>, now: UtcTime) {
        if entry.fetching.try_lock().is_err() {
            return;
        }
        let this = self.clone();
        actix_web::rt::spawn(async move {
            let current = entry.current();
            if now.since(current.fetched_at) >= this.0.fresh_for {
                // What went wrong has been logged, and the keys that are there stay.
                let _ = this.refresh(&entry, &current).await;
            }
        });
    }

    async fn refresh(&self, entry: &Entry, seen: &Arc<Issuer>) -> Result<Arc<Issuer>, IssuerError> {
        let _alone = entry.fetching.lock().await;
        let current = entry.current();
        if !Arc::ptr_eq(&current, seen) || !entry.fetches.take(self.0.clock.now()) {
            return Ok(current);
        }
        match self.fetch(&seen.url).await {
            Ok(issuer) => {
                let issuer = Arc::new(issuer);
                *entry.current.write() = Arc::clone(&issuer);
                Ok(issuer)
            }
            Err(IssuerError::Unknown) => {
                tracing::info!(issuer = seen.url, "the identity provider has this issuer no more");
                self.0.unknown.insert(seen.url.clone(), self.0.clock.now() + UNKNOWN_FOR).await;
                self.0.known.invalidate(&seen.url).await;
                Err(IssuerError::Unknown)
            }
            Err(error) => {
                tracing::warn!(issuer = seen.url, %error, "the keys could not be refreshed; those that are known stay");
                Ok(current)
            }
        }
    }

    async fn fetch(&self, url: &str) -> Result<Issuer, IssuerError> {
        let record = self.0.idp.issuer(url).await?.ok_or(IssuerError::Unknown)?;
        let jwks =
            self.0.idp.get_json(&self.0.idp.jwks_uri(&record)).await?.ok_or(IdpError::Answer("there is no JWK Set"))?;
        let keys = KeySet::from_jwks(&jwks).map_err(|_| IdpError::Answer("the JWK Set is malformed"))?;
        let tenant = tenant_of(record.tenant)?;
        self.remember_origins(tenant.id, record.allowed_origins).await;
        let fetched_at = self.0.clock.now();
        tracing::debug!(issuer = url, keys = keys.len(), "the keys of an issuer were fetched");
        Ok(Issuer { url: url.to_owned(), tenant: Arc::new(tenant), keys, fetched_at })
    }

    /// Only what is an origin, in the one form in which browsers send it.
    async fn remember_origins(&self, tenant: TenantId, origins: Vec<String>) {
        let is_origin = |origin: &String| origin.parse::<Origin>().is_ok();
        let origins: HashSet<String> = origins.into_iter().filter(is_origin).take(MOST_ORIGINS_OF_A_TENANT).collect();
        for origin in &origins {
            self.0.origins.insert(origin.clone(), ()).await;
        }
        self.0.origins_of.insert(tenant, Arc::new(origins)).await;
    }
}

/// The tenant of an issuer record. A provider that says nothing of its status tells only of tenants in use.
fn tenant_of(record: IssuerTenant) -> Result<Tenant, IdpError> {
    let status = record.status.as_deref().unwrap_or(TenantStatus::Active.as_str()).parse();
    let status = status.map_err(|_| IdpError::Answer("the status of a tenant is not known"))?;
    let IssuerTenant { id, slug, name, is_platform, .. } = record;
    Ok(Tenant { id, slug, name, status, is_platform })
}

impl std::fmt::Debug for Issuers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuers").field("known", &self.0.known.entry_count()).finish_non_exhaustive()
    }
}

impl Entry {
    fn new(issuer: Issuer, now: UtcTime) -> Self {
        Self {
            current: RwLock::new(Arc::new(issuer)),
            fetching: tokio::sync::Mutex::new(()),
            fetches: RateLimit::new(3, Duration::from_secs(10), now),
        }
    }

    fn current(&self) -> Arc<Issuer> {
        Arc::clone(&self.current.read())
    }
}
