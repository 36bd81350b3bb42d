//! Queries on login domains.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, DomainId, DomainName, Random, UtcTime};

use crate::schema::tenant_domains as domains;

/// A login domain of a tenant.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = domains)]
pub struct Domain {
    /// The name.
    #[diesel(column_name = domain)]
    pub name: DomainName,
    /// Whether it is the one that the tenant prefers.
    pub is_primary: bool,
    /// Since when it is known to be the tenant's.
    pub verified_at: Option<UtcTime>,
    /// When it was added.
    pub created_at: UtcTime,
}

/// A domain of the tenant.
pub fn find(conn: &mut Connection, scope: TenantScope, name: &DomainName) -> Result<Option<Domain>, DbError> {
    Ok(domains::table
        .filter(domains::tenant_id.eq(scope.tenant_id()).and(domains::domain.eq(name)))
        .select(Domain::as_select())
        .first(conn)
        .optional()?)
}

/// Whether some tenant has the domain.
pub fn is_taken(conn: &mut Connection, name: &DomainName) -> Result<bool, DbError> {
    let found: Option<DomainId> =
        domains::table.filter(domains::domain.eq(name)).select(domains::id).first(conn).optional()?;
    Ok(found.is_some())
}

/// Domains of the tenant in the order of their names, after one.
pub fn list(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<&DomainName>,
    limit: i64,
) -> Result<Vec<Domain>, DbError> {
    let mut query = domains::table
        .filter(domains::tenant_id.eq(scope.tenant_id()))
        .select(Domain::as_select())
        .order(domains::domain.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(domains::domain.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Adds a domain that is known to be the tenant's.
pub fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    name: &DomainName,
    is_primary: bool,
) -> Result<Domain, DbError> {
    let now = clock.now();
    diesel::insert_into(domains::table)
        .values((
            domains::id.eq(DomainId::new(clock, random)),
            domains::tenant_id.eq(scope.tenant_id()),
            domains::domain.eq(name),
            domains::is_primary.eq(is_primary),
            domains::verified_at.eq(Some(now)),
            domains::created_at.eq(now),
        ))
        .execute(conn)?;
    Ok(Domain { name: name.clone(), is_primary, verified_at: Some(now), created_at: now })
}

/// No domain of the tenant is the primary one any more.
pub fn clear_primary(conn: &mut Connection, scope: TenantScope) -> Result<(), DbError> {
    diesel::update(domains::table.filter(domains::tenant_id.eq(scope.tenant_id())))
        .set(domains::is_primary.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Says whether a domain is the primary one.
pub fn set_primary(
    conn: &mut Connection,
    scope: TenantScope,
    name: &DomainName,
    is_primary: bool,
) -> Result<(), DbError> {
    diesel::update(domains::table)
        .filter(domains::tenant_id.eq(scope.tenant_id()).and(domains::domain.eq(name)))
        .set(domains::is_primary.eq(is_primary))
        .execute(conn)?;
    Ok(())
}

/// Takes a domain away; whether it was the tenant's.
pub fn delete(conn: &mut Connection, scope: TenantScope, name: &DomainName) -> Result<bool, DbError> {
    let gone = diesel::delete(domains::table)
        .filter(domains::tenant_id.eq(scope.tenant_id()).and(domains::domain.eq(name)))
        .execute(conn)?;
    Ok(gone > 0)
}
