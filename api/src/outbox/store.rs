//! The rows of the outbox.

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, each};
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
    enqueue_all(conn, scope, clock, random, message.kind, std::slice::from_ref(&message.payload))
}

/// Adds messages of one kind, to be delivered at once. To be called in the transaction of what they tell of, with as many as
/// one statement takes.
pub fn enqueue_all(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    kind: &str,
    payloads: &[Value],
) -> Result<(), DbError> {
    let now = clock.now();
    let row = |payload: &Value| NewMessage {
        id: OutboxId::new(clock, random),
        tenant_id: scope.tenant_id(),
        kind,
        payload: payload.to_string(),
        created_at: now,
        available_at: now,
        attempts: 0,
        delivered_at: None,
    };
    let rows: Vec<NewMessage<'_>> = payloads.iter().map(row).collect();
    if !rows.is_empty() {
        each!(conn, c => diesel::insert_into(outbox::table).values(&rows).execute(c))?;
    }
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

/// How many messages of these kinds wait, and how many of any kind were refused.
pub(super) fn count(conn: &mut Connection, kinds: &[&str]) -> Result<(i64, i64), DbError> {
    let waiting = outbox::table
        .filter(outbox::delivered_at.is_null().and(outbox::failed_at.is_null()))
        .filter(outbox::kind.eq_any(kinds))
        .count()
        .get_result(conn)?;
    let refused = outbox::table.filter(outbox::failed_at.is_not_null()).count().get_result(conn)?;
    Ok((waiting, refused))
}

/// Rows that are removed in one transaction.
const PIECE: i64 = 500;

/// Removes one piece of the messages that were made before these times: delivered, or of a kind that nobody takes; refused.
/// How many went.
pub(super) fn prune(
    conn: &mut Connection,
    before: UtcTime,
    refused_before: UtcTime,
    taken: &[&str],
) -> Result<usize, DbError> {
    let is_settled = outbox::delivered_at.is_not_null().or(outbox::kind.ne_all(taken));
    let old: Vec<OutboxId> = outbox::table
        .filter(outbox::created_at.lt(before).and(outbox::failed_at.is_null()).and(is_settled))
        .order(outbox::created_at.asc())
        .select(outbox::id)
        .limit(PIECE)
        .load(conn)?;
    let refused: Vec<OutboxId> = outbox::table
        .filter(outbox::created_at.lt(refused_before).and(outbox::failed_at.is_not_null()))
        .order(outbox::created_at.asc())
        .select(outbox::id)
        .limit(PIECE)
        .load(conn)?;
    let ids: Vec<OutboxId> = old.into_iter().chain(refused).collect();
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(outbox::table.filter(outbox::id.eq_any(ids))).execute(conn)?)
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
