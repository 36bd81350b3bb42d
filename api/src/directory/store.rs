//! The rows of people.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope, rows_after};
use tenantry_types::{Clock, GroupId, JsonText, RoleId, TenantId, UserId, UtcTime};

use super::model::{AccountStatus, RoleView};
use super::parse::{LocalProfile, Setting};
use crate::access::policy::Filter;
use crate::roles::model::RoleFamily;
use crate::schema::{account_doubts, group_members, group_roles, roles, user_groups, user_roles, users};

/// More roles or groups than anybody has; as many are read at once.
const MOST_ROLES: i64 = 10_000;

#[diesel::declare_sql_function]
extern "SQL" {
    /// A text in lower case.
    fn lower(text: Nullable<Text>) -> Nullable<Text>;
}

/// Somebody, as they are kept.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct AccountRow {
    /// The `sub` of tokens.
    pub id: UserId,
    /// Where they are at home, when that is another tenant.
    pub home_tenant_id: Option<TenantId>,
    /// What they sign in with.
    pub username: Option<String>,
    /// Where mail reaches them.
    pub email: Option<String>,
    /// Whether it is known that it does.
    pub email_verified: bool,
    /// A telephone number.
    pub phone: Option<String>,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// A picture.
    pub avatar_url: Option<String>,
    /// What the tenant's programs keep with them.
    pub metadata: JsonText<Value>,
    /// Whether they may use their account.
    pub status: AccountStatus,
    /// Counts the changes.
    pub version: i64,
    /// Since when they are known here.
    pub created_at: UtcTime,
    /// When something changed last.
    pub updated_at: UtcTime,
}

/// Which people are looked for.
#[derive(Debug, Clone, Default)]
pub struct Filters {
    /// Somewhere in the address, the name to sign in with, or a name.
    pub search: Option<String>,
    /// This address.
    pub email: Option<String>,
    /// With this status.
    pub status: Option<AccountStatus>,
    /// With this role of their own.
    pub role: Option<RoleId>,
    /// In this group.
    pub group: Option<GroupId>,
}

/// Somebody.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<AccountRow>, DbError> {
    let row = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)))
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// Those with these ids.
pub(super) fn with_ids(conn: &mut Connection, scope: TenantScope, ids: &[String]) -> Result<Vec<AccountRow>, DbError> {
    let rows = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq_any(ids)))
        .select(AccountRow::as_select())
        .load(conn)?;
    Ok(rows)
}

/// Who has this address.
pub(super) fn by_email(
    conn: &mut Connection,
    scope: TenantScope,
    normalized: &str,
) -> Result<Option<AccountRow>, DbError> {
    let found = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::email_normalized.eq(normalized)))
        .filter(users::home_tenant_id.is_null())
        .select(AccountRow::as_select())
        .first(conn)
        .optional()?;
    Ok(found)
}

/// A page of people, those who are known longest first.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    filters: &Filters,
    visible: &Filter,
    after: Option<(UtcTime, UserId)>,
    limit: i64,
) -> Result<Vec<AccountRow>, DbError> {
    let tenant = scope.tenant_id();
    let mut query = users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(visible.to_sql())
        .select(AccountRow::as_select())
        .into_boxed();
    if let Some(search) = &filters.search {
        let pattern = containing(search);
        let like = |pattern: &str| pattern.to_owned();
        query = query.filter(
            lower(users::email)
                .like(like(&pattern))
                .escape('!')
                .or(lower(users::username).like(like(&pattern)).escape('!'))
                .or(lower(users::given_name).like(like(&pattern)).escape('!'))
                .or(lower(users::family_name).like(like(&pattern)).escape('!'))
                .or(lower(users::display_name).like(like(&pattern)).escape('!')),
        );
    }
    if let Some(email) = &filters.email {
        query = query.filter(users::email_normalized.eq(email));
    }
    if let Some(status) = filters.status {
        query = query.filter(users::status.eq(status));
    }
    if let Some(role) = filters.role {
        let with_role = user_roles::table
            .filter(user_roles::tenant_id.eq(tenant).and(user_roles::role_id.eq(role)))
            .select(user_roles::user_id);
        query = query.filter(users::id.eq_any(with_role));
    }
    if let Some(group) = filters.group {
        let in_group = group_members::table
            .filter(group_members::tenant_id.eq(tenant).and(group_members::group_id.eq(group)))
            .select(group_members::user_id);
        query = query.filter(users::id.eq_any(in_group));
    }
    if let Some((time, id)) = after {
        query = query.filter(rows_after!(users::created_at, time, users::id, id));
    }
    Ok(query.order((users::created_at.asc(), users::id.asc())).limit(limit).load(conn)?)
}

/// A pattern of LIKE for texts that have this in them, in lower case.
fn containing(text: &str) -> String {
    let escaped = text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}

/// The roles that these people have of their own now: all of them. Where that is more than is read at once, it is read for
/// fewer people at a time.
pub(super) fn roles_of(
    conn: &mut Connection,
    scope: TenantScope,
    ids: &[UserId],
    now: UtcTime,
) -> Result<HashMap<UserId, Vec<RoleView>>, DbError> {
    let mut found: HashMap<UserId, Vec<RoleView>> = HashMap::new();
    if ids.is_empty() {
        return Ok(found);
    }
    let tenant = scope.tenant_id();
    let held: Vec<(UserId, RoleId)> = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::user_id.eq_any(ids)))
        .filter(user_roles::expires_at.is_null().or(user_roles::expires_at.gt(now)))
        .select((user_roles::user_id, user_roles::role_id))
        .limit(MOST_ROLES + 1)
        .load(conn)?;
    if let Some((first, others)) = halves(ids, held.len())? {
        found = roles_of(conn, scope, first, now)?;
        found.extend(roles_of(conn, scope, others, now)?);
        return Ok(found);
    }
    let role_ids: BTreeSet<RoleId> = held.iter().map(|(_, role)| *role).collect();
    let known: Vec<(RoleId, String, RoleFamily)> = roles::table
        .filter(roles::tenant_id.eq(tenant).and(roles::id.eq_any(role_ids)))
        .select((roles::id, roles::name, roles::role_family))
        .order(roles::name.asc())
        .limit(MOST_ROLES)
        .load(conn)?;
    for (id, name, role_family) in known {
        for (user, _) in held.iter().filter(|(_, role)| *role == id) {
            found.entry(*user).or_default().push(RoleView { id, name: name.clone(), role_family });
        }
    }
    Ok(found)
}

/// The names of the groups that these people are in: all of them, as [`roles_of`].
pub(super) fn groups_of(
    conn: &mut Connection,
    scope: TenantScope,
    ids: &[UserId],
) -> Result<HashMap<UserId, Vec<String>>, DbError> {
    let rows: Vec<(UserId, String)> =
        group_members::table
            .inner_join(user_groups::table.on(
                user_groups::tenant_id.eq(group_members::tenant_id).and(user_groups::id.eq(group_members::group_id)),
            ))
            .filter(group_members::tenant_id.eq(scope.tenant_id()).and(group_members::user_id.eq_any(ids)))
            .select((group_members::user_id, user_groups::name))
            .limit(MOST_ROLES + 1)
            .load(conn)?;
    if let Some((first, others)) = halves(ids, rows.len())? {
        let mut found = groups_of(conn, scope, first)?;
        found.extend(groups_of(conn, scope, others)?);
        return Ok(found);
    }
    let mut found: HashMap<UserId, Vec<String>> = HashMap::new();
    for (user, name) in rows {
        found.entry(user).or_default().push(name);
    }
    Ok(found)
}

/// People, and others.
type Halves<'a> = (&'a [UserId], &'a [UserId]);

/// Two halves of these people, where for all of them more rows were found than are read at once.
fn halves(ids: &[UserId], found: usize) -> Result<Option<Halves<'_>>, DbError> {
    if i64::try_from(found).is_ok_and(|found| found <= MOST_ROLES) {
        Ok(None)
    } else if ids.len() > 1 {
        Ok(Some(ids.split_at(ids.len() / 2)))
    } else {
        // Whoever decides by a part of it decides wrongly.
        Err(DbError::Invalid("somebody is in more groups or roles than can be read".to_owned()))
    }
}

/// Whether somebody else in the tenant has this address.
pub(super) fn has_email(
    conn: &mut Connection,
    scope: TenantScope,
    normalized: &str,
    except: UserId,
) -> Result<bool, DbError> {
    let other: Option<UserId> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::email_normalized.eq(normalized)))
        .filter(users::id.ne(except).and(users::home_tenant_id.is_null()))
        .select(users::id)
        .first(conn)
        .optional()?;
    Ok(other.is_some())
}

/// Keeps what only this service knows of somebody. Says whether they are in the directory.
pub(super) fn set_local(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    id: UserId,
    profile: &LocalProfile,
) -> Result<bool, DbError> {
    let Some(row) = find(conn, scope, id)? else { return Ok(false) };
    let avatar = profile.avatar_url.clone().map_or_else(|| row.avatar_url.clone(), Setting::into_option);
    let metadata = profile.metadata.clone().unwrap_or_else(|| row.metadata.clone().into_inner());
    if avatar == row.avatar_url && metadata == *row.metadata {
        return Ok(true);
    }
    let metadata = JsonText::new(metadata).map_err(|error| DbError::Invalid(format!("metadata: {error}")))?;
    diesel::update(users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id))))
        .set((
            users::avatar_url.eq(avatar),
            users::metadata.eq(metadata),
            users::version.eq(row.version + 1),
            users::updated_at.eq(clock.now()),
        ))
        .execute(conn)?;
    Ok(true)
}

/// Whether anybody but this one has one of the roles that allow everything, and is active and stays so: guests do not count,
/// whose home may take them away, nor do those who are being removed or switched off. Rights that come by a group that is
/// part of another are not looked for: then there are more than are found, never fewer.
pub(super) fn has_other_administrator(
    conn: &mut Connection,
    scope: TenantScope,
    except: UserId,
    almighty: &[RoleId],
    now: UtcTime,
) -> Result<bool, DbError> {
    let tenant = scope.tenant_id();
    let by_role = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::role_id.eq_any(almighty)))
        .filter(user_roles::expires_at.is_null().or(user_roles::expires_at.gt(now)))
        .select(user_roles::user_id);
    let groups: Vec<GroupId> = group_roles::table
        .filter(group_roles::tenant_id.eq(tenant).and(group_roles::role_id.eq_any(almighty)))
        .select(group_roles::group_id)
        .limit(MOST_ROLES)
        .load(conn)?;
    let by_group = group_members::table
        .filter(group_members::tenant_id.eq(tenant).and(group_members::group_id.eq_any(groups)))
        .select(group_members::user_id);
    let leaving = account_doubts::table
        .filter(account_doubts::tenant_id.eq(tenant).and(account_doubts::may_end.eq(true)))
        .select(account_doubts::user_id);
    let other: Option<UserId> = users::table
        .filter(users::tenant_id.eq(tenant).and(users::id.ne(except)))
        .filter(users::status.eq(AccountStatus::Active).and(users::home_tenant_id.is_null()))
        .filter(users::id.ne_all(leaving))
        .filter(users::id.eq_any(by_role).or(users::id.eq_any(by_group)))
        .select(users::id)
        .first(conn)
        .optional()?;
    Ok(other.is_some())
}
