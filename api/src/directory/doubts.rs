//! Accounts of which it is not sure that what is known here is what the identity provider has: something was asked of it,
//! and the answer is not here yet. What a crash leaves over is looked up by a worker.

use std::time::Duration;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, UpsertDsl as _};
use tenantry_types::{TenantId, UserId, UtcTime};

use crate::schema::account_doubts;

/// How long whoever asked has for it, before the worker looks: longer than a request takes.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

#[derive(Insertable)]
#[diesel(table_name = account_doubts, treat_none_as_default_value = false)]
struct NewDoubt {
    tenant_id: TenantId,
    user_id: UserId,
    attempts: i64,
    available_at: UtcTime,
    created_at: UtcTime,
}

/// Notes that something is about to be asked.
pub(super) fn raise(conn: &mut Connection, scope: TenantScope, id: UserId, now: UtcTime) -> Result<(), DbError> {
    let available_at = now + LEFT_ALONE;
    let row = NewDoubt { tenant_id: scope.tenant_id(), user_id: id, attempts: 0, available_at, created_at: now };
    diesel::insert_into(account_doubts::table)
        .values(row)
        .upsert(
            (account_doubts::tenant_id, account_doubts::user_id),
            (account_doubts::attempts.eq(0), account_doubts::available_at.eq(available_at)),
        )
        .execute(conn)?;
    Ok(())
}

/// Notes that the answer is here.
pub(super) fn settle(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<(), DbError> {
    let row = account_doubts::table
        .filter(account_doubts::tenant_id.eq(scope.tenant_id()).and(account_doubts::user_id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Makes what is in doubt be looked up soon.
pub(super) fn hurry(conn: &mut Connection, scope: TenantScope, id: UserId, now: UtcTime) -> Result<(), DbError> {
    let row = account_doubts::table
        .filter(account_doubts::tenant_id.eq(scope.tenant_id()).and(account_doubts::user_id.eq(id)));
    diesel::update(row).set(account_doubts::available_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Takes one account, of any tenant, that nobody else is looking up; it is due again after a pause that grows.
pub(super) fn take(conn: &mut Connection, now: UtcTime) -> Result<Option<(TenantId, UserId)>, DbError> {
    let due: Option<(TenantId, UserId, i64)> = account_doubts::table
        .filter(account_doubts::available_at.le(now))
        .order(account_doubts::available_at.asc())
        .select((account_doubts::tenant_id, account_doubts::user_id, account_doubts::attempts))
        .limit(1)
        .lock_rows_skipping()
        .get_result(conn)
        .optional()?;
    let Some((tenant, user, attempts)) = due else { return Ok(None) };
    let exponent = u32::try_from(attempts.clamp(0, 10)).unwrap_or(10);
    let pause = (Duration::from_secs(5) * 2_u32.pow(exponent)).min(LONGEST_PAUSE);
    diesel::update(
        account_doubts::table.filter(account_doubts::tenant_id.eq(tenant).and(account_doubts::user_id.eq(user))),
    )
    .set((account_doubts::attempts.eq(attempts + 1), account_doubts::available_at.eq(now + pause)))
    .execute(conn)?;
    Ok(Some((tenant, user)))
}
