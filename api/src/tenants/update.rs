//! Renaming a tenant, and switching it off and on.
//!
//! Switching off counts here first, and then at the identity provider; switching on the other way round. In between, the
//! tenant is switched off on at least one side, and nothing of it works.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tenantry_db::{Connection, DbError};
use tenantry_types::UtcTime;

use super::TenantError;
use super::model::{TenantName, TenantPatch};
use super::routes::{SET_STATUS, UPDATE};
use super::store::{self, TenantRow};
use super::tasks::{self, Author, Settled, Task, TaskKind, Tasks};
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::TenantStatus;
use crate::change::{Change, Work, lock_tenant};
use crate::idempotency::{self, Answer, Begun};
use crate::idp::{TenantChange, TenantRecord};
use crate::input::{EntityTag, IfMatch};
use crate::outbox::{self, Message};
use crate::revocations::Revoked;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// Who did it, in the audit trail, where the identity provider has another name than was wanted.
const PROVIDER: &str = "identity-provider";

/// Tasks that a transaction leaves for its request to perform. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Left(Arc<Mutex<Vec<Task>>>);

impl Left {
    /// Begins anew: the transaction may be tried again.
    pub(super) fn clear(&self) {
        if let Ok(mut tasks) = self.0.lock() {
            tasks.clear();
        }
    }

    /// Leaves a task, if it is for this request to perform.
    pub(super) fn push(&self, (task, is_ours): (Task, bool)) {
        if let Ok(mut tasks) = self.0.lock()
            && is_ours
        {
            tasks.push(task);
        }
    }

    fn take(&self) -> Vec<Task> {
        self.0.lock().map(|mut tasks| std::mem::take(&mut *tasks)).unwrap_or_default()
    }

    /// Performs them. What cannot be done now is done later; what the identity provider refuses is told.
    pub(super) async fn perform(&self, tasks: &Tasks) -> Result<bool, TenantError> {
        let left = self.take();
        let any = !left.is_empty();
        for task in left {
            match tasks.perform(task).await {
                Ok(_) => {}
                Err(error @ TenantError::Provider(_)) if is_refusal(&error) => return Err(error),
                Err(error) => tracing::warn!(%error, "the identity provider will be told later"),
            }
        }
        Ok(any)
    }

    /// Does `work`, which leaves tasks here, in one transaction, and performs them. A repeat gets the answer once both are
    /// done: what the identity provider refuses is refused to it as well. Where it was told something, `again` gives the answer
    /// as it is then.
    pub(super) async fn run<F>(
        &self,
        tasks: &Tasks,
        change: &Change,
        body: &Value,
        mut work: F,
        again: impl AsyncFnOnce(Answer) -> Result<Answer, TenantError>,
    ) -> Result<Answer, TenantError>
    where
        F: FnMut(&mut Work<'_>) -> Result<Answer, TenantError> + Send + 'static,
    {
        let (api, caller) = (tasks.api(), change.principal.scope());
        let once = change.once(api, body);
        let key = once.clone();
        let first_or_repeat = move |unit: &mut Work<'_>| {
            if let Begun::Repeat(answer) = idempotency::begin::<TenantError>(unit.conn, caller, unit.clock, &key)? {
                return Ok((answer, true));
            }
            Ok::<_, TenantError>((work(unit)?, false))
        };
        let (mut answer, is_repeat) = Box::pin(change.step(api, first_or_repeat)).await?;
        if is_repeat {
            return Ok(answer);
        }
        match self.perform(tasks).await {
            Ok(true) => answer = again(answer).await?,
            Ok(false) => {}
            Err(refusal) => {
                if let Err(error) = api.db.write(move |conn| idempotency::abandon(conn, caller, &once)).await {
                    tracing::warn!(%error, "the key of a request that was refused is held for a while");
                }
                return Err(refusal);
            }
        }
        let kept = answer.clone();
        api.db.write(move |conn| idempotency::complete(conn, caller, &once, &kept)).await?;
        Ok(answer)
    }
}

fn is_refusal(error: &TenantError) -> bool {
    matches!(error, TenantError::Provider(error) if !error.is_passing())
}

/// What others are told of a tenant.
pub(super) fn told(row: &TenantRow) -> Value {
    json!({ "tenant_id": row.id, "slug": row.slug, "name": row.name, "status": row.status })
}

fn shown(row: &TenantRow) -> Value {
    json!({ "name": row.name, "status": row.status })
}

/// Changes what the patch names. `If-Match` names the version that is changed; the requests that only switch need none.
pub(super) fn apply(
    work: &mut Work<'_>,
    origin: &Origin,
    if_match: Option<&IfMatch>,
    patch: &TenantPatch,
    left: &Left,
) -> Result<TenantRow, TenantError> {
    left.clear();
    let old = store::find(work.conn, work.scope)?.ok_or(TenantError::NotFound)?;
    if let Some(if_match) = if_match {
        if_match.check(&EntityTag::of(old.id, old.id, old.version))?;
    }
    if old.status == TenantStatus::Provisioning {
        return Err(TenantError::Refused("the tenant is being made"));
    }
    let renamed = patch.name.as_ref().filter(|name| name.as_str() != old.name);
    let wished = old.wanted_status.unwrap_or(old.status);
    let switched = patch.status.filter(|status| *status != wished);
    if renamed.is_none() && switched.is_none() {
        return Ok(old);
    }
    let mut new = TenantRow { version: old.version + 1, ..old.clone() };
    if let Some(name) = renamed {
        name.as_str().clone_into(&mut new.name);
        left.push(wish(work, TaskKind::Name, json!({ "name": name }))?);
    }
    if let Some(status) = switched {
        if work.principal.tenant.id == old.id {
            // Whoever switched off the tenant that lets them in could not switch it on again.
            return Err(TenantError::Refused("the platform's own tenant cannot be switched off"));
        }
        new.wanted_status = Some(status);
        if status != TenantStatus::Active {
            new.status = status;
            // What was issued until now stays refused when it is switched on again: its people sign in anew.
            work.revoke(Revoked::Tenant)?;
        }
        let author = Author::of(work.principal, origin);
        left.push(wish(work, TaskKind::Status, json!({ "status": status, "author": author }))?);
    }
    store::update(work.conn, work.scope, work.clock, &new)?;
    work.signal(SignalKind::Tenant, None)?;
    let changes = Changes::between(&shown(&old), &shown(&new));
    if !changes.is_empty() {
        let action = if new.status == old.status { UPDATE } else { SET_STATUS };
        work.tell("tenant.updated", told(&new))?;
        work.record(action.as_str(), "tenant", old.id.to_string(), changes)?;
    }
    Ok(new)
}

fn wish(work: &mut Work<'_>, kind: TaskKind, payload: Value) -> Result<(Task, bool), DbError> {
    tasks::store::put(work.conn, work.scope, work.clock, kind, "", payload)
}

/// Tells the identity provider the name.
pub(super) async fn perform_name(tasks: &Tasks, task: &Task) -> Result<Settled, TenantError> {
    let name: TenantName = member(task, "name")?;
    let change = TenantChange { name: Some(name.as_str().to_owned()), status: None };
    let record = tasks.management().change_tenant(task.tenant_id, &change).await?;
    let (api, task) = (tasks.api().clone(), task.clone());
    api.db.clone().write(move |conn| settle_name(conn, &api, &task, &record)).await
}

fn settle_name(conn: &mut Connection, api: &Api, task: &Task, record: &TenantRecord) -> Result<Settled, TenantError> {
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Settled::Newer);
    }
    store::answered(conn, task.scope(), record.updated_at)?;
    // An event from before may have told of the old one meanwhile.
    let signals = is_called(conn, api, task, &record.name)?;
    Ok(Settled::Done { answer: None, signals })
}

/// The tenant has this name at the identity provider, and here.
fn is_called(conn: &mut Connection, api: &Api, task: &Task, name: &str) -> Result<Vec<Signal>, TenantError> {
    let scope = task.scope();
    let old = store::find(conn, scope)?.ok_or(TenantError::NotFound)?;
    if old.name == name {
        return Ok(Vec::new());
    }
    let new = TenantRow { name: name.to_owned(), version: old.version + 1, ..old.clone() };
    store::update(conn, scope, &*api.clock, &new)?;
    let changes = Changes::between(&shown(&old), &shown(&new));
    let entry = AuditEntry::by_system(PROVIDER, UPDATE.as_str(), "tenant", task.tenant_id.to_string(), changes);
    audit::record(conn, scope, &*api.clock, &*api.random, &entry)?;
    let message = Message { kind: "tenant.updated", payload: told(&new) };
    outbox::enqueue(conn, scope, &*api.clock, &*api.random, &message)?;
    Ok(vec![signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?])
}

/// Tells the identity provider whether the tenant is in use, and lets it be in use here once it is there.
pub(super) async fn perform_status(tasks: &Tasks, task: &Task) -> Result<Settled, TenantError> {
    let status: TenantStatus = member(task, "status")?;
    let change = TenantChange { name: None, status: Some(status.as_str()) };
    let record = tasks.management().change_tenant(task.tenant_id, &change).await?;
    let (api, task) = (tasks.api().clone(), task.clone());
    api.db.clone().write(move |conn| settle_status(conn, &api, &task, status, record.updated_at)).await
}

fn settle_status(
    conn: &mut Connection,
    api: &Api,
    task: &Task,
    status: TenantStatus,
    as_of: Option<UtcTime>,
) -> Result<Settled, TenantError> {
    let scope = task.scope();
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Settled::Newer);
    }
    store::answered(conn, scope, as_of)?;
    let old = store::find(conn, scope)?.ok_or(TenantError::NotFound)?;
    let new = TenantRow { status, wanted_status: None, version: old.version + 1, ..old.clone() };
    store::update(conn, scope, &*api.clock, &new)?;
    let changes = Changes::between(&shown(&old), &shown(&new));
    if !changes.is_empty() {
        let author: Author = member(task, "author")?;
        let entry = author.entry(SET_STATUS.as_str(), task.tenant_id, changes);
        audit::record(conn, scope, &*api.clock, &*api.random, &entry)?;
        let message = Message { kind: "tenant.updated", payload: told(&new) };
        outbox::enqueue(conn, scope, &*api.clock, &*api.random, &message)?;
    }
    let signal = signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?;
    Ok(Settled::Done { answer: None, signals: vec![signal] })
}

/// The identity provider does not take the name: it stays as it is there, which is `record` where that could be asked.
pub(super) fn give_up_name(
    conn: &mut Connection,
    api: &Api,
    task: &Task,
    record: Option<&TenantRecord>,
) -> Result<Vec<Signal>, TenantError> {
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Vec::new());
    }
    record.map_or_else(|| Ok(Vec::new()), |record| is_called(conn, api, task, &record.name))
}

/// The identity provider does not take the status. What was switched off here stays so; nothing is switched on.
pub(super) fn give_up_status(conn: &mut Connection, api: &Api, task: &Task) -> Result<Vec<Signal>, TenantError> {
    let scope = task.scope();
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Vec::new());
    }
    let old = store::find(conn, scope)?.ok_or(TenantError::NotFound)?;
    let new = TenantRow { wanted_status: None, version: old.version + 1, ..old };
    store::update(conn, scope, &*api.clock, &new)?;
    Ok(Vec::new())
}

fn member<T: serde::de::DeserializeOwned>(task: &Task, name: &str) -> Result<T, TenantError> {
    let value = task.payload.get(name).cloned().unwrap_or_default();
    serde_json::from_value(value).map_err(|error| DbError::Invalid(format!("task: {error}")).into())
}
