//! The rows of permissions.

use std::collections::BTreeSet;

use diesel::prelude::*;
use serde::Serialize;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{PermissionId, TenantId, UtcTime};
use utoipa::ToSchema;

use crate::access::{AccessControl, PermissionPattern};
use crate::schema::{permissions, policies, role_permissions};

/// More permissions than a tenant may add.
pub(super) const MOST: i64 = 1_000;

/// A permission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct Permission {
    /// Its id; those that are built in have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uuid)]
    pub(super) id: Option<PermissionId>,
    /// Its name: resource and action.
    #[schema(example = "booking.cancel")]
    pub(super) name: String,
    /// The kind of resource that it is about.
    #[schema(example = "booking")]
    pub(super) resource: String,
    /// What it allows to be done.
    #[schema(example = "cancel")]
    pub(super) action: String,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    /// When it was added; those that are built in were always there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) created_at: Option<UtcTime>,
}

#[derive(Insertable)]
#[diesel(table_name = permissions, treat_none_as_default_value = false)]
struct NewPermission<'a> {
    id: PermissionId,
    tenant_id: TenantId,
    name: &'a str,
    resource: &'a str,
    action: &'a str,
    description: Option<&'a str>,
    created_at: UtcTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = permissions)]
struct PermissionRow {
    id: PermissionId,
    name: String,
    resource: String,
    action: String,
    description: Option<String>,
    created_at: UtcTime,
}

impl From<PermissionRow> for Permission {
    fn from(row: PermissionRow) -> Self {
        Self {
            id: Some(row.id),
            name: row.name,
            resource: row.resource,
            action: row.action,
            description: row.description,
            created_at: Some(row.created_at),
        }
    }
}

/// The tenant's own permissions after a name, in the order of their names.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    resource: Option<&str>,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Permission>, DbError> {
    let mut query = permissions::table
        .filter(permissions::tenant_id.eq(scope.tenant_id()))
        .order(permissions::name.asc())
        .limit(limit)
        .select(PermissionRow::as_select())
        .into_boxed();
    if let Some(resource) = resource {
        query = query.filter(permissions::resource.eq(resource));
    }
    if let Some(after) = after {
        query = query.filter(permissions::name.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// One of the tenant's own.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, id: PermissionId) -> Result<Option<Permission>, DbError> {
    let row = permissions::table
        .filter(permissions::tenant_id.eq(scope.tenant_id()).and(permissions::id.eq(id)))
        .select(PermissionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// How many the tenant has added.
pub(super) fn count(conn: &mut Connection, scope: TenantScope) -> Result<i64, DbError> {
    Ok(permissions::table.filter(permissions::tenant_id.eq(scope.tenant_id())).count().get_result(conn)?)
}

/// Adds one.
pub(super) fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    id: PermissionId,
    permission: &Permission,
    now: UtcTime,
) -> Result<(), DbError> {
    let row = NewPermission {
        id,
        tenant_id: scope.tenant_id(),
        name: &permission.name,
        resource: &permission.resource,
        action: &permission.action,
        description: permission.description.as_deref(),
        created_at: now,
    };
    diesel::insert_into(permissions::table).values(row).execute(conn)?;
    Ok(())
}

/// Removes one.
pub(super) fn delete(conn: &mut Connection, scope: TenantScope, id: PermissionId) -> Result<(), DbError> {
    let row = permissions::table.filter(permissions::tenant_id.eq(scope.tenant_id()).and(permissions::id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Whether a role has the permission by its name, or a policy speaks of the kind of resource: without the permission the
/// policy may not fit what is known any more, and a deny must not fall silent.
pub(super) fn is_used(conn: &mut Connection, scope: TenantScope, permission: &Permission) -> Result<bool, DbError> {
    let tenant = scope.tenant_id();
    let of_roles = role_permissions::table
        .filter(role_permissions::tenant_id.eq(tenant).and(role_permissions::permission.eq(&permission.name)));
    let of_policies = policies::table
        .filter(policies::tenant_id.eq(tenant).and(policies::target_resource.eq(&permission.resource)))
        .filter(policies::target_action.eq_any([permission.action.as_str(), "*"]));
    Ok(diesel::select(diesel::dsl::exists(of_roles)).get_result::<bool>(conn)?
        || diesel::select(diesel::dsl::exists(of_policies)).get_result::<bool>(conn)?)
}

/// Those of the patterns that stand for nothing: there is neither such a permission nor such a kind of resource, built in
/// or of the tenant.
pub fn unknown(
    conn: &mut Connection,
    scope: TenantScope,
    control: &AccessControl,
    patterns: &[PermissionPattern],
) -> Result<BTreeSet<PermissionPattern>, DbError> {
    let built_in = |pattern: &PermissionPattern| control.knows(pattern);
    let open: BTreeSet<PermissionPattern> = patterns.iter().filter(|pattern| !built_in(pattern)).cloned().collect();
    if open.is_empty() {
        return Ok(open);
    }
    let own: Vec<(String, String)> = permissions::table
        .filter(permissions::tenant_id.eq(scope.tenant_id()))
        .select((permissions::resource, permissions::action))
        .limit(MOST)
        .load(conn)?;
    let is_own = |pattern: &PermissionPattern| match pattern {
        PermissionPattern::All => true,
        PermissionPattern::Resource(name) => own.iter().any(|(resource, _)| resource == name),
        PermissionPattern::One(resource, action) => own.iter().any(|known| (&known.0, &known.1) == (resource, action)),
    };
    Ok(open.into_iter().filter(|pattern| !is_own(pattern)).collect())
}
