//! The rows of signals.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, Random, SignalId, TenantId, UtcTime};

use super::{Signal, SignalKind};
use crate::schema::{signals, tenants};

/// Rows that are deleted at once when nobody looks for them any more.
const PRUNED_AT_ONCE: i64 = 1_000;

#[derive(Insertable)]
#[diesel(table_name = signals, treat_none_as_default_value = false)]
struct NewSignal<'a> {
    id: SignalId,
    tenant_id: TenantId,
    kind: SignalKind,
    subject: Option<&'a str>,
    created_at: UtcTime,
}

/// Writes a signal. To be called in the transaction of the change.
pub fn send(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    kind: SignalKind,
    subject: Option<&str>,
) -> Result<Signal, DbError> {
    if matches!(kind, SignalKind::Access | SignalKind::Tenant) {
        // For whoever asks in a transaction whether what they remember is still so.
        diesel::update(tenants::table.filter(tenants::id.eq(scope.tenant_id())))
            .set(tenants::access_generation.eq(tenants::access_generation + 1))
            .execute(conn)?;
    }
    let (id, created_at) = (SignalId::new(clock, random), clock.now());
    let row = NewSignal { id, tenant_id: scope.tenant_id(), kind, subject, created_at };
    diesel::insert_into(signals::table).values(row).execute(conn)?;
    Ok(Signal { tenant_id: scope.tenant_id(), kind, subject: subject.map(str::to_owned) })
}

/// The signals since a time, of all tenants, the oldest first.
pub(super) fn since(conn: &mut Connection, time: UtcTime, limit: i64) -> Result<Vec<(SignalId, Signal)>, DbError> {
    let rows: Vec<(SignalId, TenantId, SignalKind, Option<String>)> = signals::table
        .filter(signals::created_at.ge(time))
        .order((signals::created_at.asc(), signals::id.asc()))
        .select((signals::id, signals::tenant_id, signals::kind, signals::subject))
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().map(|(id, tenant_id, kind, subject)| (id, Signal { tenant_id, kind, subject })).collect())
}

/// Deletes some of the signals from before a time.
pub(super) fn prune(conn: &mut Connection, before: UtcTime) -> Result<(), DbError> {
    let old: Vec<SignalId> = signals::table
        .filter(signals::created_at.lt(before))
        .order(signals::created_at.asc())
        .select(signals::id)
        .limit(PRUNED_AT_ONCE)
        .load(conn)?;
    if !old.is_empty() {
        diesel::delete(signals::table.filter(signals::id.eq_any(old))).execute(conn)?;
    }
    Ok(())
}
