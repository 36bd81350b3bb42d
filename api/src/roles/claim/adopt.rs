//! The roles that the identity provider has of somebody, before anybody gives them any here.
//!
//! Until then its word counts, and the rows say what it is, by its versions: what was told late undoes nothing. From the
//! first time that roles are given or taken here (`roles_managed`) the provider is told, and what it tells changes nothing.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, insert_all};
use tenantry_types::{Clock, Random, RoleAssignmentId, RoleId, Sha256Hash, TenantId, UserId, UtcTime};

use super::model::names_digest;
use crate::roles::seed;
use crate::schema::{account_doubts, roles, user_roles, users};
use crate::signals::{self, Signal, SignalKind};

/// More than the provider has of one person, and than a person has here.
const MOST: i64 = 1_000;

/// The roles of somebody, as the identity provider tells of them.
#[derive(Debug, Clone, Copy)]
pub struct ToldRoles<'a> {
    /// Which version of them it is; of two the higher counts.
    pub version: i64,
    /// Their names. Those that the tenant does not have mean nothing here.
    pub names: &'a [String],
    /// Whether it is known that it comes after something newer. That decides where the version is the same.
    pub is_late: bool,
}

/// What came of what was told.
#[derive(Debug, Default)]
pub struct Adoption {
    /// The names of the roles that they had before, and have now, where they differ.
    pub changed: Option<(Vec<String>, Vec<String>)>,
    /// What the replicas are told.
    pub signals: Vec<Signal>,
}

/// What a token can tell of the roles of whoever comes with it.
#[derive(Debug, PartialEq, Eq)]
pub enum FromToken {
    /// Nothing that is not known.
    Nothing,
    /// The names of the roles that they have by it.
    Given(Vec<String>),
    /// It names roles of somebody of whom the provider said that they have none: one of both is out of date.
    InQuestion,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct Known {
    /// Whether roles are given to them here.
    #[diesel(column_name = roles_managed)]
    is_managed: bool,
    #[diesel(column_name = roles_version)]
    version: i64,
    /// What the names that the provider has are known by; `None` where it has not said so.
    #[diesel(column_name = roles_told)]
    digest: Option<Sha256Hash>,
}

impl Known {
    /// Whether the provider's word counts, and this is not older than what it said before.
    fn is_open_to(&self, told: &ToldRoles<'_>) -> bool {
        let is_news = || match told.version.cmp(&self.version) {
            Ordering::Greater => true,
            // The same version again with other names is the newest word on it.
            Ordering::Equal => !told.is_late,
            Ordering::Less => false,
        };
        !self.is_managed && (self.digest.is_none() || is_news())
    }

    fn is(&self, told: &ToldRoles<'_>) -> bool {
        self.version == told.version && self.digest.as_ref() == Some(&names_digest(told.names))
    }
}

#[derive(Insertable)]
#[diesel(table_name = user_roles, treat_none_as_default_value = false)]
struct NewAssignment {
    id: RoleAssignmentId,
    tenant_id: TenantId,
    user_id: UserId,
    role_id: RoleId,
    assigned_by: Option<&'static str>,
    expires_at: Option<UtcTime>,
    created_at: UtcTime,
}

/// Makes the roles of somebody those that the identity provider tells of, as given by nobody, unless roles are given to them
/// here or this is older than what is known. To be called with the tenant's row locked.
pub fn adopt(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
    user: UserId,
    told: &ToldRoles<'_>,
) -> Result<Adoption, DbError> {
    let mut adoption = Adoption::default();
    let Some(known) = known(conn, scope, user)?.filter(|known| known.is_open_to(told)) else { return Ok(adoption) };
    if !told.names.is_empty() && seed::system_roles(conn, scope, clock, random)? {
        adoption.signals.push(signals::send(conn, scope, clock, random, SignalKind::Access, None)?);
    }
    let (held, wanted) = (held(conn, scope, user)?, named(conn, scope, told.names)?);
    if held != wanted {
        let taken: Vec<RoleId> = held.keys().filter(|role| !wanted.contains_key(role)).copied().collect();
        let given: Vec<RoleId> = wanted.keys().filter(|role| !held.contains_key(role)).copied().collect();
        take(conn, scope, user, &taken)?;
        give(conn, scope, (clock, random), user, &given)?;
        adoption.signals.push(signals::send(conn, scope, clock, random, SignalKind::Subject, Some(user.as_str()))?);
        adoption.changed = Some((held.into_values().collect(), wanted.into_values().collect()));
    }
    if !known.is(told) {
        diesel::update(users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user))))
            .set((users::roles_version.eq(told.version), users::roles_told.eq(Some(names_digest(told.names)))))
            .execute(conn)?;
    }
    Ok(adoption)
}

/// Gives somebody who has none the roles of these names that the tenant has, unless roles are given to them here or the
/// identity provider has said which they have: a token may be older than that. To be called with the tenant's row locked.
pub fn adopt_from_token(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
    user: UserId,
    names: &[String],
) -> Result<FromToken, DbError> {
    let known = known(conn, scope, user)?.filter(|known| !known.is_managed && !names.is_empty());
    let Some(known) = known else { return Ok(FromToken::Nothing) };
    if !held(conn, scope, user)?.is_empty() {
        return Ok(FromToken::Nothing);
    }
    if known.digest.is_some() {
        return Ok(FromToken::InQuestion);
    }
    let wanted = named(conn, scope, names)?;
    give(conn, scope, (clock, random), user, &wanted.keys().copied().collect::<Vec<_>>())?;
    Ok(if wanted.is_empty() { FromToken::Nothing } else { FromToken::Given(wanted.into_values().collect()) })
}

/// Whether this is something else than what is known of the roles of somebody to whom none are given here.
pub fn is_news(conn: &mut Connection, scope: TenantScope, user: UserId, told: &ToldRoles<'_>) -> Result<bool, DbError> {
    Ok(known(conn, scope, user)?.is_some_and(|known| !known.is_managed && !known.is(told)))
}

/// Whether the identity provider is being asked about somebody of whom it has not said which roles they have. Until it has
/// answered nobody gives them any: that would take from them those that they have there.
pub fn is_awaited(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let asked = account_doubts::table
        .filter(account_doubts::tenant_id.eq(scope.tenant_id()).and(account_doubts::user_id.eq(user)))
        .select(account_doubts::user_id);
    let found: Option<UserId> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)))
        .filter(users::roles_managed.eq(false).and(users::roles_told.is_null()))
        .filter(users::id.eq_any(asked))
        .select(users::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Forgets what the identity provider told of the roles of somebody whose membership has ended there: those of another one
/// are counted anew. Roles that were given here stay. Says whether they had any.
pub fn forget(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    let forgotten = diesel::update(row.filter(users::roles_managed.eq(false)))
        .set((users::roles_version.eq(0_i64), users::roles_told.eq(None::<Sha256Hash>)))
        .execute(conn)?;
    if forgotten == 0 {
        return Ok(false);
    }
    let rows = user_roles::table.filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(user)));
    Ok(diesel::delete(rows).execute(conn)? > 0)
}

fn known(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<Option<Known>, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    Ok(row.select(Known::as_select()).first(conn).optional()?)
}

/// The roles that somebody has by themselves.
fn held(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<BTreeMap<RoleId, String>, DbError> {
    let rows: Vec<(RoleId, String)> = user_roles::table
        .inner_join(roles::table.on(roles::tenant_id.eq(user_roles::tenant_id).and(roles::id.eq(user_roles::role_id))))
        .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(user)))
        .select((roles::id, roles::name))
        .limit(MOST)
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The roles of the tenant that have these names.
fn named(conn: &mut Connection, scope: TenantScope, names: &[String]) -> Result<BTreeMap<RoleId, String>, DbError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(RoleId, String)> = roles::table
        .filter(roles::tenant_id.eq(scope.tenant_id()).and(roles::name.eq_any(names)))
        .select((roles::id, roles::name))
        .limit(MOST)
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

fn give(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
    user_id: UserId,
    roles: &[RoleId],
) -> Result<(), DbError> {
    let row = |role: &RoleId| NewAssignment {
        id: RoleAssignmentId::new(clock, random),
        tenant_id: scope.tenant_id(),
        user_id,
        role_id: *role,
        assigned_by: None,
        expires_at: None,
        created_at: clock.now(),
    };
    let rows: Vec<NewAssignment> = roles.iter().map(row).collect();
    if !rows.is_empty() {
        insert_all!(conn, user_roles::table, &rows[..])?;
    }
    Ok(())
}

fn take(conn: &mut Connection, scope: TenantScope, user: UserId, roles: &[RoleId]) -> Result<(), DbError> {
    if !roles.is_empty() {
        let rows = user_roles::table
            .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(user)))
            .filter(user_roles::role_id.eq_any(roles));
        diesel::delete(rows).execute(conn)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_the_provider_counts_by_its_version_until_roles_are_given_here() {
        let names = ["member".to_owned()];
        let told = |version, is_late| ToldRoles { version, names: &names, is_late };
        let known = |is_managed, digest| Known { is_managed, version: 3, digest };
        let heard = || Some(names_digest(&names));
        for (version, is_late, counts) in
            [(2, false, false), (3, true, false), (3, false, true), (4, true, true), (4, false, true)]
        {
            assert_eq!(known(false, heard()).is_open_to(&told(version, is_late)), counts, "{version} {is_late}");
        }
        assert!(known(false, None).is_open_to(&told(0, true)), "nothing was heard before");
        assert!(!known(true, None).is_open_to(&told(9, false)));
        assert!(!known(true, heard()).is_open_to(&told(9, false)));
        assert!(known(false, heard()).is(&told(3, false)) && !known(false, heard()).is(&told(4, false)));
        assert!(!known(false, Some(names_digest(&[]))).is(&told(3, false)));
    }
}
