//! The rows of keys.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, JsonText, Sha256Hash, TenantId, UtcTime};

use super::{Answer, IdempotencyError, Once};
use crate::schema::idempotency_keys;

/// How long an answer is given again.
const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a request is believed to be under way: longer than any takes.
const HELD_FOR: Duration = Duration::from_secs(60);
/// Rows of the past that are deleted when a new one comes.
const PRUNED_AT_ONCE: i64 = 20;

#[derive(Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
struct KeyRow {
    request_hash: Sha256Hash,
    answer: Option<JsonText<Answer>>,
    held_until: UtcTime,
    expires_at: UtcTime,
    found: Option<JsonText<Value>>,
}

#[derive(Insertable, AsChangeset)]
#[diesel(table_name = idempotency_keys, treat_none_as_default_value = false, treat_none_as_null = true)]
struct NewKey<'a> {
    tenant_id: TenantId,
    key_hash: &'a Sha256Hash,
    request_hash: &'a Sha256Hash,
    answer: Option<&'a JsonText<Answer>>,
    created_at: UtcTime,
    held_until: UtcTime,
    expires_at: UtcTime,
    found: Option<&'a JsonText<Value>>,
}

/// What a request is, once its key was looked up.
#[derive(Debug)]
pub enum Begun {
    /// The first of its key: do it.
    First,
    /// A repeat of one that broke off: go on with it. What that one [`found`], if it kept it.
    Again(Option<Value>),
    /// A repeat: this is the answer.
    Repeat(Answer),
}

/// Takes the key for this request. In a transaction that also does what was asked for, [`complete`] follows in it; where
/// something outside of the database has to be done, the key is held for a minute, so that another attempt can go on
/// where this one broke off.
///
/// # Errors
/// [`IdempotencyError::OtherRequest`], [`IdempotencyError::UnderWay`].
pub fn begin<E>(conn: &mut Connection, scope: TenantScope, clock: &dyn Clock, once: &Once) -> Result<Begun, E>
where
    E: From<DbError> + From<IdempotencyError>,
{
    let Once::Keyed { key, request } = once else { return Ok(Begun::First) };
    let now = clock.now();
    prune(conn, now)?;
    let row = NewKey {
        tenant_id: scope.tenant_id(),
        key_hash: key,
        request_hash: request,
        answer: None,
        created_at: now,
        held_until: now + HELD_FOR,
        expires_at: now + KEPT_FOR,
        found: None,
    };
    match insert(conn, &row) {
        Ok(()) => return Ok(Begun::First),
        Err(DbError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let Some(found) = find(conn, scope, key)? else {
        // It went between the two queries: whoever had it gave up.
        insert(conn, &row)?;
        return Ok(Begun::First);
    };
    if found.expires_at <= now {
        take_over(conn, scope, key, &row)?;
        return Ok(Begun::First);
    }
    if found.request_hash != *request {
        return Err(IdempotencyError::OtherRequest.into());
    }
    match found.answer {
        Some(answer) => Ok(Begun::Repeat(Answer { is_repeat: true, ..answer.into_inner() })),
        None if found.held_until > now => Err(IdempotencyError::UnderWay.into()),
        None => {
            take_over(conn, scope, key, &NewKey { found: found.found.as_ref(), ..row })?;
            Ok(Begun::Again(found.found.map(JsonText::into_inner)))
        }
    }
}

/// Keeps what a request found before it asked for something outside of the database: a repeat that goes on with it finds
/// what came of it, and could not tell what was there before.
pub fn found(conn: &mut Connection, scope: TenantScope, once: &Once, found: Value) -> Result<(), DbError> {
    let Once::Keyed { key, .. } = once else { return Ok(()) };
    let found = JsonText::new(found).map_err(|error| DbError::Invalid(format!("found: {error}")))?;
    let row = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)));
    diesel::update(row).set(idempotency_keys::found.eq(Some(found))).execute(conn)?;
    Ok(())
}

/// The answer that another attempt at the same request has given meanwhile.
pub fn answered(conn: &mut Connection, scope: TenantScope, once: &Once) -> Result<Option<Answer>, DbError> {
    let Once::Keyed { key, .. } = once else { return Ok(None) };
    let answer = find(conn, scope, key)?.and_then(|row| row.answer);
    Ok(answer.map(|answer| Answer { is_repeat: true, ..answer.into_inner() }))
}

/// Keeps the answer for those who repeat the request.
pub fn complete(conn: &mut Connection, scope: TenantScope, once: &Once, answer: &Answer) -> Result<(), DbError> {
    let Once::Keyed { key, .. } = once else { return Ok(()) };
    let answer = JsonText::new(answer.clone()).map_err(|error| DbError::Invalid(format!("answer: {error}")))?;
    let row = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)));
    let nothing = None::<JsonText<Value>>;
    diesel::update(row)
        .set((idempotency_keys::answer.eq(Some(answer)), idempotency_keys::found.eq(nothing)))
        .execute(conn)?;
    Ok(())
}

/// Gives the key back: it came to nothing, and a repeat is to try again.
pub fn abandon(conn: &mut Connection, scope: TenantScope, once: &Once) -> Result<(), DbError> {
    let Once::Keyed { key, .. } = once else { return Ok(()) };
    let row = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)))
        .filter(idempotency_keys::answer.is_null());
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Says that a request under this key is not under way any more, without an answer: a repeat goes on at once, and gets the
/// answer if there is one by then.
pub fn release(conn: &mut Connection, scope: TenantScope, clock: &dyn Clock, once: &Once) -> Result<(), DbError> {
    let Once::Keyed { key, .. } = once else { return Ok(()) };
    let row = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)))
        .filter(idempotency_keys::answer.is_null());
    diesel::update(row).set(idempotency_keys::held_until.eq(clock.now())).execute(conn)?;
    Ok(())
}

fn insert(conn: &mut Connection, row: &NewKey<'_>) -> Result<(), DbError> {
    diesel::insert_into(idempotency_keys::table).values(row).execute(conn)?;
    Ok(())
}

fn take_over(conn: &mut Connection, scope: TenantScope, key: &Sha256Hash, row: &NewKey<'_>) -> Result<(), DbError> {
    let found = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)));
    diesel::update(found).set(row).execute(conn)?;
    Ok(())
}

fn find(conn: &mut Connection, scope: TenantScope, key: &Sha256Hash) -> Result<Option<KeyRow>, DbError> {
    let row = idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(scope.tenant_id()).and(idempotency_keys::key_hash.eq(key)))
        .select(KeyRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// Deletes some of the keys that are over, of all tenants.
fn prune(conn: &mut Connection, now: UtcTime) -> Result<(), DbError> {
    let over: Vec<(TenantId, Sha256Hash)> = idempotency_keys::table
        .filter(idempotency_keys::expires_at.lt(now))
        .select((idempotency_keys::tenant_id, idempotency_keys::key_hash))
        .order(idempotency_keys::expires_at.asc())
        .limit(PRUNED_AT_ONCE)
        .load(conn)?;
    if !over.is_empty() {
        let keys: Vec<Sha256Hash> = over.into_iter().map(|(_, key)| key).collect();
        // Digests are of 256 bits: one names one row. Time is asked for again, because the row may have been taken over.
        diesel::delete(
            idempotency_keys::table
                .filter(idempotency_keys::key_hash.eq_any(keys).and(idempotency_keys::expires_at.lt(now))),
        )
        .execute(conn)?;
    }
    Ok(())
}
