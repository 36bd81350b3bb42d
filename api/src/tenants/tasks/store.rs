//! The rows of tasks.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{Clock, JsonText, TenantId, UtcTime};

use super::{Task, TaskKind};
use crate::schema::tenant_tasks;

/// How long a task is left to whoever performs it: longer than it takes, whatever the identity provider does.
pub(in crate::tenants) const LEASE: Duration = Duration::from_secs(30);
/// More tenants than something passes through in the time of a task.
const MOST_OTHERS: i64 = 10;
/// The longest account of a failure that is kept.
const MAX_ERROR_BYTES: usize = 500;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenant_tasks)]
struct TaskRow {
    tenant_id: TenantId,
    kind: TaskKind,
    subject: String,
    generation: i64,
    payload: JsonText<Value>,
    attempts: i64,
    leased_until: UtcTime,
}

impl From<TaskRow> for Task {
    fn from(row: TaskRow) -> Self {
        let TaskRow { tenant_id, kind, subject, generation, payload, attempts, .. } = row;
        Self { tenant_id, kind, subject, generation, payload: payload.into_inner(), attempts }
    }
}

macro_rules! key {
    ($scope:expr, $kind:expr, $subject:expr) => {
        tenant_tasks::table.filter(
            tenant_tasks::tenant_id
                .eq($scope.tenant_id())
                .and(tenant_tasks::kind.eq($kind))
                .and(tenant_tasks::subject.eq($subject)),
        )
    };
}

/// Writes what is wanted, in the place of what was wanted before. To be called with the tenant's row locked. Gives the
/// task, and whether it is for the caller to perform: somebody who is performing it now will perform this one too.
pub(in crate::tenants) fn put(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    kind: TaskKind,
    subject: &str,
    payload: Value,
) -> Result<(Task, bool), DbError> {
    let now = clock.now();
    let text = JsonText::new(payload.clone()).map_err(|error| DbError::Invalid(format!("task: {error}")))?;
    let found: Option<TaskRow> = find_row(conn, scope, kind, subject)?;
    let is_leased = found.as_ref().is_some_and(|row| now < row.leased_until);
    let generation = found.as_ref().map_or(1, |row| row.generation + 1);
    let leased_until = now + LEASE;
    if let Some(row) = found {
        diesel::update(key!(scope, kind, subject))
            .set((
                tenant_tasks::generation.eq(generation),
                tenant_tasks::payload.eq(&text),
                tenant_tasks::attempts.eq(0_i64),
                tenant_tasks::available_at.eq(now),
                tenant_tasks::leased_until.eq(if is_leased { row.leased_until } else { leased_until }),
            ))
            .execute(conn)?;
    } else {
        diesel::insert_into(tenant_tasks::table)
            .values((
                tenant_tasks::tenant_id.eq(scope.tenant_id()),
                tenant_tasks::kind.eq(kind),
                tenant_tasks::subject.eq(subject),
                tenant_tasks::generation.eq(generation),
                tenant_tasks::payload.eq(&text),
                tenant_tasks::attempts.eq(0_i64),
                tenant_tasks::available_at.eq(now),
                tenant_tasks::leased_until.eq(leased_until),
                tenant_tasks::last_error.eq(None::<String>),
                tenant_tasks::created_at.eq(now),
            ))
            .execute(conn)?;
    }
    let tenant_id = scope.tenant_id();
    let task = Task { tenant_id, kind, subject: subject.to_owned(), generation, payload, attempts: 0 };
    Ok((task, !is_leased))
}

/// Other tenants with a task of the same kind about the same.
pub(in crate::tenants) fn others_waiting(
    conn: &mut Connection,
    scope: TenantScope,
    kind: TaskKind,
    subject: &str,
) -> Result<Vec<TenantId>, DbError> {
    let others = tenant_tasks::table
        .filter(tenant_tasks::tenant_id.ne(scope.tenant_id()))
        .filter(tenant_tasks::kind.eq(kind).and(tenant_tasks::subject.eq(subject)))
        .select(tenant_tasks::tenant_id)
        .limit(MOST_OTHERS);
    Ok(others.load(conn)?)
}

/// The task as it is now.
pub(in crate::tenants) fn find(
    conn: &mut Connection,
    scope: TenantScope,
    kind: TaskKind,
    subject: &str,
) -> Result<Option<Task>, DbError> {
    Ok(find_row(conn, scope, kind, subject)?.map(Task::from))
}

fn find_row(
    conn: &mut Connection,
    scope: TenantScope,
    kind: TaskKind,
    subject: &str,
) -> Result<Option<TaskRow>, DbError> {
    Ok(key!(scope, kind, subject).select(TaskRow::as_select()).first(conn).optional()?)
}

/// Takes the lease of tasks that are due, of all tenants, those first that wait longest.
pub(super) fn lease_due(conn: &mut Connection, now: UtcTime, limit: i64) -> Result<Vec<Task>, DbError> {
    let due: Vec<TaskRow> = tenant_tasks::table
        .filter(tenant_tasks::available_at.le(now).and(tenant_tasks::leased_until.le(now)))
        .order(tenant_tasks::available_at.asc())
        .select(TaskRow::as_select())
        .limit(limit)
        .lock_rows_skipping()
        .load(conn)?;
    for row in &due {
        let scope = TenantScope::system(row.tenant_id, "tasks of tenants");
        diesel::update(key!(scope, row.kind, &row.subject))
            .set(tenant_tasks::leased_until.eq(now + LEASE))
            .execute(conn)?;
    }
    Ok(due.into_iter().map(Task::from).collect())
}

/// Keeps the lease for what is wanted now; `None` when nothing is any more.
pub(super) fn renew(conn: &mut Connection, clock: &dyn Clock, task: &Task) -> Result<Option<Task>, DbError> {
    let scope = task.scope();
    diesel::update(key!(scope, task.kind, &task.subject))
        .set(tenant_tasks::leased_until.eq(clock.now() + LEASE))
        .execute(conn)?;
    find(conn, scope, task.kind, &task.subject)
}

/// Removes a task that was performed, unless something newer is wanted. Says whether it did.
pub(in crate::tenants) fn finish(conn: &mut Connection, task: &Task) -> Result<bool, DbError> {
    let row = key!(task.scope(), task.kind, &task.subject).filter(tenant_tasks::generation.eq(task.generation));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

/// Gives the lease of a task back that could not be performed; it is tried again after a pause.
pub(super) fn postpone(conn: &mut Connection, clock: &dyn Clock, task: &Task, error: &str) -> Result<(), DbError> {
    let now = clock.now();
    let mut end = error.len().min(MAX_ERROR_BYTES);
    while !error.is_char_boundary(end) {
        end -= 1;
    }
    diesel::update(key!(task.scope(), task.kind, &task.subject))
        .set((
            tenant_tasks::attempts.eq(task.attempts + 1),
            tenant_tasks::available_at.eq(now + task.pause()),
            tenant_tasks::leased_until.eq(now),
            tenant_tasks::last_error.eq(Some(&error[..end])),
        ))
        .execute(conn)?;
    Ok(())
}

/// Removes all tasks of a tenant that came to nothing.
pub(in crate::tenants) fn remove_all(conn: &mut Connection, scope: TenantScope) -> Result<(), DbError> {
    diesel::delete(tenant_tasks::table.filter(tenant_tasks::tenant_id.eq(scope.tenant_id()))).execute(conn)?;
    Ok(())
}

/// Removes a task, whatever is wanted.
pub(in crate::tenants) fn remove(
    conn: &mut Connection,
    scope: TenantScope,
    kind: TaskKind,
    subject: &str,
) -> Result<(), DbError> {
    diesel::delete(key!(scope, kind, subject)).execute(conn)?;
    Ok(())
}
