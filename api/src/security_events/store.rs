//! The rows of events that were received.

use std::time::Duration;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, TenantId, UtcTime};

use super::model::{SecurityEvent, Standing};
use crate::schema::received_events;

/// How long it is known that an event was received: longer than a token with it is taken, and longer than the provider
/// keeps events that it could not deliver.
const KEPT_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// Rows of the past that are deleted when a new one comes.
const PRUNED_AT_ONCE: i64 = 20;

#[derive(Insertable)]
#[diesel(table_name = received_events, treat_none_as_default_value = false)]
struct NewEvent<'a> {
    tenant_id: TenantId,
    jti: &'a str,
    subject: &'a str,
    standing: Standing,
    received_at: UtcTime,
}

/// Notes that an event was received. Says whether it is new.
pub(super) fn note(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    event: &SecurityEvent,
) -> Result<bool, DbError> {
    let row = NewEvent {
        tenant_id: scope.tenant_id(),
        jti: &event.id,
        subject: &event.subject,
        standing: event.standing(),
        received_at: clock.now(),
    };
    match diesel::insert_into(received_events::table).values(row).execute(conn).map_err(DbError::from) {
        Ok(_) => prune(conn, clock.now()).map(|()| true),
        Err(DbError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an event that happened later has left whom this one is about with this standing. Ids of events sort by time.
pub(super) fn was_overtaken(
    conn: &mut Connection,
    scope: TenantScope,
    event: &SecurityEvent,
    by: Standing,
) -> Result<bool, DbError> {
    let later = received_events::table
        .filter(received_events::tenant_id.eq(scope.tenant_id()))
        .filter(received_events::subject.eq(&event.subject).and(received_events::jti.gt(&event.id)))
        .filter(received_events::standing.eq(by))
        .select(received_events::jti);
    let found: Option<String> = later.first(conn).optional()?;
    Ok(found.is_some())
}

/// Deletes some of the rows that are old enough, of all tenants.
fn prune(conn: &mut Connection, now: UtcTime) -> Result<(), DbError> {
    let old: Vec<String> = received_events::table
        .filter(received_events::received_at.lt(now - KEPT_FOR))
        .order(received_events::received_at.asc())
        .select(received_events::jti)
        .limit(PRUNED_AT_ONCE)
        .load(conn)?;
    if !old.is_empty() {
        let before = now - KEPT_FOR;
        // Another tenant's event of the same name that is younger stays.
        let rows = received_events::table
            .filter(received_events::jti.eq_any(old).and(received_events::received_at.lt(before)));
        diesel::delete(rows).execute(conn)?;
    }
    Ok(())
}
