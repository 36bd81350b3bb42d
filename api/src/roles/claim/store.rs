//! The rows: what people were given, what was told of them, and which tenants are to be reviewed.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::json;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, GroupId, Random, RoleAssignmentId, RoleId, Sha256Hash, TenantId, UserId, UtcTime};

use super::model::{Given, Structure, names_digest};
use crate::outbox;
use crate::schema::{group_members, group_roles, role_parents, role_reviews, roles, user_groups, user_roles, users};

/// More roles or groups than a tenant may make.
const MOST: i64 = 20_000;
/// How many roles somebody has by themselves at most, and groups that they are in that count.
const MOST_OF_ONE: i64 = 1_000;

/// People who are looked at, and assignments whose end is noticed, in one transaction.
pub(super) const PIECE: i64 = 200;

/// What the messages are called: `{"user_id"}`.
pub const ROLES_CHANGED: &str = "account.roles_changed";

fn structure(conn: &mut Connection, scope: TenantScope) -> Result<Structure, DbError> {
    let tenant = scope.tenant_id();
    let names: Vec<(RoleId, String)> =
        roles::table.filter(roles::tenant_id.eq(tenant)).select((roles::id, roles::name)).limit(MOST).load(conn)?;
    let parents: Vec<(RoleId, RoleId)> = role_parents::table
        .filter(role_parents::tenant_id.eq(tenant))
        .select((role_parents::role_id, role_parents::parent_id))
        .limit(MOST)
        .load(conn)?;
    let groups: Vec<(GroupId, Option<GroupId>)> = user_groups::table
        .filter(user_groups::tenant_id.eq(tenant))
        .select((user_groups::id, user_groups::parent_id))
        .limit(MOST)
        .load(conn)?;
    let by_groups: Vec<(GroupId, RoleId)> = group_roles::table
        .filter(group_roles::tenant_id.eq(tenant))
        .select((group_roles::group_id, group_roles::role_id))
        .limit(MOST)
        .load(conn)?;
    let mut found = Structure { names: names.into_iter().collect(), ..Structure::default() };
    found.part_of = groups.into_iter().filter_map(|(group, whole)| Some((group, whole?))).collect();
    for (role, parent) in parents {
        found.inherits.entry(role).or_default().push(parent);
    }
    for (group, role) in by_groups {
        found.roles_of.entry(group).or_default().push(role);
    }
    Ok(found)
}

/// What these people have been given, and have now.
fn given(
    conn: &mut Connection,
    scope: TenantScope,
    people: &[UserId],
    now: UtcTime,
) -> Result<HashMap<UserId, Given>, DbError> {
    let tenant = scope.tenant_id();
    let most = MOST_OF_ONE * i64::try_from(people.len()).unwrap_or(PIECE);
    let held: Vec<(UserId, RoleId)> = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::user_id.eq_any(people)))
        .filter(user_roles::expires_at.is_null().or(user_roles::expires_at.gt(now)))
        .select((user_roles::user_id, user_roles::role_id))
        .limit(most)
        .load(conn)?;
    let member: Vec<(UserId, GroupId)> = group_members::table
        .filter(group_members::tenant_id.eq(tenant).and(group_members::user_id.eq_any(people)))
        .select((group_members::user_id, group_members::group_id))
        .limit(most)
        .load(conn)?;
    let mut found: HashMap<UserId, Given> = HashMap::new();
    for (user, role) in held {
        found.entry(user).or_default().roles.push(role);
    }
    for (user, group) in member {
        found.entry(user).or_default().groups.push(group);
    }
    Ok(found)
}

/// The roles that somebody holds, and which version they are; `None` when they are not in the directory, when nobody has given
/// them any here, so that the provider knows better, or when what they hold has been told.
pub fn names_now(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    now: UtcTime,
) -> Result<Option<(i64, Vec<String>)>, DbError> {
    // The version is read first: should roles change in between, the newer ones go out under the older version, and those
    // of the newer version follow.
    let found: Option<(i64, Option<Sha256Hash>)> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)))
        .filter(users::roles_managed.eq(true))
        .select((users::roles_version, users::roles_told))
        .first(conn)
        .optional()?;
    let Some((version, None)) = found else { return Ok(None) };
    let given = given(conn, scope, &[user], now)?.remove(&user).unwrap_or_default();
    Ok(Some((version, structure(conn, scope)?.names(&given))))
}

/// Notes that the identity provider has these roles of somebody, unless they have changed since.
pub fn told(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    version: i64,
    names: &[String],
) -> Result<(), DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    diesel::update(row.filter(users::roles_version.eq(version)))
        .set(users::roles_told.eq(Some(names_digest(names))))
        .execute(conn)?;
    Ok(())
}

/// Notes that the identity provider has roles of somebody under this version, which is higher than that under which it was
/// told, so that it has not taken them: the next go out under one that is higher still.
pub fn overtaken(conn: &mut Connection, scope: TenantScope, user: UserId, there: i64) -> Result<(), DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    diesel::update(row.filter(users::roles_managed.eq(true).and(users::roles_version.le(there))))
        .set((users::roles_version.eq(there.saturating_add(1)), users::roles_told.eq(None::<Sha256Hash>)))
        .execute(conn)?;
    Ok(())
}

/// Notes that the roles of these people are others now, and that the identity provider is to be told. To be called with the
/// tenant's row locked, or theirs.
pub fn changed(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
    people: &[UserId],
) -> Result<(), DbError> {
    if people.is_empty() {
        return Ok(());
    }
    diesel::update(users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq_any(people))))
        .set((users::roles_version.eq(users::roles_version + 1), users::roles_told.eq(None::<Sha256Hash>)))
        .execute(conn)?;
    let payloads: Vec<_> = people.iter().map(|user| json!({ "user_id": user })).collect();
    outbox::enqueue_all(conn, scope, clock, random, ROLES_CHANGED, &payloads)
}

/// Has the people of a tenant looked at from the beginning, because what many of them hold may be something else now. To be
/// called in the transaction that made it so.
pub fn review(conn: &mut Connection, scope: TenantScope, now: UtcTime) -> Result<(), DbError> {
    let nobody = None::<UserId>;
    diesel::insert_into(role_reviews::table)
        .values((
            role_reviews::tenant_id.eq(scope.tenant_id()),
            role_reviews::after_user.eq(nobody),
            role_reviews::available_at.eq(now),
            role_reviews::created_at.eq(now),
        ))
        .upsert(role_reviews::tenant_id, (role_reviews::after_user.eq(nobody), role_reviews::available_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// The tenant whose review waits longest.
pub(super) fn next_review(conn: &mut Connection, now: UtcTime) -> Result<Option<TenantId>, DbError> {
    let due = role_reviews::table.filter(role_reviews::available_at.le(now)).order(role_reviews::available_at.asc());
    Ok(due.select(role_reviews::tenant_id).first(conn).optional()?)
}

/// Looks at the next piece of a tenant's people, and tells of those whose roles are not those that were told last. To be
/// called with the tenant's row locked, so that what they hold does not change meanwhile. Says how many were looked at.
pub(super) fn review_piece(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<usize, DbError> {
    let (tenant, now) = (scope.tenant_id(), clock.now());
    let review = || role_reviews::table.filter(role_reviews::tenant_id.eq(tenant));
    let found: Option<Option<UserId>> =
        review().select(role_reviews::after_user).lock_rows().get_result(conn).optional()?;
    // Another replica was faster.
    let Some(after) = found else { return Ok(0) };
    let mut people = users::table
        .filter(users::tenant_id.eq(tenant).and(users::roles_managed.eq(true)))
        .select((users::id, users::roles_told))
        .order(users::id.asc())
        .limit(PIECE)
        .into_boxed();
    if let Some(after) = after {
        people = people.filter(users::id.gt(after));
    }
    let people: Vec<(UserId, Option<Sha256Hash>)> = people.load(conn)?;
    let ids: Vec<UserId> = people.iter().map(|(id, _)| *id).collect();
    if !ids.is_empty() {
        let structure = structure(conn, scope)?;
        let mut given = given(conn, scope, &ids, now)?;
        let mut is_new = |id: &UserId, told: &Option<Sha256Hash>| {
            let names = structure.names(&given.remove(id).unwrap_or_default());
            told.as_ref() != Some(&names_digest(&names))
        };
        let new: Vec<UserId> = people.iter().filter(|(id, told)| is_new(id, told)).map(|(id, _)| *id).collect();
        changed(conn, scope, (clock, random), &new)?;
    }
    match ids.last().filter(|_| ids.len() >= usize::try_from(PIECE).unwrap_or(usize::MAX)) {
        // Others come first, so that one large tenant does not keep them waiting.
        Some(last) => {
            let next = (role_reviews::after_user.eq(Some(*last)), role_reviews::available_at.eq(now));
            diesel::update(review()).set(next).execute(conn)?;
        }
        None => {
            diesel::delete(review()).execute(conn)?;
        }
    }
    Ok(ids.len())
}

/// A tenant in which the time of some assignment is over and nobody was told.
pub(super) fn next_expiry(conn: &mut Connection, now: UtcTime) -> Result<Option<TenantId>, DbError> {
    let over = user_roles::table.filter(user_roles::expiry_told.eq(false).and(user_roles::expires_at.le(now)));
    Ok(over.order(user_roles::expires_at.asc()).select(user_roles::tenant_id).first(conn).optional()?)
}

/// Tells of people of whose roles some are over. To be called with the tenant's row locked. Says of how many assignments.
pub(super) fn expire_piece(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
) -> Result<usize, DbError> {
    let over: Vec<(RoleAssignmentId, UserId)> = user_roles::table
        .filter(user_roles::tenant_id.eq(scope.tenant_id()))
        .filter(user_roles::expiry_told.eq(false).and(user_roles::expires_at.le(clock.now())))
        .order(user_roles::expires_at.asc())
        .select((user_roles::id, user_roles::user_id))
        .limit(PIECE)
        .load(conn)?;
    let ids: Vec<RoleAssignmentId> = over.iter().map(|(id, _)| *id).collect();
    let mut people: Vec<UserId> = over.iter().map(|(_, user)| *user).collect();
    people.sort_unstable();
    people.dedup();
    changed(conn, scope, (clock, random), &people)?;
    if !ids.is_empty() {
        let rows =
            user_roles::table.filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::id.eq_any(ids)));
        diesel::update(rows).set(user_roles::expiry_told.eq(true)).execute(conn)?;
    }
    Ok(over.len())
}
