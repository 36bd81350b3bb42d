//! The rows of modules.

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, JsonText, UtcTime};

use super::model::{ALL, Known, Wanted};
use crate::schema::tenant_modules;

/// A module that a tenant has said something about.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tenant_modules)]
pub(super) struct ModuleRow {
    pub(super) module_name: String,
    pub(super) is_enabled: bool,
    pub(super) config: JsonText<Value>,
    pub(super) version: i64,
    pub(super) updated_at: UtcTime,
}

/// All that the tenant has said something about.
pub(super) fn list(conn: &mut Connection, scope: TenantScope) -> Result<Vec<ModuleRow>, DbError> {
    let most = i64::try_from(ALL.len()).unwrap_or(i64::MAX).saturating_add(100);
    Ok(tenant_modules::table
        .filter(tenant_modules::tenant_id.eq(scope.tenant_id()))
        .select(ModuleRow::as_select())
        .limit(most)
        .load(conn)?)
}

/// What the tenant has said about a module.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, known: &Known) -> Result<Option<ModuleRow>, DbError> {
    let row = tenant_modules::table
        .filter(tenant_modules::tenant_id.eq(scope.tenant_id()))
        .filter(tenant_modules::module_name.eq(known.module.as_str()))
        .select(ModuleRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// Sets a module of the tenant, whose row has to be locked.
pub(super) fn save(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    known: &Known,
    wanted: &Wanted,
    version: i64,
) -> Result<(), DbError> {
    let config = JsonText::new(wanted.config.clone()).map_err(|error| DbError::Invalid(format!("module: {error}")))?;
    let now = clock.now();
    diesel::insert_into(tenant_modules::table)
        .values((
            tenant_modules::tenant_id.eq(scope.tenant_id()),
            tenant_modules::module_name.eq(known.module.as_str()),
            tenant_modules::is_enabled.eq(wanted.is_enabled),
            tenant_modules::config.eq(&config),
            tenant_modules::version.eq(version),
            tenant_modules::created_at.eq(now),
            tenant_modules::updated_at.eq(now),
        ))
        .upsert(
            (tenant_modules::tenant_id, tenant_modules::module_name),
            (
                tenant_modules::is_enabled.eq(wanted.is_enabled),
                tenant_modules::config.eq(&config),
                tenant_modules::version.eq(version),
                tenant_modules::updated_at.eq(now),
            ),
        )
        .execute(conn)?;
    Ok(())
}
