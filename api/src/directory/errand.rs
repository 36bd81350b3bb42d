//! Changes that the identity provider makes: noted here, asked for there, and then kept here.
//!
//! Between the two transactions the service may end. The note stays, and a worker finds out what became of it; a repeat of
//! the request under its key goes on where this one broke off, because it asks for the same under the same id.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tenantry_db::DbError;
use tenantry_types::UserId;

use super::derived::derived_id;
use super::doubts::{self, Owner};
use super::error::AccountError;
use super::provider::ProviderError;
use crate::change::{Change, Work};
use crate::idempotency::{self, Answer, Begun, Once};
use crate::state::Api;

/// How long somebody waits for whoever changes the same account: in between they look again.
const TURNS: [Duration; 5] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// One change to one account.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    change: Change,
    api: Api,
    once: Once,
    user: UserId,
    owner: Owner,
}

impl Errand {
    pub(super) fn new(change: &Change, api: &Api, once: Once, user: UserId) -> Self {
        let fresh = || Owner::new(&*api.clock, &*api.random);
        // A repeat under the same key is the same asker, who goes on.
        let owner = match &once {
            Once::Keyed { key, .. } => derived_id(&format!("{user}/{}", key.as_str())).unwrap_or_else(fresh),
            Once::Unkeyed => fresh(),
        };
        Self { change: change.clone(), api: api.clone(), once, user, owner }
    }

    /// Waits a moment while somebody else changes this account, so that what is checked next is what they leave.
    pub(super) async fn wait_for_turn(&self) -> Result<(), AccountError> {
        let (scope, user, owner) = (self.change.scope(), self.user, self.owner);
        for pause in TURNS {
            let now = self.api.clock.now();
            if !self.api.db.read(move |conn| doubts::is_held(conn, scope, user, owner, now)).await? {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Checks what is to be checked and notes what is about to be asked, which may end them (`may_end`); gives the answer
    /// where it was given before. The check gives what is there before the change; where a first attempt broke off, it gets
    /// what that one found, because the change may have been made since.
    pub(super) async fn begin<T, F>(&self, may_end: bool, mut check: F) -> Result<Started<T>, AccountError>
    where
        F: FnMut(&mut Work<'_>, Option<T>) -> Result<T, AccountError> + Send + 'static,
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let (once, user, owner) = (self.once.clone(), self.user, self.owner);
        let begin = move |work: &mut Work<'_>| {
            let first = match idempotency::begin::<AccountError>(work.conn, work.scope, work.clock, &once)? {
                Begun::Repeat(answer) => return Ok(Started::Repeat(answer)),
                Begun::Again(Some(found)) => serde_json::from_value(found).ok(),
                Begun::Again(None) | Begun::First => None,
            };
            let checked = check(work, first)?;
            if !doubts::raise(work.conn, work.scope, user, owner, may_end, work.clock.now())? {
                return Err(AccountError::UnderWay);
            }
            let found = serde_json::to_value(&checked).map_err(|error| DbError::Invalid(error.to_string()))?;
            idempotency::found(work.conn, work.scope, &once, found)?;
            Ok::<_, AccountError>(Started::First(checked))
        };
        self.change.step(&self.api, begin).await
    }

    /// Does what the identity provider is not asked for.
    pub(super) async fn at_once<F>(&self, mut act: F) -> Result<Answer, AccountError>
    where
        F: FnMut(&mut Work<'_>) -> Result<Answer, AccountError> + Send + 'static,
    {
        let (once, user, owner) = (self.once.clone(), self.user, self.owner);
        let act = move |work: &mut Work<'_>| {
            if let Begun::Repeat(answer) = idempotency::begin::<AccountError>(work.conn, work.scope, work.clock, &once)?
            {
                return Ok(answer);
            }
            if doubts::is_held(work.conn, work.scope, user, owner, work.clock.now())? {
                return Err(AccountError::UnderWay);
            }
            let answer = act(work)?;
            idempotency::complete(work.conn, work.scope, &once, &answer)?;
            Ok::<_, AccountError>(answer)
        };
        self.change.step(&self.api, act).await
    }

    /// Keeps what the identity provider has done, with the answer. A repeat that was faster has kept it already.
    pub(super) async fn finish<F>(&self, mut keep: F) -> Result<Answer, AccountError>
    where
        F: FnMut(&mut Work<'_>) -> Result<Answer, AccountError> + Send + 'static,
    {
        let (once, user, owner) = (self.once.clone(), self.user, self.owner);
        let finish = move |work: &mut Work<'_>| {
            if let Some(answer) = idempotency::answered(work.conn, work.scope, &once)? {
                return Ok(answer);
            }
            let answer = keep(work)?;
            doubts::settle(work.conn, work.scope, user, owner, work.clock.now())?;
            idempotency::complete(work.conn, work.scope, &once, &answer)?;
            Ok::<_, AccountError>(answer)
        };
        self.change.step(&self.api, finish).await
    }

    /// Gives the key back, because nothing was answered. What was refused was not done; of what was not answered it is not
    /// known: the worker finds out, and a repeat goes on with it.
    pub(super) async fn give_up(&self, error: ProviderError) -> AccountError {
        let (once, user, owner) = (self.once.clone(), self.user, self.owner);
        let refused = matches!(error, ProviderError::Refused(_));
        let give_up = move |work: &mut Work<'_>| {
            if refused {
                idempotency::abandon(work.conn, work.scope, &once)?;
                doubts::settle(work.conn, work.scope, user, owner, work.clock.now())?;
            } else {
                idempotency::release(work.conn, work.scope, work.clock, &once)?;
                doubts::hurry(work.conn, work.scope, user, owner, work.clock.now())?;
            }
            Ok::<_, AccountError>(())
        };
        if let Err(failure) = self.change.step(&self.api, give_up).await {
            tracing::warn!(error = %failure, "the key of a request that came to nothing is held for a while");
        }
        error.into()
    }
}

/// Whether there is anything to do.
#[derive(Debug)]
pub(super) enum Started<T> {
    /// There is.
    First(T),
    /// It was done before: this is the answer.
    Repeat(Answer),
}
