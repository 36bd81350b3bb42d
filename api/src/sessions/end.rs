//! Ending sessions: at the identity provider, and then here.

use serde_json::{Value, json};
use tenantry_types::{SessionId, UserId};

use super::error::SessionError;
use super::kind;
use super::routes::REVOKE;
use crate::access::policy::Value as PolicyValue;
use crate::access::{Attributes, Authority};
use crate::audit::Changes;
use crate::authn::Subject;
use crate::change::{Change, Work};
use crate::idempotency::{self, Answer, Begun, Once};
use crate::idp::{ManagementClient, ManagementError, SessionRecord};
use crate::revocations::Revoked;
use crate::state::Api;

/// Who asks for it, and with what it is done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) change: &'a Change,
    pub(super) authority: &'a Authority,
    pub(super) api: &'a Api,
    pub(super) management: &'a ManagementClient,
}

/// What is ended, as it is told in the audit trail.
#[derive(Debug, Clone)]
struct Ended {
    whose: Revoked,
    target_kind: &'static str,
    target_id: String,
    before: Value,
}

impl Ending<'_> {
    /// Ends one session, for somebody who may end this one.
    pub(super) async fn one(self, id: SessionId) -> Result<Answer, SessionError> {
        let tenant = self.change.principal.tenant.id;
        let found = self.management.session(tenant, id).await?;
        let (caller, current) = (self.authority.clone(), self.change.principal.session_id);
        let check = move |work: &mut Work<'_>| {
            let session = found.clone().ok_or(SessionError::NotFound)?;
            check(work, &caller, session.user_id, kind::attributes(&session, current))?;
            Ok(of_session(&session))
        };
        self.run(check, self.management.end_session(tenant, id)).await
    }

    /// Ends one session of the caller's own.
    pub(super) async fn own(self, user: UserId, id: SessionId) -> Result<Answer, SessionError> {
        let tenant = self.change.principal.tenant.id;
        let found = self.management.session(tenant, id).await?.filter(|session| session.user_id == user);
        let check = move |_: &mut Work<'_>| found.as_ref().map(of_session).ok_or(SessionError::NotFound);
        self.run(check, self.management.end_session(tenant, id)).await
    }

    /// Ends all sessions of somebody, for somebody who may end whatever session of theirs.
    pub(super) async fn all_of(self, user: UserId) -> Result<Answer, SessionError> {
        let tenant = self.change.principal.tenant.id;
        let caller = self.authority.clone();
        let check = move |work: &mut Work<'_>| {
            check(work, &caller, user, vec![("session.user_id", PolicyValue::text(user.as_str()))])?;
            if caller.subject_of(work.conn, user)?.is_none() {
                return Err(SessionError::NoSuchUser);
            }
            let before = json!({ "sessions": "all" });
            Ok(Ended { whose: Revoked::User(user), target_kind: "account", target_id: user.to_string(), before })
        };
        self.run(check, self.management.end_sessions_of(tenant, user)).await
    }

    /// Checks what is to be checked and takes the key of the request; asks the identity provider; refuses what was issued
    /// until now and keeps the answer. What the identity provider did and nobody could keep here it tells of again, by a
    /// security event.
    async fn run<F>(
        self,
        mut check: F,
        ask: impl Future<Output = Result<(), ManagementError>>,
    ) -> Result<Answer, SessionError>
    where
        F: FnMut(&mut Work<'_>) -> Result<Ended, SessionError> + Send + 'static,
    {
        let once = self.change.once(self.api, &Value::Null);
        let key = once.clone();
        let begin = move |work: &mut Work<'_>| match idempotency::begin::<SessionError>(
            work.conn, work.scope, work.clock, &key,
        )? {
            Begun::Repeat(answer) => Ok(Err(answer)),
            Begun::First | Begun::Again(_) => check(work).map(Ok),
        };
        let ended = match self.change.step::<_, SessionError, _>(self.api, begin).await? {
            Ok(ended) => ended,
            Err(repeated) => return Ok(repeated),
        };
        if let Err(error) = ask.await {
            self.give_up(once).await;
            return Err(error.into());
        }
        let finish = move |work: &mut Work<'_>| {
            work.revoke(ended.whose)?;
            let changes = Changes::between(&ended.before, &json!({}));
            work.record(REVOKE.as_str(), ended.target_kind, ended.target_id.clone(), changes)?;
            let answer = Answer::no_content();
            idempotency::complete(work.conn, work.scope, &once, &answer)?;
            Ok::<_, SessionError>(answer)
        };
        self.change.step(self.api, finish).await
    }

    /// Gives the key back, because nothing was answered.
    async fn give_up(self, once: Once) {
        let give_up = move |work: &mut Work<'_>| Ok(idempotency::abandon(work.conn, work.scope, &once)?);
        if let Err(failure) = self.change.step::<_, SessionError, _>(self.api, give_up).await {
            tracing::warn!(error = %failure, "the key of a request that came to nothing is held for a while");
        }
    }
}

fn of_session(session: &SessionRecord) -> Ended {
    let before = json!({
        "user_id": session.user_id, "authenticated_at": session.authenticated_at, "address": session.address,
        "user_agent": session.user_agent,
    });
    Ended { whose: Revoked::Session(session.id), target_kind: "session", target_id: session.id.to_string(), before }
}

/// Whether the caller, by what stands in the database now, may end it: nobody ends a session of somebody who holds what
/// they do not hold themselves. Who was never here holds nothing here.
fn check(work: &mut Work<'_>, caller: &Authority, user: UserId, known: Attributes) -> Result<(), SessionError> {
    let caller = caller.renewed(work.conn)?;
    caller.check(REVOKE, known)?;
    let is_self = matches!(work.principal.subject, Subject::User(id) if id == user);
    match caller.subject_of(work.conn, user)? {
        Some(held) if !is_self && !caller.holds_all(&held.permissions) => Err(SessionError::HoldsMore),
        _ => Ok(()),
    }
}
