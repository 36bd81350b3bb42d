//! Queries on tenants and their domains, and the cache in front of them.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use moka::future::Cache;
use tenantry_db::{Connection, Db, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{Slug, TenantId, UtcTime};

use super::{Tenant, TenantError, TenantName, TenantStatus};
use crate::schema::{tenant_domains, tenants};

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants)]
struct TenantRow {
    id: TenantId,
    slug: Slug,
    name: TenantName,
    status: TenantStatus,
    is_platform: bool,
    created_at: UtcTime,
    updated_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = tenants, treat_none_as_default_value = false)]
struct NewTenant<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a TenantName,
    status: TenantStatus,
    is_platform: bool,
    created_at: UtcTime,
    updated_at: UtcTime,
}

impl From<TenantRow> for Tenant {
    fn from(row: TenantRow) -> Self {
        Self {
            id: row.id,
            slug: row.slug,
            name: row.name,
            status: row.status,
            is_platform: row.is_platform,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Adds a tenant.
pub fn insert(conn: &mut Connection, tenant: &Tenant) -> Result<(), TenantError> {
    let row = NewTenant {
        id: tenant.id,
        slug: &tenant.slug,
        name: &tenant.name,
        status: tenant.status,
        is_platform: tenant.is_platform,
        created_at: tenant.created_at,
        updated_at: tenant.updated_at,
    };
    match diesel::insert_into(tenants::table).values(row).execute(conn).map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(error) if error.conflicts_on("slug") => Err(TenantError::SlugTaken(tenant.slug.clone())),
        Err(error) => Err(error.into()),
    }
}

/// The tenant itself, whether it is in use or not.
pub fn find(conn: &mut Connection, scope: TenantScope) -> Result<Option<Tenant>, DbError> {
    let row = tenants::table.find(scope.tenant_id()).select(TenantRow::as_select()).first(conn).optional()?;
    Ok(row.map(Into::into))
}

/// Reads the tenant and keeps others from changing anything of it until the transaction ends. Whatever changes its people
/// or itself begins with this, so that changes of one tenant, and the events that tell of them, come one after the other.
pub fn lock(conn: &mut Connection, scope: TenantScope) -> Result<Option<Tenant>, DbError> {
    let row = tenants::table
        .filter(tenants::id.eq(scope.tenant_id()))
        .select(TenantRow::as_select())
        .lock_rows()
        .get_result(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Keeps others from changing anything of these tenants until the transaction ends, in the order of their ids.
pub fn lock_several(conn: &mut Connection, ids: Vec<TenantId>) -> Result<(), DbError> {
    let rows = tenants::table.filter(tenants::id.eq_any(ids)).order(tenants::id.asc()).select(tenants::id);
    let _: Vec<TenantId> = rows.lock_rows().load(conn)?;
    Ok(())
}

/// Stores the name, the status and the time of the change of a tenant that is there.
pub fn update(conn: &mut Connection, scope: TenantScope, tenant: &Tenant) -> Result<(), DbError> {
    diesel::update(tenants::table.find(scope.tenant_id()))
        .set((
            tenants::name.eq(&tenant.name),
            tenants::status.eq(tenant.status),
            tenants::updated_at.eq(tenant.updated_at),
        ))
        .execute(conn)?;
    Ok(())
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

/// Which tenants a list shows.
#[derive(Debug, Clone, Default)]
pub struct TenantFilter {
    /// Those with this short name.
    pub slug: Option<Slug>,
    /// Those in this state.
    pub status: Option<TenantStatus>,
}

/// Tenants in the order of their ids, after one.
pub fn list(
    conn: &mut Connection,
    filter: &TenantFilter,
    after: Option<TenantId>,
    limit: i64,
) -> Result<Vec<Tenant>, DbError> {
    let mut query = tenants::table.select(TenantRow::as_select()).order(tenants::id.asc()).limit(limit).into_boxed();
    if let Some(slug) = &filter.slug {
        query = query.filter(tenants::slug.eq(slug));
    }
    if let Some(status) = filter.status {
        query = query.filter(tenants::status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(tenants::id.gt(after));
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

    /// Forgets what is remembered, so that a change is seen here at once.
    pub fn forget(&self) {
        self.cache.invalidate_all();
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
