//! The rules of giving and taking.

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{InputError, RoleId, UserId, UtcTime};

use super::assignments::routes::ASSIGN;
use super::kind::{MISSING, attributes};
use super::routes::READ;
use super::{RoleError, claim, store};
use crate::access::{Authority, Held, PermissionPattern, Portion, TenantAccess, Turn};
use crate::change::Work;
use crate::schema::users;
use crate::signals::SignalKind;

/// What comes with these roles.
///
/// # Errors
/// [`RoleError::NotFound`] for a role that is not there.
pub fn portion_of(tenant: &TenantAccess, roles: &[RoleId]) -> Result<Portion, RoleError> {
    let mut portion = Portion::default();
    for id in roles {
        portion.add(tenant.portion_of_role(*id).ok_or(RoleError::NotFound)?);
    }
    Ok(portion)
}

/// Whether the caller, as they are now, may give this for good: they hold everything that comes with it, for good.
///
/// # Errors
/// [`RoleError::NotHeld`].
pub fn may_give(now: &Authority, portion: &Portion) -> Result<(), RoleError> {
    refuse(&lacking(now, portion, Turn::Given, Held::ForGood))
}

/// Whether the caller may give this until a time: they hold everything that comes with it as long.
///
/// # Errors
/// [`RoleError::NotHeld`]; [`RoleError::Invalid`] where they hold it, but not as long.
pub(super) fn may_give_until(now: &Authority, portion: &Portion, expires_at: Option<UtcTime>) -> Result<(), RoleError> {
    let lacking = lacking(now, portion, Turn::Given, expires_at.map_or(Held::ForGood, Held::Until));
    let ends = lacking.iter().map(|(_, held)| match held {
        Held::Until(time) => Some(*time),
        Held::Not | Held::ForGood => None,
    });
    match ends.collect::<Option<Vec<UtcTime>>>().and_then(|ends| ends.into_iter().min()) {
        Some(end) => {
            let detail = format!("must be at most {end}: you do not hold longer yourself what comes with the role");
            Err(RoleError::Invalid(vec![InputError::new("/expires_at", "later", detail)]))
        }
        None => refuse(&lacking),
    }
}

/// Whether the caller may take this from somebody: they hold everything that comes with it now.
///
/// # Errors
/// [`RoleError::NotHeld`].
pub fn may_take(now: &Authority, portion: &Portion) -> Result<(), RoleError> {
    refuse(&lacking(now, portion, Turn::Taken, Held::Until(now.now())))
}

/// What the caller holds less than `wanted`, with what they do hold of it.
fn lacking(now: &Authority, portion: &Portion, turn: Turn, wanted: Held) -> Vec<(PermissionPattern, Held)> {
    let with_held = |pattern: PermissionPattern| {
        let held = now.held(&pattern);
        (pattern, held)
    };
    let patterns = portion.patterns(now.tenant(), turn).into_iter();
    patterns.map(with_held).filter(|(_, held)| *held < wanted).collect()
}

fn refuse(lacking: &[(PermissionPattern, Held)]) -> Result<(), RoleError> {
    let one = |(pattern, held): &(PermissionPattern, Held)| match held {
        Held::Until(end) => format!("{pattern} (you do until {end})"),
        Held::Not | Held::ForGood => pattern.to_string(),
    };
    let missing: Vec<String> = lacking.iter().take(10).map(one).collect();
    if missing.is_empty() { Ok(()) } else { Err(RoleError::NotHeld(missing.join(", "))) }
}

/// Whether the policies that speak of these roles let the caller give and take them.
///
/// # Errors
/// [`RoleError::Access`], [`RoleError::NotFound`] for a role that is not there.
pub fn may_assign(work: &mut Work<'_>, now: &Authority, ids: &[RoleId]) -> Result<(), RoleError> {
    let wanted: BTreeSet<String> = ids.iter().map(ToString::to_string).collect();
    let found = store::rows(work.conn, work.scope, &wanted.iter().cloned().collect::<Vec<_>>())?;
    if found.len() < wanted.len() {
        return Err(RoleError::NotFound);
    }
    for role in &found {
        now.check_shown(READ, ASSIGN, attributes(role), MISSING)?;
    }
    Ok(())
}

/// Whether somebody who may do everything is left, and can undo what policies forbid, after roles were given or taken or
/// people switched off. To be called in the transaction that did it, with the tenant's row locked. A client is not held to
/// it: it can give the role again.
///
/// # Errors
/// [`RoleError::LastAdministrator`].
pub fn check_somebody_is_left(conn: &mut Connection, before: &Authority, scope: TenantScope) -> Result<(), RoleError> {
    if before.subject().is_none() {
        return Ok(());
    }
    let tenant = Arc::new(before.changed_tenant(conn)?);
    let all = tenant.roles_that_allow_all();
    let is_left = crate::access::anybody_has(conn, scope, &all)? && before.somebody_can_mend(conn, &tenant)?;
    if is_left { Ok(()) } else { Err(RoleError::LastAdministrator) }
}

/// Notes that roles of a user were given or taken here: what the identity provider tells of them and their tokens name does
/// not count any more, the provider is told, and every replica forgets what it remembers.
///
/// # Errors
/// [`DbError::Busy`] while the provider is being asked which roles they have.
pub fn touch_user(work: &mut Work<'_>, user: UserId) -> Result<(), DbError> {
    if claim::is_awaited(work.conn, work.scope, user)? {
        return Err(DbError::Busy("the roles that somebody has at the identity provider are not known yet".to_owned()));
    }
    let row = users::table.filter(users::tenant_id.eq(work.scope.tenant_id()).and(users::id.eq(user)));
    diesel::update(row)
        .set((users::roles_managed.eq(true), users::updated_at.eq(work.clock.now())))
        .execute(work.conn)?;
    claim::changed(work.conn, work.scope, (work.clock, work.random), &[user])?;
    work.signal(SignalKind::Subject, Some(user.as_str()))
}
