//! The rows of roles.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{RoleId, TenantId, UtcTime};

use super::model::RoleFamily;
use crate::access::PermissionPattern;
use crate::access::policy::Filter as Visible;
use crate::schema::{group_roles, role_parents, role_permissions, roles, user_roles};

/// A role as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = roles, treat_none_as_default_value = false)]
pub(super) struct RoleRow {
    pub(super) id: RoleId,
    pub(super) tenant_id: TenantId,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) role_family: RoleFamily,
    pub(super) is_system: bool,
    pub(super) version: i64,
    pub(super) created_at: UtcTime,
    pub(super) updated_at: UtcTime,
}

/// A role with what it allows by itself and what it inherits from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) row: RoleRow,
    pub(super) permissions: BTreeSet<String>,
    pub(super) inherits: BTreeSet<RoleId>,
}

#[derive(Insertable)]
#[diesel(table_name = role_permissions, treat_none_as_default_value = false)]
struct NewPermission {
    tenant_id: TenantId,
    role_id: RoleId,
    permission: String,
}

#[derive(Insertable)]
#[diesel(table_name = role_parents, treat_none_as_default_value = false)]
#[allow(clippy::struct_field_names, reason = "they are the columns")]
struct NewParent {
    tenant_id: TenantId,
    role_id: RoleId,
    parent_id: RoleId,
}

/// What roles are looked for by.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) family: Option<RoleFamily>,
    pub(super) name: Option<String>,
    pub(super) is_system: Option<bool>,
}

/// Roles in the order of their names, after one.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    filter: &Filter,
    visible: &Visible,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Role>, DbError> {
    let mut query = roles::table
        .filter(roles::tenant_id.eq(scope.tenant_id()))
        .filter(visible.to_sql())
        .order(roles::name.asc())
        .limit(limit)
        .select(RoleRow::as_select())
        .into_boxed();
    if let Some(family) = filter.family {
        query = query.filter(roles::role_family.eq(family));
    }
    if let Some(name) = &filter.name {
        query = query.filter(roles::name.eq(name));
    }
    if let Some(is_system) = filter.is_system {
        query = query.filter(roles::is_system.eq(is_system));
    }
    if let Some(after) = after {
        query = query.filter(roles::name.gt(after));
    }
    let rows = query.load(conn)?;
    complete(conn, scope, rows)
}

/// One role.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, id: RoleId) -> Result<Option<Role>, DbError> {
    let row = roles::table
        .filter(roles::tenant_id.eq(scope.tenant_id()).and(roles::id.eq(id)))
        .select(RoleRow::as_select())
        .first(conn)
        .optional()?;
    Ok(complete(conn, scope, row.into_iter().collect())?.pop())
}

/// The roles with these ids, without what they allow.
pub(super) fn rows(conn: &mut Connection, scope: TenantScope, ids: &[String]) -> Result<Vec<RoleRow>, DbError> {
    let rows = roles::table
        .filter(roles::tenant_id.eq(scope.tenant_id()).and(roles::id.eq_any(ids)))
        .select(RoleRow::as_select())
        .load(conn)?;
    Ok(rows)
}

/// The permissions and parents of the rows, in two queries for all of them.
fn complete(conn: &mut Connection, scope: TenantScope, rows: Vec<RoleRow>) -> Result<Vec<Role>, DbError> {
    let ids: Vec<RoleId> = rows.iter().map(|row| row.id).collect();
    let permissions: Vec<(RoleId, String)> = role_permissions::table
        .filter(role_permissions::tenant_id.eq(scope.tenant_id()).and(role_permissions::role_id.eq_any(&ids)))
        .select((role_permissions::role_id, role_permissions::permission))
        .load(conn)?;
    let parents: Vec<(RoleId, RoleId)> = role_parents::table
        .filter(role_parents::tenant_id.eq(scope.tenant_id()).and(role_parents::role_id.eq_any(&ids)))
        .select((role_parents::role_id, role_parents::parent_id))
        .load(conn)?;
    let (permissions, parents) = (grouped(permissions), grouped(parents));
    let of = |row: RoleRow| Role {
        permissions: permissions.get(&row.id).cloned().unwrap_or_default(),
        inherits: parents.get(&row.id).cloned().unwrap_or_default(),
        row,
    };
    Ok(rows.into_iter().map(of).collect())
}

/// What all roles of the tenant are called.
pub(super) fn names(conn: &mut Connection, scope: TenantScope, most: i64) -> Result<Vec<String>, DbError> {
    Ok(roles::table.filter(roles::tenant_id.eq(scope.tenant_id())).select(roles::name).limit(most).load(conn)?)
}

/// What every role of the tenant inherits from.
pub(super) fn parents(
    conn: &mut Connection,
    scope: TenantScope,
) -> Result<BTreeMap<RoleId, BTreeSet<RoleId>>, DbError> {
    let rows: Vec<(RoleId, RoleId)> = role_parents::table
        .filter(role_parents::tenant_id.eq(scope.tenant_id()))
        .select((role_parents::role_id, role_parents::parent_id))
        .load(conn)?;
    Ok(grouped(rows))
}

fn grouped<T: Ord>(pairs: Vec<(RoleId, T)>) -> BTreeMap<RoleId, BTreeSet<T>> {
    let mut groups: BTreeMap<RoleId, BTreeSet<T>> = BTreeMap::new();
    for (id, value) in pairs {
        groups.entry(id).or_default().insert(value);
    }
    groups
}

/// How many roles the tenant has.
pub(super) fn count(conn: &mut Connection, scope: TenantScope) -> Result<i64, DbError> {
    Ok(roles::table.filter(roles::tenant_id.eq(scope.tenant_id())).count().get_result(conn)?)
}

/// Which of these are roles of the tenant.
pub(super) fn known(conn: &mut Connection, scope: TenantScope, ids: &[RoleId]) -> Result<BTreeSet<RoleId>, DbError> {
    let found: Vec<RoleId> = roles::table
        .filter(roles::tenant_id.eq(scope.tenant_id()).and(roles::id.eq_any(ids)))
        .select(roles::id)
        .load(conn)?;
    Ok(found.into_iter().collect())
}

/// Adds a role.
pub(super) fn insert(conn: &mut Connection, role: &Role) -> Result<(), DbError> {
    diesel::insert_into(roles::table).values(&role.row).execute(conn)?;
    add_parts(conn, role)
}

/// Gives a role another description, other permissions and other parents.
pub(super) fn update(conn: &mut Connection, scope: TenantScope, role: &Role) -> Result<(), DbError> {
    let (tenant, id) = (scope.tenant_id(), role.row.id);
    diesel::update(roles::table.filter(roles::tenant_id.eq(tenant).and(roles::id.eq(id))))
        .set((
            roles::description.eq(&role.row.description),
            roles::version.eq(role.row.version),
            roles::updated_at.eq(role.row.updated_at),
        ))
        .execute(conn)?;
    let own = role_permissions::tenant_id.eq(tenant).and(role_permissions::role_id.eq(id));
    diesel::delete(role_permissions::table.filter(own)).execute(conn)?;
    let own = role_parents::tenant_id.eq(tenant).and(role_parents::role_id.eq(id));
    diesel::delete(role_parents::table.filter(own)).execute(conn)?;
    add_parts(conn, role)
}

fn add_parts(conn: &mut Connection, role: &Role) -> Result<(), DbError> {
    let (tenant_id, role_id) = (role.row.tenant_id, role.row.id);
    let permissions: Vec<NewPermission> = role
        .permissions
        .iter()
        .map(|permission| NewPermission { tenant_id, role_id, permission: permission.clone() })
        .collect();
    if !permissions.is_empty() {
        each!(conn, c => diesel::insert_into(role_permissions::table).values(&permissions).execute(c))?;
    }
    let parents: Vec<NewParent> =
        role.inherits.iter().map(|parent| NewParent { tenant_id, role_id, parent_id: *parent }).collect();
    if !parents.is_empty() {
        each!(conn, c => diesel::insert_into(role_parents::table).values(&parents).execute(c))?;
    }
    Ok(())
}

/// Removes a role. What it allows goes with it.
pub(super) fn delete(conn: &mut Connection, scope: TenantScope, id: RoleId) -> Result<(), DbError> {
    diesel::delete(roles::table.filter(roles::tenant_id.eq(scope.tenant_id()).and(roles::id.eq(id)))).execute(conn)?;
    Ok(())
}

/// Whether somebody has the role, or a role inherits from it.
pub(super) fn is_used(conn: &mut Connection, scope: TenantScope, id: RoleId) -> Result<bool, DbError> {
    let tenant = scope.tenant_id();
    let users = user_roles::table.filter(user_roles::tenant_id.eq(tenant).and(user_roles::role_id.eq(id)));
    let groups = group_roles::table.filter(group_roles::tenant_id.eq(tenant).and(group_roles::role_id.eq(id)));
    let heirs = role_parents::table.filter(role_parents::tenant_id.eq(tenant).and(role_parents::parent_id.eq(id)));
    Ok(diesel::select(diesel::dsl::exists(users)).get_result::<bool>(conn)?
        || diesel::select(diesel::dsl::exists(groups)).get_result::<bool>(conn)?
        || diesel::select(diesel::dsl::exists(heirs)).get_result::<bool>(conn)?)
}

impl Role {
    /// What it allows by itself.
    pub(super) fn patterns(&self) -> Vec<PermissionPattern> {
        self.permissions.iter().filter_map(|permission| permission.parse().ok()).collect()
    }
}
