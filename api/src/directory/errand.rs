//! Changes that the identity provider makes: noted here, asked for there, and then kept here.
//!
//! Between the two transactions the service may end. The note stays, and a worker finds out what became of it; a repeat of
//! the request under its key goes on where this one broke off, because it asks for the same under the same id.

use tenantry_types::UserId;

use super::doubts;
use super::error::AccountError;
use super::provider::ProviderError;
use crate::change::{Change, Work};
use crate::idempotency::{self, Answer, Begun, Once};
use crate::state::Api;

/// One change to one account.
#[derive(Debug, Clone)]
pub(super) struct Errand {
    change: Change,
    api: Api,
    once: Once,
    user: UserId,
}

impl Errand {
    pub(super) fn new(change: &Change, api: &Api, once: Once, user: UserId) -> Self {
        Self { change: change.clone(), api: api.clone(), once, user }
    }

    /// Checks what is to be checked and notes what is about to be asked; gives the answer where it was given before.
    pub(super) async fn begin<T, F>(&self, mut check: F) -> Result<Started<T>, AccountError>
    where
        F: FnMut(&mut Work<'_>) -> Result<T, AccountError> + Send + 'static,
        T: Send + 'static,
    {
        let (once, user) = (self.once.clone(), self.user);
        let begin = move |work: &mut Work<'_>| {
            if let Begun::Repeat(answer) = idempotency::begin::<AccountError>(work.conn, work.scope, work.clock, &once)?
            {
                return Ok(Started::Repeat(answer));
            }
            let checked = check(work)?;
            doubts::raise(work.conn, work.scope, user, work.clock.now())?;
            Ok::<_, AccountError>(Started::First(checked))
        };
        self.change.step(&self.api, begin).await
    }

    /// Keeps what the identity provider has done, with the answer.
    pub(super) async fn finish<F>(&self, mut keep: F) -> Result<Answer, AccountError>
    where
        F: FnMut(&mut Work<'_>) -> Result<Answer, AccountError> + Send + 'static,
    {
        let (once, user) = (self.once.clone(), self.user);
        let finish = move |work: &mut Work<'_>| {
            let answer = keep(work)?;
            doubts::settle(work.conn, work.scope, user)?;
            idempotency::complete(work.conn, work.scope, &once, &answer)?;
            Ok::<_, AccountError>(answer)
        };
        self.change.step(&self.api, finish).await
    }

    /// Gives the key back, because nothing was answered. What was refused was not done; of what was not answered it is not
    /// known, and the worker finds out.
    pub(super) async fn give_up(&self, error: ProviderError) -> AccountError {
        let (once, user, refused) = (self.once.clone(), self.user, matches!(error, ProviderError::Refused(_)));
        let give_up = move |work: &mut Work<'_>| {
            idempotency::abandon(work.conn, work.scope, &once)?;
            if refused {
                doubts::settle(work.conn, work.scope, user)?;
            } else {
                doubts::hurry(work.conn, work.scope, user, work.clock.now())?;
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
