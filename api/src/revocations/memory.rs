//! What every replica knows by heart.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::RwLock;
use tenantry_db::{Connection, Db, DbError, TenantScope};
use tenantry_types::{Clock, SessionId, TenantId, UserId, UtcTime};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Revocation, Revoked, TokenFacts, store};
use crate::signals::{Signal, SignalKind, Signals};

/// How often all rows are looked at again, in case a signal was missed, and those that are over are deleted.
const EVERY: Duration = Duration::from_secs(60);
/// The most that is known by heart: about 60 MB. With more, every request asks the database.
const MOST: i64 = 500_000;

/// The revocations of all tenants. Clones share them.
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Arc<dyn Clock>,
    signals: Signals,
    known: RwLock<Known>,
    /// Whether all that counts is known.
    is_complete: AtomicBool,
    wanted: Notify,
}

#[derive(Default)]
struct Known {
    tenants: HashMap<TenantId, UtcTime>,
    users: HashMap<(TenantId, UserId), UtcTime>,
    sessions: HashMap<(TenantId, SessionId), UtcTime>,
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations").finish_non_exhaustive()
    }
}

impl Revocations {
    /// Knows nothing yet: see [`Self::load`].
    pub fn new(db: Db, clock: Arc<dyn Clock>, signals: Signals) -> Self {
        let (known, is_complete, wanted) = (RwLock::default(), AtomicBool::new(false), Notify::new());
        Self(Arc::new(Inner { db, clock, signals, known, is_complete, wanted }))
    }

    /// Learns what is in the database.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn load(&self) -> Result<(), DbError> {
        let now = self.0.clock.now();
        let rows = self.0.db.read(move |conn| store::current(conn, now, MOST)).await?;
        let is_complete = (rows.len() as u64) < MOST.unsigned_abs();
        let mut known = self.0.known.write();
        // What was heard of meanwhile stays: rows are never taken back before their time.
        known.forget_before(now);
        for revocation in &rows {
            known.note(revocation);
        }
        drop(known);
        self.0.is_complete.store(is_complete, Ordering::Release);
        if !is_complete {
            tracing::warn!(
                most = MOST,
                "there are more revocations than are kept in memory: every request asks for them"
            );
        }
        Ok(())
    }

    /// Notes what a signal tells of; `None` says that any may have been missed.
    pub fn hear(&self, signal: Option<&Signal>) {
        match signal {
            Some(Signal { tenant_id, kind: SignalKind::Revocation, subject: Some(note) }) => {
                if let Some(revocation) = Revocation::from_note(*tenant_id, note) {
                    self.0.known.write().note(&revocation);
                }
            }
            Some(_) => {}
            None => {
                self.0.is_complete.store(false, Ordering::Release);
                self.0.wanted.notify_one();
            }
        }
    }

    /// Whether a token is not good any more. From memory, unless it may have missed something.
    ///
    /// # Errors
    /// Those of the database, when it has to be asked.
    pub async fn covers(&self, token: TokenFacts) -> Result<bool, DbError> {
        if self.0.known.read().covers(&token) {
            return Ok(true);
        }
        if self.0.signals.is_current() && self.0.is_complete.load(Ordering::Acquire) {
            return Ok(false);
        }
        let scope = TenantScope::authenticated(token.tenant_id);
        self.0.db.read(move |conn| is_revoked(conn, scope, &token)).await
    }

    /// Begins to keep what is known up to date. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            loop {
                let was_asked = timeout(EVERY, this.0.wanted.notified()).await.is_ok();
                if let Err(error) = this.look_again().await {
                    tracing::warn!(%error, "revocations could not be read");
                    if was_asked {
                        // Asked again by whoever missed something, after a moment.
                        tokio::time::sleep(Duration::from_secs(1)).await;
                        this.0.wanted.notify_one();
                    }
                }
            }
        })
    }

    async fn look_again(&self) -> Result<(), DbError> {
        self.load().await?;
        let now = self.0.clock.now();
        self.0.db.write(move |conn| store::prune(conn, now)).await
    }
}

/// Whether a token is not good any more, by what stands in the database now.
pub fn is_revoked(conn: &mut Connection, scope: TenantScope, token: &TokenFacts) -> Result<bool, DbError> {
    let mut known = Known::default();
    store::about(conn, scope, token)?.iter().for_each(|revocation| known.note(revocation));
    Ok(known.covers(token))
}

impl Known {
    fn note(&mut self, revocation: &Revocation) {
        let tenant = revocation.tenant_id;
        let known = match revocation.whose {
            Revoked::Tenant => self.tenants.entry(tenant).or_insert(revocation.not_before),
            Revoked::User(user) => self.users.entry((tenant, user)).or_insert(revocation.not_before),
            Revoked::Session(session) => self.sessions.entry((tenant, session)).or_insert(revocation.not_before),
        };
        *known = revocation.not_before.max(*known);
    }

    fn covers(&self, token: &TokenFacts) -> bool {
        let tenant = token.tenant_id;
        let is_over = |not_before: &UtcTime| token.issued_at <= *not_before;
        self.tenants.get(&tenant).is_some_and(is_over)
            || token.user.and_then(|user| self.users.get(&(tenant, user))).is_some_and(is_over)
            // A session that has ended issues nothing any more: the time does not matter.
            || token.session.is_some_and(|session| self.sessions.contains_key(&(tenant, session)))
    }

    /// Forgets what no token can be left of.
    fn forget_before(&mut self, now: UtcTime) {
        let counts = |tenant_id: TenantId, whose: Revoked, not_before: UtcTime| {
            Revocation { tenant_id, whose, not_before }.expires_at() > now
        };
        self.tenants.retain(|tenant, time| counts(*tenant, Revoked::Tenant, *time));
        self.users.retain(|(tenant, user), time| counts(*tenant, Revoked::User(*user), *time));
        self.sessions.retain(|(tenant, session), time| counts(*tenant, Revoked::Session(*session), *time));
    }
}
