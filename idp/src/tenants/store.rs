//! Queries on tenants and their domains, and the cache in front of them.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use moka::future::Cache;
use tenantry_db::{Connection, Db, DbError};
use tenantry_types::{Clock, Slug, TenantId, UtcTime};

use super::{Tenant, TenantError, TenantName, TenantStatus};
use crate::schema::{tenant_domains, tenants};

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants)]
struct TenantRow {
    id: TenantId,
    slug: Slug,
    name: TenantName,
    status: TenantStatus,
}

#[derive(Insertable)]
#[diesel(table_name = tenants, treat_none_as_default_value = false)]
struct NewTenant<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a TenantName,
    status: TenantStatus,
    created_at: UtcTime,
    updated_at: UtcTime,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self { id: row.id, slug: row.slug, name: row.name, status: row.status }
    }
}

/// Adds a tenant.
pub fn insert(conn: &mut Connection, clock: &dyn Clock, tenant: &Tenant) -> Result<(), TenantError> {
    let now = clock.now();
    let row = NewTenant {
        id: tenant.id,
        slug: &tenant.slug,
        name: &tenant.name,
        status: tenant.status,
        created_at: now,
        updated_at: now,
    };
    match diesel::insert_into(tenants::table).values(row).execute(conn).map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(DbError::Conflict { .. }) => Err(TenantError::SlugTaken(tenant.slug.clone())),
        Err(error) => Err(error.into()),
    }
}

/// The tenant with this short name.
pub fn find_by_slug(conn: &mut Connection, slug: &Slug) -> Result<Option<Tenant>, DbError> {
    let row = tenants::table.filter(tenants::slug.eq(slug)).select(TenantRow::as_select()).first(conn).optional()?;
    Ok(row.map(Into::into))
}

/// The tenant that has verified this login domain.
pub fn find_by_domain(conn: &mut Connection, domain: &str) -> Result<Option<Tenant>, DbError> {
    let row = tenants::table
        .inner_join(tenant_domains::table.on(tenant_domains::tenant_id.eq(tenants::id)))
        .filter(tenant_domains::domain.eq(domain))
        .filter(tenant_domains::verified_at.is_not_null())
        .select(TenantRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Tenants in the order of their short names, after one.
pub fn page(conn: &mut Connection, after: Option<&Slug>, limit: i64) -> Result<Vec<Tenant>, DbError> {
    let mut query = tenants::table.select(TenantRow::as_select()).order(tenants::slug.asc()).limit(limit).into_boxed();
    if let Some(after) = after {
        query = query.filter(tenants::slug.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// Tenants by slug and by domain, remembered for a few seconds: what changes is seen by every replica after that.
#[derive(Clone)]
pub struct TenantDirectory {
    db: Db,
    cache: Cache<TenantKey, Option<Arc<Tenant>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum TenantKey {
    Slug(Slug),
    Domain(String),
}

impl TenantDirectory {
    /// A directory that remembers each answer for `time_to_live`.
    pub fn new(db: Db, time_to_live: Duration) -> Self {
        Self { db, cache: Cache::builder().max_capacity(10_000).time_to_live(time_to_live).build() }
    }

    /// The tenant with this short name.
    pub async fn by_slug(&self, slug: Slug) -> Result<Option<Arc<Tenant>>, Arc<DbError>> {
        let key = TenantKey::Slug(slug.clone());
        if let Some(known) = self.cache.get(&key).await {
            return Ok(known);
        }
        let load = async { Ok(self.db.read(move |conn| find_by_slug(conn, &slug)).await?.map(Arc::new)) };
        self.cache.try_get_with(key, load).await
    }

    /// The tenant that has verified this login domain.
    pub async fn by_domain(&self, domain: &str) -> Result<Option<Arc<Tenant>>, Arc<DbError>> {
        let key = TenantKey::Domain(domain.to_owned());
        if let Some(known) = self.cache.get(&key).await {
            return Ok(known);
        }
        let domain = domain.to_owned();
        let load = async { Ok(self.db.read(move |conn| find_by_domain(conn, &domain)).await?.map(Arc::new)) };
        self.cache.try_get_with(key, load).await
    }
}
