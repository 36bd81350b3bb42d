//! The rows of revocations.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, Random, TenantId, UtcTime};

use super::model::RevocationKind;
use super::{Revocation, Revoked, TokenFacts};
use crate::schema::revocations;
use crate::signals::{self, Signal, SignalKind};

/// Rows that are deleted at once.
const PRUNED_AT_ONCE: i64 = 1_000;

type Row = (TenantId, RevocationKind, String, UtcTime);

#[derive(Insertable)]
#[diesel(table_name = revocations, treat_none_as_default_value = false)]
struct NewRevocation<'a> {
    tenant_id: TenantId,
    kind: RevocationKind,
    target: &'a str,
    not_before: UtcTime,
    expires_at: UtcTime,
}

/// Refuses tokens that were issued at `not_before` or earlier, and tells every replica. To be called with the tenant's row
/// locked. `None` when it was so already, or no token can be left that it concerns.
pub fn revoke(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    whose: Revoked,
    not_before: UtcTime,
) -> Result<Option<Signal>, DbError> {
    let revocation = Revocation { tenant_id: scope.tenant_id(), whose, not_before };
    if revocation.expires_at() <= clock.now() {
        return Ok(None);
    }
    let target = revocation.target();
    let known: Option<UtcTime> = revocations::table
        .filter(revocations::tenant_id.eq(scope.tenant_id()))
        .filter(revocations::kind.eq(revocation.kind()).and(revocations::target.eq(&target)))
        .select(revocations::not_before)
        .first(conn)
        .optional()?;
    if known.is_some_and(|known| known >= not_before) {
        return Ok(None);
    }
    let row = NewRevocation {
        tenant_id: scope.tenant_id(),
        kind: revocation.kind(),
        target: &target,
        not_before,
        expires_at: revocation.expires_at(),
    };
    let key = (revocations::tenant_id, revocations::kind, revocations::target);
    let later = (revocations::not_before.eq(not_before), revocations::expires_at.eq(revocation.expires_at()));
    diesel::insert_into(revocations::table).values(row).upsert(key, later).execute(conn)?;
    signals::send(conn, scope, clock, random, SignalKind::Revocation, Some(&revocation.note())).map(Some)
}

/// The revocations of all tenants that still count, at most so many, those that count longest first.
pub(super) fn current(conn: &mut Connection, now: UtcTime, limit: i64) -> Result<Vec<Revocation>, DbError> {
    let rows: Vec<Row> = revocations::table
        .filter(revocations::expires_at.gt(now))
        .order(revocations::expires_at.desc())
        .select((revocations::tenant_id, revocations::kind, revocations::target, revocations::not_before))
        .limit(limit)
        .load(conn)?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// The revocations that may concern a token.
pub(super) fn about(conn: &mut Connection, scope: TenantScope, token: &TokenFacts) -> Result<Vec<Revocation>, DbError> {
    let mut targets = vec![scope.tenant_id().to_string()];
    targets.extend(token.user.map(|id| id.to_string()));
    targets.extend(token.session.map(|id| id.to_string()));
    let rows: Vec<Row> = revocations::table
        .filter(revocations::tenant_id.eq(scope.tenant_id()))
        .filter(revocations::kind.eq_any(RevocationKind::ALL.to_vec()).and(revocations::target.eq_any(targets)))
        .select((revocations::tenant_id, revocations::kind, revocations::target, revocations::not_before))
        .limit(10)
        .load(conn)?;
    Ok(rows.into_iter().filter_map(from_row).collect())
}

/// Deletes some of those that count no more.
pub(super) fn prune(conn: &mut Connection, now: UtcTime) -> Result<(), DbError> {
    let over: Vec<UtcTime> = revocations::table
        .filter(revocations::expires_at.le(now))
        .order(revocations::expires_at.asc())
        .select(revocations::expires_at)
        .limit(PRUNED_AT_ONCE)
        .load(conn)?;
    if let Some(last) = over.last() {
        diesel::delete(revocations::table.filter(revocations::expires_at.le(*last))).execute(conn)?;
    }
    Ok(())
}

fn from_row((tenant_id, kind, target, not_before): Row) -> Option<Revocation> {
    Revocation::of(tenant_id, kind, &target, not_before)
}
