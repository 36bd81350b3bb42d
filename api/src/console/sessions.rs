//! Who is signed in: beginning, finding, renewing and ending sessions.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_db::DbError;
use tenantry_jose::{Keyring, SealedJson};
use tenantry_types::{ConsoleSessionId, Sha256Hash, random_token};
use tokio::sync::Mutex;

use super::ConsoleError;
use super::model::{Session, Tokens, tokens_purpose};
use super::relying_party::{Granted, RelyingParty, Renewal};
use super::store;
use crate::authn::Principal;
use crate::change::keep_tenant;
use crate::state::Api;

/// The use of a session is noted this often.
const TOUCHED_EVERY: Duration = Duration::from_secs(60);

/// The sessions of the console.
#[derive(Clone)]
pub(super) struct Sessions {
    api: Api,
    keyring: Keyring,
    relying_party: Arc<RelyingParty>,
    pub(super) idle: Duration,
    pub(super) absolute: Duration,
    /// Held while the tokens of a session are renewed here, so that it is done once. Another replica that renews at the
    /// same time gets the same tokens from the provider.
    renewing: Cache<ConsoleSessionId, Arc<Mutex<()>>>,
}

/// A session with its tokens open.
pub(super) struct SignedIn {
    pub(super) session: Session,
    pub(super) tokens: Tokens,
}

impl Sessions {
    pub(super) fn new(
        api: Api,
        keyring: Keyring,
        relying_party: Arc<RelyingParty>,
        idle: Duration,
        absolute: Duration,
    ) -> Self {
        let renewing = Cache::builder().max_capacity(10_000).time_to_idle(Duration::from_secs(60)).build();
        Self { api, keyring, relying_party, idle, absolute, renewing }
    }

    /// Begins a session, and ends the one that the browser had: its cookie is never that of another sign-in. Gives the
    /// new secret.
    pub(super) async fn begin(
        &self,
        principal: &Principal,
        issuer: &str,
        granted: &Granted,
        old_secret: Option<&str>,
    ) -> Result<SecretString, ConsoleError> {
        let secret = random_token(&*self.api.random);
        let now = self.api.clock.now();
        let id = ConsoleSessionId::new(&*self.api.clock, &*self.api.random);
        let session = Session {
            id,
            tenant_id: principal.tenant.id,
            issuer: issuer.to_owned(),
            subject: granted.subject.clone(),
            csrf_token: random_token(&*self.api.random).expose_secret().to_owned(),
            tokens: self.sealed(id).seal(&granted.tokens)?,
            last_used_at: now,
            expires_at: now + self.absolute,
        };
        let hash = Sha256Hash::of(secret.expose_secret());
        let old_hash = old_secret.map(Sha256Hash::of);
        let (principal, clock) = (principal.clone(), Arc::clone(&self.api.clock));
        self.api
            .db
            .write(move |conn| {
                keep_tenant(conn, &*clock, &principal.tenant)?;
                store::prune(conn, now)?;
                if let Some(old) = &old_hash {
                    store::delete_by_secret(conn, old)?;
                }
                store::insert(conn, principal.scope(), &hash, &session)
            })
            .await?;
        Ok(secret)
    }

    /// Who is signed in with this cookie, with tokens that are good for a while.
    pub(super) async fn find(&self, secret: &str) -> Result<Option<SignedIn>, ConsoleError> {
        let hash = Sha256Hash::of(secret);
        let found = self.api.db.read(move |conn| store::find_by_secret(conn, &hash)).await?;
        let Some(mut session) = found else { return Ok(None) };
        let now = self.api.clock.now();
        if now >= session.ends_at(self.idle) {
            self.end(&session).await?;
            return Ok(None);
        }
        if now.since(session.last_used_at) >= TOUCHED_EVERY {
            session.last_used_at = now;
            let (scope, id) = (session.scope(), session.id);
            self.api.db.write(move |conn| store::touch(conn, scope, id, now)).await?;
        }
        let tokens = self.open(&session)?;
        if tokens.are_stale(now) {
            return self.renewed(session).await;
        }
        Ok(Some(SignedIn { session, tokens }))
    }

    /// The session of this cookie as it is, with its ID token: for signing out.
    pub(super) async fn peek(&self, secret: &str) -> Result<Option<(Session, String)>, ConsoleError> {
        let hash = Sha256Hash::of(secret);
        let found = self.api.db.read(move |conn| store::find_by_secret(conn, &hash)).await?;
        found.map(|session| self.open(&session).map(|tokens| (session, tokens.id_token().to_owned()))).transpose()
    }

    /// The session with new tokens; `None` when the provider has ended it.
    pub(super) async fn renewed(&self, seen: Session) -> Result<Option<SignedIn>, ConsoleError> {
        let lock = self.renewing.get_with(seen.id, async { Arc::default() }).await;
        let _alone = lock.lock().await;
        let Some(current) = self.again(&seen).await? else { return Ok(None) };
        let tokens = self.open(&current)?;
        if current.tokens != seen.tokens && !tokens.are_stale(self.api.clock.now()) {
            return Ok(Some(SignedIn { session: current, tokens }));
        }
        match self.relying_party.renew(&current.issuer, &current.subject, &tokens).await? {
            Renewal::Ended => {
                self.end(&current).await?;
                Ok(None)
            }
            Renewal::Granted(granted) => self.keep(current, granted.tokens).await,
        }
    }

    /// Ends a session.
    pub(super) async fn end(&self, session: &Session) -> Result<(), DbError> {
        let (scope, id) = (session.scope(), session.id);
        self.api.db.write(move |conn| store::delete(conn, scope, id)).await
    }

    async fn keep(&self, seen: Session, tokens: Tokens) -> Result<Option<SignedIn>, ConsoleError> {
        let sealed = self.sealed(seen.id).seal(&tokens)?;
        let (row, text) = (seen.clone(), sealed.clone());
        if self.api.db.write(move |conn| store::replace_tokens(conn, row.scope(), &row, &text)).await? {
            return Ok(Some(SignedIn { session: Session { tokens: sealed, ..seen }, tokens }));
        }
        // Another replica was first, or the session was ended meanwhile.
        match self.again(&seen).await? {
            Some(session) => Ok(Some(SignedIn { tokens: self.open(&session)?, session })),
            None => Ok(None),
        }
    }

    async fn again(&self, session: &Session) -> Result<Option<Session>, DbError> {
        let (scope, id) = (session.scope(), session.id);
        self.api.db.read(move |conn| store::find(conn, scope, id)).await
    }

    fn open(&self, session: &Session) -> Result<Tokens, ConsoleError> {
        Ok(self.sealed(session.id).open(&session.tokens)?)
    }

    fn sealed(&self, id: ConsoleSessionId) -> SealedJson<Tokens> {
        SealedJson::new(self.keyring.clone(), tokens_purpose(id))
    }
}
