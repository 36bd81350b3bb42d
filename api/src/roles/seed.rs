//! The roles that every tenant has.

use std::collections::BTreeSet;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{Clock, Random, RoleId, TenantId, UtcTime};

use super::model::{RoleFamily, SYSTEM_ROLES};
use crate::schema::{role_permissions, roles};

#[derive(Insertable)]
#[diesel(table_name = roles, treat_none_as_default_value = false)]
struct NewRole {
    id: RoleId,
    tenant_id: TenantId,
    name: &'static str,
    description: Option<&'static str>,
    role_family: RoleFamily,
    is_system: bool,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = role_permissions, treat_none_as_default_value = false)]
struct NewPermission {
    tenant_id: TenantId,
    role_id: RoleId,
    permission: &'static str,
}

/// Gives the tenant those of the roles that every tenant has which it lacks. To be called with the tenant's row locked.
/// Says whether there were any.
pub fn system_roles(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
) -> Result<bool, DbError> {
    let tenant_id = scope.tenant_id();
    let there: BTreeSet<String> = roles::table
        .filter(roles::tenant_id.eq(tenant_id).and(roles::is_system.eq(true)))
        .select(roles::name)
        .limit(100)
        .load(conn)?
        .into_iter()
        .collect();
    let now = clock.now();
    let (mut new_roles, mut new_permissions) = (Vec::new(), Vec::new());
    for role in SYSTEM_ROLES.iter().filter(|role| !there.contains(role.name)) {
        let id = RoleId::new(clock, random);
        new_roles.push(NewRole {
            id,
            tenant_id,
            name: role.name,
            description: Some(role.description),
            role_family: role.family,
            is_system: true,
            version: 1,
            created_at: now,
            updated_at: now,
        });
        let permissions = role.permissions.iter();
        new_permissions.extend(permissions.map(|permission| NewPermission { tenant_id, role_id: id, permission }));
    }
    if new_roles.is_empty() {
        return Ok(false);
    }
    each!(conn, c => diesel::insert_into(roles::table).values(&new_roles).execute(c))?;
    each!(conn, c => diesel::insert_into(role_permissions::table).values(&new_permissions).execute(c))?;
    Ok(true)
}
