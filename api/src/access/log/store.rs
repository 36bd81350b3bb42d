//! The rows of the log of decisions.

use std::borrow::Cow;

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope, insert_all, rows_before};
use tenantry_types::{AccessLogId, TenantId, UtcTime};

use super::model::{
    DecisionFilter, DecisionRecord, DecisionView, LoggedDecision, PolicyOfDecision, SubjectKind, SubjectOfDecision,
    context_text, cut, cut_ascii,
};
use crate::schema::access_logs;

/// A decision that waits to be written.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    pub(super) id: AccessLogId,
    pub(super) created_at: UtcTime,
    pub(super) record: DecisionRecord,
}

/// A decision as it is written. Everything in it fits.
#[derive(Debug, Insertable)]
#[diesel(table_name = access_logs, treat_none_as_default_value = false)]
struct NewDecision<'a> {
    id: AccessLogId,
    tenant_id: TenantId,
    subject_kind: SubjectKind,
    subject_id: Cow<'a, str>,
    client_id: Cow<'a, str>,
    resource: Cow<'a, str>,
    resource_id: Option<Cow<'a, str>>,
    action: Cow<'a, str>,
    decision: LoggedDecision,
    reason: Cow<'a, str>,
    policy_id: Option<Cow<'a, str>>,
    policy_name: Option<Cow<'a, str>>,
    policy_version: Option<i64>,
    context: String,
    request_id: Option<Cow<'a, str>>,
    address: Option<Cow<'a, str>>,
    created_at: UtcTime,
}

impl<'a> NewDecision<'a> {
    fn new(Pending { id, created_at, record }: &'a Pending) -> Self {
        const NAME: usize = 254;
        let policy = record.policy.as_ref();
        Self {
            id: *id,
            tenant_id: record.tenant_id,
            subject_kind: record.subject_kind,
            subject_id: cut(&record.subject_id, NAME),
            client_id: cut(&record.client_id, NAME),
            resource: cut(&record.resource, NAME),
            resource_id: record.resource_id.as_ref().map(|id| cut(id, NAME)),
            action: cut(&record.action, 64),
            decision: record.decision,
            reason: cut(&record.reason, NAME),
            policy_id: policy.map(|policy| cut_ascii(&policy.id, 36)),
            policy_name: policy.map(|policy| cut(&policy.name, NAME)),
            policy_version: policy.and_then(|policy| policy.version),
            context: context_text(&record.context),
            request_id: record.request_id.as_ref().map(|id| cut_ascii(id, 64)),
            address: record.address.as_ref().map(|address| cut_ascii(address, 64)),
            created_at: *created_at,
        }
    }
}

/// Writes decisions. Each says itself whose it is.
pub(super) fn insert(conn: &mut Connection, decisions: &[Pending]) -> Result<(), DbError> {
    let rows: Vec<_> = decisions.iter().map(NewDecision::new).collect();
    Ok(insert_all!(conn, access_logs::table, &rows[..])?)
}

/// A decision as it is stored.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = access_logs)]
pub(super) struct DecisionRow {
    pub(super) id: String,
    pub(super) created_at: UtcTime,
    subject_kind: String,
    subject_id: String,
    client_id: String,
    resource: String,
    resource_id: Option<String>,
    action: String,
    decision: String,
    reason: String,
    policy_id: Option<String>,
    policy_name: Option<String>,
    policy_version: Option<i64>,
    context: String,
    request_id: Option<String>,
    address: Option<String>,
}

impl From<DecisionRow> for DecisionView {
    fn from(row: DecisionRow) -> Self {
        let DecisionRow { policy_name: name, policy_version: version, .. } = row;
        Self {
            id: row.id,
            created_at: row.created_at,
            subject: SubjectOfDecision { kind: row.subject_kind, id: row.subject_id },
            client_id: row.client_id,
            resource: row.resource,
            resource_id: row.resource_id,
            action: row.action,
            decision: row.decision,
            reason: row.reason,
            policy: row.policy_id.map(|id| PolicyOfDecision { id, name, version }),
            context: serde_json::from_str(&row.context).unwrap_or(Value::Null),
            request_id: row.request_id,
            address: row.address,
        }
    }
}

/// What names the decision after which a page begins.
pub(super) type DecisionKey = (UtcTime, String);

/// Decisions, the newest first.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    filter: &DecisionFilter,
    after: Option<&DecisionKey>,
    most: i64,
) -> Result<Vec<DecisionRow>, DbError> {
    let mut query = access_logs::table
        .filter(access_logs::tenant_id.eq(scope.tenant_id()))
        .select(DecisionRow::as_select())
        .into_boxed();
    if let Some(subject) = &filter.subject {
        query = query.filter(access_logs::subject_id.eq(subject));
    }
    if let Some(resource) = &filter.resource {
        query = query.filter(access_logs::resource.eq(resource));
    }
    if let Some(id) = &filter.resource_id {
        query = query.filter(access_logs::resource_id.eq(id));
    }
    if let Some(action) = &filter.action {
        query = query.filter(access_logs::action.eq(action));
    }
    if let Some(decision) = filter.decision {
        query = query.filter(access_logs::decision.eq(decision));
    }
    if let Some(policy) = &filter.policy {
        query = query.filter(access_logs::policy_id.eq(policy));
    }
    if let Some(from) = filter.from {
        query = query.filter(access_logs::created_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(access_logs::created_at.lt(to));
    }
    if let Some((time, id)) = after {
        query = query.filter(rows_before!(access_logs::created_at, *time, access_logs::id, id));
    }
    Ok(query.order((access_logs::created_at.desc(), access_logs::id.desc())).limit(most).load(conn)?)
}

/// The tenant that comes after this one, of those of whom there are decisions, and when the oldest of these was made; the
/// first of all for `None`.
pub(super) fn tenant_after(
    conn: &mut Connection,
    last: Option<TenantId>,
) -> Result<Option<(TenantId, UtcTime)>, DbError> {
    let mut query = access_logs::table.select((access_logs::tenant_id, access_logs::created_at)).into_boxed();
    if let Some(last) = last {
        query = query.filter(access_logs::tenant_id.gt(last));
    }
    Ok(query.order((access_logs::tenant_id.asc(), access_logs::created_at.asc())).first(conn).optional()?)
}

/// Deletes the oldest of a tenant's decisions that were made before a time: `most` of them, and those that were made in the
/// same moment as the last of these.
pub(super) fn delete_before(
    conn: &mut Connection,
    scope: TenantScope,
    before: UtcTime,
    most: i64,
) -> Result<Deleted, DbError> {
    let of_tenant = access_logs::tenant_id.eq(scope.tenant_id());
    let last: Option<UtcTime> = access_logs::table
        .filter(of_tenant.and(access_logs::created_at.lt(before)))
        .order(access_logs::created_at.asc())
        .select(access_logs::created_at)
        .offset(most - 1)
        .first(conn)
        .optional()?;
    let old = access_logs::table.filter(of_tenant);
    let count = match last {
        Some(last) => diesel::delete(old.filter(access_logs::created_at.le(last))).execute(conn)?,
        None => diesel::delete(old.filter(access_logs::created_at.lt(before))).execute(conn)?,
    };
    Ok(Deleted { count, is_all: last.is_none() })
}

/// What became of a tenant's old decisions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deleted {
    /// How many are gone.
    pub(super) count: usize,
    /// Whether none is left.
    pub(super) is_all: bool,
}
