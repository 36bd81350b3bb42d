//! The rows of the outbox.

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{Clock, OutboxId, Random, TenantId, UtcTime};

use super::deliver::{AT_ONCE, LEASE, Letter};
use crate::schema::outbox;

/// Something that others are to be told.
#[derive(Debug, Clone)]
pub struct Message {
    /// What happened: `tenant_settings.changed`.
    pub kind: &'static str,
    /// The rest.
    pub payload: Value,
}

#[derive(Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
struct NewMessage<'a> {
    id: OutboxId,
    tenant_id: TenantId,
    kind: &'a str,
    payload: String,
    created_at: UtcTime,
    available_at: UtcTime,
    attempts: i64,
    delivered_at: Option<UtcTime>,
}

/// Adds a message, to be delivered at once. To be called in the transaction of what it tells of.
pub fn enqueue(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    message: &Message,
) -> Result<(), DbError> {
    let now = clock.now();
    let row = NewMessage {
        id: OutboxId::new(clock, random),
        tenant_id: scope.tenant_id(),
        kind: message.kind,
        payload: message.payload.to_string(),
        created_at: now,
        available_at: now,
        attempts: 0,
        delivered_at: None,
    };
    diesel::insert_into(outbox::table).values(row).execute(conn)?;
    Ok(())
}

type LetterRow = (OutboxId, TenantId, String, String, i64);

/// Takes messages of these kinds that are due, the oldest first: they are due again when the lease is over.
pub(super) fn take(conn: &mut Connection, kinds: &[&str], now: UtcTime) -> Result<Vec<Letter>, DbError> {
    let rows: Vec<LetterRow> = outbox::table
        .filter(outbox::delivered_at.is_null().and(outbox::failed_at.is_null()))
        .filter(outbox::available_at.le(now).and(outbox::kind.eq_any(kinds)))
        .order((outbox::available_at.asc(), outbox::id.asc()))
        .select((outbox::id, outbox::tenant_id, outbox::kind, outbox::payload, outbox::attempts))
        .limit(AT_ONCE)
        .lock_rows_skipping()
        .load(conn)?;
    let ids: Vec<OutboxId> = rows.iter().map(|row| row.0).collect();
    if !ids.is_empty() {
        diesel::update(outbox::table.filter(outbox::id.eq_any(ids)))
            .set((outbox::available_at.eq(now + LEASE), outbox::attempts.eq(outbox::attempts + 1)))
            .execute(conn)?;
    }
    let letter = |(id, tenant_id, kind, payload, attempts): LetterRow| Letter {
        id,
        tenant_id,
        kind,
        // What is no JSON, which only somebody who writes to the database can bring about, is refused by its recipient.
        payload: serde_json::from_str(&payload).unwrap_or_default(),
        attempts: u32::try_from(attempts.saturating_add(1)).unwrap_or(u32::MAX),
    };
    Ok(rows.into_iter().map(letter).collect())
}

/// Notes that a message has arrived.
pub(super) fn delivered(conn: &mut Connection, id: OutboxId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(outbox::table.filter(outbox::id.eq(id))).set(outbox::delivered_at.eq(Some(now))).execute(conn)?;
    Ok(())
}

/// Notes when a message is to be tried again.
pub(super) fn try_later(conn: &mut Connection, id: OutboxId, due: UtcTime) -> Result<(), DbError> {
    diesel::update(outbox::table.filter(outbox::id.eq(id))).set(outbox::available_at.eq(due)).execute(conn)?;
    Ok(())
}

/// Sets a message aside that nobody will ever take.
pub(super) fn refused(conn: &mut Connection, id: OutboxId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(outbox::table.filter(outbox::id.eq(id))).set(outbox::failed_at.eq(Some(now))).execute(conn)?;
    Ok(())
}
