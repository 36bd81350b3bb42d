//! The rows of settings.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, JsonText, TenantId, UtcTime};

use super::model::{Branding, FeatureFlags, Limits, Security, Settings};
use crate::schema::{policies, tenant_settings};

/// Settings with the number of times they were changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct VersionedSettings {
    pub(super) settings: Settings,
    /// 0 where nothing was ever set.
    pub(super) version: i64,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenant_settings)]
struct SettingsRow {
    branding: JsonText<Branding>,
    security: JsonText<Security>,
    feature_flags: JsonText<FeatureFlags>,
    limits: JsonText<Limits>,
    version: i64,
}

#[derive(Insertable)]
#[diesel(table_name = tenant_settings, treat_none_as_default_value = false)]
struct NewSettings<'a> {
    tenant_id: TenantId,
    branding: &'a JsonText<Branding>,
    security: &'a JsonText<Security>,
    feature_flags: &'a JsonText<FeatureFlags>,
    limits: &'a JsonText<Limits>,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

/// The settings of the tenant, which has the defaults until it sets something.
pub(super) fn find(conn: &mut Connection, scope: TenantScope) -> Result<VersionedSettings, DbError> {
    let row = tenant_settings::table
        .filter(tenant_settings::tenant_id.eq(scope.tenant_id()))
        .select(SettingsRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map_or_else(VersionedSettings::default, |row| VersionedSettings {
        settings: Settings {
            branding: row.branding.into_inner(),
            security: row.security.into_inner(),
            feature_flags: row.feature_flags.into_inner(),
            limits: row.limits.into_inner(),
        },
        version: row.version,
    }))
}

/// Sets the settings of the tenant, whose row has to be locked.
pub(super) fn save(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    new: &VersionedSettings,
) -> Result<(), DbError> {
    let invalid = |error: serde_json::Error| DbError::Invalid(format!("settings: {error}"));
    let now = clock.now();
    let row = NewSettings {
        tenant_id: scope.tenant_id(),
        branding: &JsonText::new(new.settings.branding.clone()).map_err(invalid)?,
        security: &JsonText::new(new.settings.security).map_err(invalid)?,
        feature_flags: &JsonText::new(new.settings.feature_flags.clone()).map_err(invalid)?,
        limits: &JsonText::new(new.settings.limits.clone()).map_err(invalid)?,
        version: new.version,
        created_at: now,
        updated_at: now,
    };
    let changes = (
        tenant_settings::branding.eq(row.branding),
        tenant_settings::security.eq(row.security),
        tenant_settings::feature_flags.eq(row.feature_flags),
        tenant_settings::limits.eq(row.limits),
        tenant_settings::version.eq(row.version),
        tenant_settings::updated_at.eq(now),
    );
    diesel::insert_into(tenant_settings::table)
        .values(&row)
        .upsert(tenant_settings::tenant_id, changes)
        .execute(conn)?;
    Ok(())
}

/// The rules of the policies that are switched on and compare with a limit, as they are kept.
pub(super) fn rules_with_limits(conn: &mut Connection, scope: TenantScope) -> Result<Vec<String>, DbError> {
    let rules = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::is_enabled.eq(true)))
        .filter(policies::rules_json.like("%tenant.limits.%"))
        .select(policies::rules_json);
    Ok(rules.load(conn)?)
}
