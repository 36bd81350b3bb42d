//! Queries on security events.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use diesel::dsl::{max, min};
use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, each};
use tenantry_types::{EventId, JsonText, Random, TenantId, UtcTime};
use uuid::Uuid;

use super::Event;
use crate::audit::Author;
use crate::schema::security_events as events;
use crate::tenants;

#[derive(Insertable)]
#[diesel(table_name = events, treat_none_as_default_value = false)]
struct NewEvent<'a> {
    id: EventId,
    tenant_id: TenantId,
    kind: &'a str,
    subject_id: &'a str,
    payload: String,
    request_id: Option<&'a str>,
    created_at: UtcTime,
    attempts: i64,
    available_at: UtcTime,
    delivered_at: Option<UtcTime>,
    failed_at: Option<UtcTime>,
}

/// An event as it is stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = events)]
pub struct StoredEvent {
    /// The `jti` of its token. Those of a tenant are in the order in which the changes were committed.
    pub id: EventId,
    /// Its kind, as a URI.
    pub kind: String,
    /// Whom it is about.
    pub subject_id: String,
    /// What it says.
    pub payload: JsonText<Value>,
    /// The request that brought it about.
    pub request_id: Option<String>,
    /// When it happened.
    pub created_at: UtcTime,
    /// How often its delivery failed, or was refused: the next wait goes by it. That the receiver asked to be sent it later
    /// does not count.
    pub attempts: i64,
}

/// When an event is due that has others of its tenant before it: only the oldest of each tenant is looked for, however many
/// wait.
const IN_ITS_TURN: UtcTime = UtcTime::MAX;

/// Whether any event of the tenant waits to be delivered.
fn has_waiting(conn: &mut Connection, scope: TenantScope) -> Result<bool, DbError> {
    let waiting: Option<EventId> = events::table
        .filter(events::tenant_id.eq(scope.tenant_id()))
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .select(events::id)
        .first(conn)
        .optional()?;
    Ok(waiting.is_some())
}

/// Writes an event. Call it in the transaction of what the event tells.
///
/// The tenant's row is locked until the end of the transaction, and the id is greater than every other of the tenant:
/// whoever reads the events in the order of their ids misses none that is committed later.
pub fn record(conn: &mut Connection, scope: TenantScope, author: &Author, event: &Event) -> Result<EventId, DbError> {
    tenants::store::lock(conn, scope)?.ok_or(DbError::NotFound)?;
    let now = author.now();
    let last: Option<EventId> =
        events::table.filter(events::tenant_id.eq(scope.tenant_id())).select(max(events::id)).first(conn)?;
    let id = id_after(last, now, &*author.random);
    // Its turn comes when the one before it is settled, which locks the tenant's row as well.
    let available_at = if has_waiting(conn, scope)? { IN_ITS_TURN } else { now };
    let row = NewEvent {
        id,
        tenant_id: scope.tenant_id(),
        kind: event.kind.as_str(),
        subject_id: &event.subject,
        payload: event.payload.to_string(),
        request_id: author.source.request_id.as_deref(),
        created_at: now,
        attempts: 0,
        available_at,
        delivered_at: None,
        failed_at: None,
    };
    diesel::insert_into(events::table).values(row).execute(conn)?;
    Ok(id)
}

/// Writes events of several tenants, those of each in this order: like [`record`], with as many queries as for one.
pub fn record_several(conn: &mut Connection, author: &Author, all: &[(TenantId, Event)]) -> Result<(), DbError> {
    let now = author.now();
    let tenants: BTreeSet<TenantId> = all.iter().map(|(tenant, _)| *tenant).collect();
    let tenants: Vec<TenantId> = tenants.into_iter().collect();
    tenants::store::lock_several(conn, tenants.clone())?;
    let mut waiting: HashSet<TenantId> = events::table
        .filter(events::tenant_id.eq_any(tenants.clone()))
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .select(events::tenant_id)
        .distinct()
        .load(conn)?
        .into_iter()
        .collect();
    let mut last: HashMap<TenantId, Option<EventId>> = events::table
        .filter(events::tenant_id.eq_any(tenants))
        .group_by(events::tenant_id)
        .select((events::tenant_id, max(events::id)))
        .load::<(TenantId, Option<EventId>)>(conn)?
        .into_iter()
        .collect();
    let rows: Vec<NewEvent<'_>> = all
        .iter()
        .map(|(tenant, event)| {
            let last = last.entry(*tenant).or_default();
            let id = id_after(*last, now, &*author.random);
            *last = Some(id);
            NewEvent {
                id,
                tenant_id: *tenant,
                kind: event.kind.as_str(),
                subject_id: &event.subject,
                payload: event.payload.to_string(),
                request_id: author.source.request_id.as_deref(),
                created_at: now,
                attempts: 0,
                available_at: if waiting.insert(*tenant) { now } else { IN_ITS_TURN },
                delivered_at: None,
                failed_at: None,
            }
        })
        .collect();
    if !rows.is_empty() {
        each!(conn, c => diesel::insert_into(events::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// A UUIDv7 of now, or of the millisecond after `last` where the clock of this machine is not past that.
fn id_after(last: Option<EventId>, now: UtcTime, random: &dyn Random) -> EventId {
    let earliest = last.map_or(0, |last| milliseconds_of(&last) + 1);
    let mut bytes = [0; 10];
    random.fill(&mut bytes);
    let uuid = uuid::Builder::from_unix_timestamp_millis(now.unix_millis().max(earliest), &bytes).into_uuid();
    EventId::from_uuid(uuid)
}

/// The first 48 bits (RFC 9562 §5.7).
fn milliseconds_of(id: &EventId) -> u64 {
    let number = Uuid::try_parse(id.as_str()).unwrap_or_default().as_u128() >> 80;
    u64::try_from(number).unwrap_or_default()
}

/// The oldest event of a tenant that has to be delivered, taken by this worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Whose.
    pub tenant_id: TenantId,
    /// Which.
    pub first: EventId,
}

/// Takes the tenants whose oldest undelivered event is due, `most` at most, until `leased_until`: no other worker delivers
/// for them before that.
pub fn claim(conn: &mut Connection, now: UtcTime, leased_until: UtcTime, most: i64) -> Result<Vec<Claim>, DbError> {
    let due: Vec<(TenantId, EventId)> = events::table
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .filter(events::available_at.le(now))
        .select((events::tenant_id, events::id))
        .order(events::available_at.asc())
        .limit(most)
        .lock_rows_skipping()
        .get_results(conn)?;
    if due.is_empty() {
        return Ok(Vec::new());
    }
    let heads = heads(conn, due.iter().map(|(tenant_id, _)| *tenant_id).collect())?;
    let (first, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|(_, id)| heads.contains(id));
    let ids = |rows: &[(TenantId, EventId)]| rows.iter().map(|(_, id)| *id).collect::<Vec<_>>();
    diesel::update(events::table.filter(events::id.eq_any(ids(&first))))
        .set(events::available_at.eq(leased_until))
        .execute(conn)?;
    if !others.is_empty() {
        diesel::update(events::table.filter(events::id.eq_any(ids(&others))))
            .set(events::available_at.eq(IN_ITS_TURN))
            .execute(conn)?;
    }
    Ok(first.into_iter().map(|(tenant_id, first)| Claim { tenant_id, first }).collect())
}

/// How many tenants are looked at at once.
const MOST_HEADS: i64 = 1_000;

/// The oldest undelivered event of each of these tenants.
fn heads(conn: &mut Connection, of: BTreeSet<TenantId>) -> Result<Vec<EventId>, DbError> {
    let heads: Vec<Option<EventId>> = events::table
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .filter(events::tenant_id.eq_any(of))
        .group_by(events::tenant_id)
        .select(min(events::id))
        .load(conn)?;
    Ok(heads.into_iter().flatten().collect())
}

/// When the next event is due, if any waits.
pub fn next_due(conn: &mut Connection) -> Result<Option<UtcTime>, DbError> {
    Ok(events::table
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .order(events::available_at.asc())
        .select(events::available_at)
        .first(conn)
        .optional()?)
}

/// Makes the oldest event of a tenant due that waits for its turn, should there ever be one: nobody would come for it.
pub fn wake(conn: &mut Connection, now: UtcTime) -> Result<usize, DbError> {
    let heads: Vec<Option<EventId>> = events::table
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .group_by(events::tenant_id)
        .select(min(events::id))
        .limit(MOST_HEADS)
        .load(conn)?;
    let heads: Vec<EventId> = heads.into_iter().flatten().collect();
    let asleep = events::table.filter(events::id.eq_any(heads).and(events::available_at.eq(IN_ITS_TURN)));
    Ok(diesel::update(asleep).set(events::available_at.eq(now)).execute(conn)?)
}

/// The undelivered events of a tenant, oldest first.
pub fn waiting(conn: &mut Connection, scope: TenantScope, most: i64) -> Result<Vec<StoredEvent>, DbError> {
    Ok(events::table
        .filter(events::tenant_id.eq(scope.tenant_id()))
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .select(StoredEvent::as_select())
        .order(events::id.asc())
        .limit(most)
        .load(conn)?)
}

/// What became of a delivery that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// The receiver has it.
    Delivered,
    /// The receiver says that it is wrong. It holds up no other, and is sent again then.
    Refused {
        /// When.
        again: UtcTime,
    },
}

/// Notes the answer to an event, and hands the lease on to the next of the tenant until `next_until`. Whether the event was
/// still waiting: if not, another worker has taken over.
pub fn settle(
    conn: &mut Connection,
    scope: TenantScope,
    id: EventId,
    answered: Answered,
    now: UtcTime,
    next_until: UtcTime,
) -> Result<bool, DbError> {
    // Whoever writes the next event sees either that this one waits, or that none does.
    tenants::store::lock(conn, scope)?;
    let waiting = events::table
        .filter(events::tenant_id.eq(scope.tenant_id()).and(events::id.eq(id)))
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()));
    let changed = match answered {
        Answered::Delivered => diesel::update(waiting).set(events::delivered_at.eq(Some(now))).execute(conn)?,
        Answered::Refused { again } => diesel::update(waiting)
            .set((events::failed_at.eq(Some(now)), events::available_at.eq(again), events::attempts.eq(1)))
            .execute(conn)?,
    };
    if changed == 0 {
        return Ok(false);
    }
    let next: Option<EventId> = events::table
        .filter(events::tenant_id.eq(scope.tenant_id()).and(events::id.gt(id)))
        .filter(events::delivered_at.is_null().and(events::failed_at.is_null()))
        .select(min(events::id))
        .first(conn)?;
    if let Some(next) = next {
        wait_until(conn, scope, next, next_until)?;
    }
    Ok(true)
}

/// Takes events that were refused and are to be sent again, `most` at most, until `leased_until`. They are late already, so
/// they keep no order.
pub fn claim_refused(
    conn: &mut Connection,
    now: UtcTime,
    leased_until: UtcTime,
    most: i64,
) -> Result<Vec<(TenantId, StoredEvent)>, DbError> {
    let due: Vec<(TenantId, StoredEvent)> = events::table
        .filter(events::delivered_at.is_null().and(events::failed_at.is_not_null()))
        .filter(events::available_at.le(now))
        .select((events::tenant_id, StoredEvent::as_select()))
        .order(events::available_at.asc())
        .limit(most)
        .lock_rows_skipping()
        .get_results(conn)?;
    if !due.is_empty() {
        let ids: Vec<EventId> = due.iter().map(|(_, event)| event.id).collect();
        diesel::update(events::table.filter(events::id.eq_any(ids)))
            .set(events::available_at.eq(leased_until))
            .execute(conn)?;
    }
    Ok(due)
}

/// Notes that an event that was refused was taken after all.
pub fn taken_after_all(conn: &mut Connection, scope: TenantScope, id: EventId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(events::table)
        .filter(events::tenant_id.eq(scope.tenant_id()).and(events::id.eq(id)))
        .set(events::delivered_at.eq(Some(now)))
        .execute(conn)?;
    Ok(())
}

/// How many events wait for their turn, and how many were refused and are sent again.
pub fn backlog(conn: &mut Connection) -> Result<(i64, i64), DbError> {
    let undelivered = || events::table.filter(events::delivered_at.is_null());
    let waiting = undelivered().filter(events::failed_at.is_null()).count().get_result(conn)?;
    let refused = undelivered().filter(events::failed_at.is_not_null()).count().get_result(conn)?;
    Ok((waiting, refused))
}

/// Notes that a delivery failed: the event, and with it every later one of the tenant, waits until `until`.
pub fn postpone(conn: &mut Connection, scope: TenantScope, id: EventId, until: UtcTime) -> Result<(), DbError> {
    diesel::update(events::table)
        .filter(events::tenant_id.eq(scope.tenant_id()).and(events::id.eq(id)))
        .set((events::available_at.eq(until), events::attempts.eq(events::attempts + 1)))
        .execute(conn)?;
    Ok(())
}

/// Sets until when an event waits, which is not for a failure.
pub fn wait_until(conn: &mut Connection, scope: TenantScope, id: EventId, until: UtcTime) -> Result<(), DbError> {
    diesel::update(events::table)
        .filter(events::tenant_id.eq(scope.tenant_id()).and(events::id.eq(id)))
        .set(events::available_at.eq(until))
        .execute(conn)?;
    Ok(())
}

/// How many rows go in one transaction.
const PIECE: i64 = 500;

/// Deletes one piece of the events that were settled and are older than `kept`; where there is no receiver, also of those
/// that nobody waits for. How many went.
pub fn prune(conn: &mut Connection, now: UtcTime, kept: Duration, has_receiver: bool) -> Result<usize, DbError> {
    let mut old = events::table.filter(events::created_at.lt(now - kept)).select(events::id).limit(PIECE).into_boxed();
    if has_receiver {
        old = old.filter(events::delivered_at.is_not_null().or(events::failed_at.is_not_null()));
    }
    let ids: Vec<EventId> = old.load(conn)?;
    if ids.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(events::table.filter(events::id.eq_any(ids))).execute(conn)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_types::{Clock as _, SystemClock, SystemRandom};

    #[test]
    fn ids_go_up_whatever_the_clock_does() {
        let now = SystemClock.now();
        let first = id_after(None, now, &SystemRandom);
        let second = id_after(Some(first), now, &SystemRandom);
        let third = id_after(Some(second), now - Duration::from_secs(5), &SystemRandom);
        assert!(first < second && second < third);
        assert_eq!(milliseconds_of(&third), now.unix_millis() + 2);
    }
}
