//! The rows of tenants.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, rows_after};
use tenantry_types::{Clock, Slug, TenantId, UtcTime};

use super::model::TenantName;
use crate::authn::TenantStatus;
use crate::schema::{tenant_domains, tenants};

/// A tenant as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tenants)]
pub(super) struct TenantRow {
    pub(super) id: TenantId,
    pub(super) slug: Slug,
    pub(super) name: String,
    pub(super) status: TenantStatus,
    /// The status that the identity provider is to be told; `None` when it knows.
    pub(super) wanted_status: Option<TenantStatus>,
    pub(super) version: i64,
    pub(super) created_at: UtcTime,
    pub(super) updated_at: UtcTime,
}

/// Which tenants are listed.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) slug: Option<Slug>,
    pub(super) status: Option<TenantStatus>,
    /// The name begins with this.
    pub(super) name: Option<String>,
    /// It was verified to have this domain.
    pub(super) domain: Option<String>,
}

/// The row after which a page begins.
pub(super) type After = (UtcTime, TenantId);

/// Tenants in the order in which they were made. For administrators of the platform: no scope bounds it.
pub(super) fn list(
    conn: &mut Connection,
    filter: &Filter,
    after: Option<After>,
    limit: i64,
) -> Result<Vec<TenantRow>, DbError> {
    let mut query = tenants::table.select(TenantRow::as_select()).into_boxed();
    if let Some(slug) = &filter.slug {
        query = query.filter(tenants::slug.eq(slug));
    }
    if let Some(status) = filter.status {
        query = query.filter(tenants::status.eq(status));
    }
    if let Some(name) = &filter.name {
        query = query.filter(tenants::name.like(format!("{}%", escaped(name))).escape('!'));
    }
    if let Some(domain) = &filter.domain {
        let owner = tenant_domains::table
            .filter(tenant_domains::verified_domain.eq(domain))
            .select(tenant_domains::tenant_id)
            .first::<TenantId>(conn)
            .optional()?;
        let Some(owner) = owner else { return Ok(Vec::new()) };
        query = query.filter(tenants::id.eq(owner));
    }
    if let Some((time, id)) = after {
        query = query.filter(rows_after!(tenants::created_at, time, tenants::id, id));
    }
    Ok(query.order((tenants::created_at.asc(), tenants::id.asc())).limit(limit).load(conn)?)
}

/// What stands for itself in a pattern.
fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// The tenant of this scope.
pub(super) fn find(conn: &mut Connection, scope: TenantScope) -> Result<Option<TenantRow>, DbError> {
    let row = tenants::table
        .filter(tenants::id.eq(scope.tenant_id()))
        .select(TenantRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// The tenants that have this short name: one, unless the identity provider gave it to another after a tenant was
/// removed there.
pub(super) fn find_by_slug(conn: &mut Connection, slug: &Slug) -> Result<Option<TenantRow>, DbError> {
    let row = tenants::table
        .filter(tenants::slug.eq(slug))
        .order(tenants::created_at.desc())
        .select(TenantRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row)
}

/// A tenant that is being made.
pub(super) fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    slug: &Slug,
    name: &TenantName,
) -> Result<(), DbError> {
    let now = clock.now();
    let row = (
        tenants::id.eq(scope.tenant_id()),
        tenants::slug.eq(slug),
        tenants::name.eq(name.as_str()),
        tenants::status.eq(TenantStatus::Provisioning),
        tenants::wanted_status.eq(Some(TenantStatus::Active)),
        tenants::version.eq(1_i64),
        tenants::created_at.eq(now),
        tenants::updated_at.eq(now),
    );
    diesel::insert_into(tenants::table).values(row).execute(conn)?;
    Ok(())
}

/// Removes a tenant that came to nothing.
pub(super) fn remove(conn: &mut Connection, scope: TenantScope) -> Result<(), DbError> {
    let row =
        tenants::table.filter(tenants::id.eq(scope.tenant_id())).filter(tenants::status.eq(TenantStatus::Provisioning));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Sets what can change about a tenant.
pub(super) fn update(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    row: &TenantRow,
) -> Result<(), DbError> {
    diesel::update(tenants::table.filter(tenants::id.eq(scope.tenant_id())))
        .set((
            tenants::name.eq(&row.name),
            tenants::status.eq(row.status),
            tenants::wanted_status.eq(row.wanted_status),
            tenants::version.eq(row.version),
            tenants::updated_at.eq(clock.now()),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps when the identity provider says that it changed the tenant, so that what it told of an older state is known to be
/// older. To be called with the tenant's row locked.
pub(super) fn answered(conn: &mut Connection, scope: TenantScope, as_of: Option<UtcTime>) -> Result<(), DbError> {
    let Some(as_of) = as_of else { return Ok(()) };
    let row = tenants::table
        .filter(tenants::id.eq(scope.tenant_id()))
        .filter(tenants::provider_updated_at.is_null().or(tenants::provider_updated_at.lt(as_of)));
    diesel::update(row).set(tenants::provider_updated_at.eq(Some(as_of))).execute(conn)?;
    Ok(())
}
