//! Accounts of which it is not sure that what is known here is what the identity provider has: something was asked of it,
//! and the answer is not here yet. What a crash leaves over is looked up by a worker.
//!
//! Whoever asks for something owns the doubt until the answer is here, so that one change to somebody comes after the other;
//! nobody settles what another has raised.

use std::time::Duration;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{Id, TenantId, UserId, UtcTime};

use crate::schema::account_doubts;

/// How long whoever asked has for it, before the worker looks: longer than a request takes.
const LEFT_ALONE: Duration = Duration::from_secs(60);
/// Stands for the number of looks where there is to be another one, whatever the one that is under way finds.
const AGAIN: i64 = -1;
/// The longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// Whoever finds out what became of an account: a request, or the worker.
#[derive(Debug)]
pub(super) enum Asker {}

/// Names one of them.
pub(super) type Owner = Id<Asker>;

#[derive(Insertable)]
#[diesel(table_name = account_doubts, treat_none_as_default_value = false)]
struct NewDoubt {
    tenant_id: TenantId,
    user_id: UserId,
    attempts: i64,
    available_at: UtcTime,
    created_at: UtcTime,
    owner: Option<Owner>,
    may_end: bool,
}

macro_rules! of {
    ($scope:expr, $user:expr) => {
        account_doubts::table
            .filter(account_doubts::tenant_id.eq($scope.tenant_id()).and(account_doubts::user_id.eq($user)))
    };
}

/// Notes that something is about to be asked, after which they may be no user of the tenant any more (`may_end`). False when
/// somebody else is at it. To be called with the tenant's row locked.
pub(super) fn raise(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    owner: Owner,
    may_end: bool,
    now: UtcTime,
) -> Result<bool, DbError> {
    let available_at = now + LEFT_ALONE;
    let found: Option<(Option<Owner>, bool, UtcTime)> = of!(scope, id)
        .select((account_doubts::owner, account_doubts::may_end, account_doubts::available_at))
        .lock_rows()
        .get_result(conn)
        .optional()?;
    match found {
        Some((Some(other), _, until)) if other != owner && now < until => return Ok(false),
        // Whatever was asked before it may yet come out.
        Some((_, might_end, _)) => {
            diesel::update(of!(scope, id))
                .set((
                    account_doubts::owner.eq(Some(owner)),
                    account_doubts::may_end.eq(might_end || may_end),
                    account_doubts::attempts.eq(0_i64),
                    account_doubts::available_at.eq(available_at),
                ))
                .execute(conn)?;
        }
        None => {
            let row = NewDoubt {
                tenant_id: scope.tenant_id(),
                user_id: id,
                attempts: 0,
                available_at,
                created_at: now,
                owner: Some(owner),
                may_end,
            };
            diesel::insert_into(account_doubts::table).values(row).execute(conn)?;
        }
    }
    Ok(true)
}

/// Whether somebody other than `owner` is at it.
pub(super) fn is_held(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    owner: Owner,
    now: UtcTime,
) -> Result<bool, DbError> {
    let found: Option<UserId> = of!(scope, id)
        .filter(account_doubts::owner.ne(owner).and(account_doubts::available_at.gt(now)))
        .select(account_doubts::user_id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Notes that the answer is here. False when somebody else has taken over since: it is theirs to settle; and when they were
/// doubted again meanwhile: the answer may be of before, and they are looked up once more.
pub(super) fn settle(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    owner: Owner,
    now: UtcTime,
) -> Result<bool, DbError> {
    let mine = || of!(scope, id).filter(account_doubts::owner.eq(owner));
    let again = (
        account_doubts::attempts.eq(0_i64),
        account_doubts::available_at.eq(now),
        account_doubts::owner.eq(None::<Owner>),
    );
    diesel::update(mine().filter(account_doubts::attempts.eq(AGAIN))).set(again).execute(conn)?;
    Ok(diesel::delete(mine()).execute(conn)? > 0)
}

/// Makes what is in doubt be looked up soon, and lets others ask.
pub(super) fn hurry(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    owner: Owner,
    now: UtcTime,
) -> Result<(), DbError> {
    diesel::update(of!(scope, id).filter(account_doubts::owner.eq(owner)))
        .set((account_doubts::available_at.eq(now), account_doubts::owner.eq(None::<Owner>)))
        .execute(conn)?;
    Ok(())
}

/// Lets others ask, and leaves the next look to when it is due.
pub(super) fn let_go(conn: &mut Connection, scope: TenantScope, id: UserId, owner: Owner) -> Result<(), DbError> {
    diesel::update(of!(scope, id).filter(account_doubts::owner.eq(owner)))
        .set(account_doubts::owner.eq(None::<Owner>))
        .execute(conn)?;
    Ok(())
}

/// Notes that somebody is to be looked up at once, because they may not be there any more (`may_end`) or are others than is
/// known. Where somebody is asking about them, that is done when they have their answer.
pub fn doubt(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    may_end: bool,
    now: UtcTime,
) -> Result<(), DbError> {
    let found: Option<Option<Owner>> =
        of!(scope, id).select(account_doubts::owner).lock_rows().get_result(conn).optional()?;
    match found {
        Some(None) => {
            diesel::update(of!(scope, id)).set(account_doubts::available_at.eq(now)).execute(conn)?;
            return Ok(());
        }
        Some(Some(_)) => {
            diesel::update(of!(scope, id)).set(account_doubts::attempts.eq(AGAIN)).execute(conn)?;
            return Ok(());
        }
        None => {}
    }
    let row = NewDoubt {
        tenant_id: scope.tenant_id(),
        user_id: id,
        attempts: 0,
        available_at: now,
        created_at: now,
        owner: None,
        may_end,
    };
    diesel::insert_into(account_doubts::table).values(row).execute(conn)?;
    Ok(())
}

/// Takes one account, of any tenant, that nobody else is looking up; it is due again after a pause that grows. What has become
/// due last comes first: somebody waits for it, as nobody does for what an upgrade has left to look up.
pub(super) fn take(conn: &mut Connection, owner: Owner, now: UtcTime) -> Result<Option<(TenantId, UserId)>, DbError> {
    let due: Option<(TenantId, UserId, i64)> = account_doubts::table
        .filter(account_doubts::available_at.le(now))
        .order(account_doubts::available_at.desc())
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
    .set((
        account_doubts::attempts.eq(attempts + 1),
        account_doubts::available_at.eq(now + pause),
        account_doubts::owner.eq(Some(owner)),
    ))
    .execute(conn)?;
    Ok(Some((tenant, user)))
}
