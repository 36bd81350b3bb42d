//! The rows of domains.

use diesel::prelude::*;
use secrecy::ExposeSecret as _;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, DomainId, DomainName, Random, TenantId, UtcTime, random_token};

use super::model::{Domain, Method};
use crate::schema::tenant_domains;

/// The domains that a tenant can have.
pub(super) const MOST: i64 = 50;

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenant_domains)]
struct DomainRow {
    id: DomainId,
    domain: DomainName,
    is_primary: bool,
    verification_token: String,
    verified_domain: Option<DomainName>,
    method: Option<Method>,
    verified_at: Option<UtcTime>,
    failures: i64,
    version: i64,
    created_at: UtcTime,
}

impl From<DomainRow> for Domain {
    fn from(row: DomainRow) -> Self {
        Self {
            id: row.id,
            name: row.domain,
            is_primary: row.is_primary,
            token: row.verification_token,
            verified: row.verified_domain.and(row.method),
            verified_at: row.verified_at,
            failures: row.failures,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

/// The domains of a tenant, in the order in which they were claimed.
pub(in crate::tenants) fn list(conn: &mut Connection, scope: TenantScope) -> Result<Vec<Domain>, DbError> {
    let rows: Vec<DomainRow> = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(scope.tenant_id()))
        .order((tenant_domains::created_at.asc(), tenant_domains::id.asc()))
        .select(DomainRow::as_select())
        .limit(MOST)
        .load(conn)?;
    Ok(rows.into_iter().map(Domain::from).collect())
}

/// The first name that each of these tenants has: their primary domain, or the oldest.
pub(in crate::tenants) fn first_names(
    conn: &mut Connection,
    tenants: &[TenantId],
) -> Result<Vec<(TenantId, String)>, DbError> {
    let limit = MOST * i64::try_from(tenants.len()).unwrap_or(1);
    Ok(tenant_domains::table
        .filter(tenant_domains::tenant_id.eq_any(tenants))
        .order((tenant_domains::is_primary.desc(), tenant_domains::created_at.asc(), tenant_domains::id.asc()))
        .select((tenant_domains::tenant_id, tenant_domains::domain))
        .limit(limit)
        .load(conn)?)
}

/// The domain of this name.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, name: &DomainName) -> Result<Option<Domain>, DbError> {
    let row: Option<DomainRow> = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(scope.tenant_id()).and(tenant_domains::domain.eq(name)))
        .select(DomainRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Domain::from))
}

/// Whether some tenant has shown that the domain is theirs.
pub(in crate::tenants) fn is_verified_by_anybody(conn: &mut Connection, name: &DomainName) -> Result<bool, DbError> {
    let found: i64 = tenant_domains::table.filter(tenant_domains::verified_domain.eq(name)).count().get_result(conn)?;
    Ok(found > 0)
}

/// The tenant that has shown that the domain is theirs, with it.
pub(super) fn verified_of(conn: &mut Connection, name: &DomainName) -> Result<Option<(TenantId, Domain)>, DbError> {
    let row: Option<(TenantId, DomainRow)> = tenant_domains::table
        .filter(tenant_domains::verified_domain.eq(name))
        .select((tenant_domains::tenant_id, DomainRow::as_select()))
        .first(conn)
        .optional()?;
    Ok(row.map(|(tenant, row)| (tenant, row.into())))
}

/// Adds a domain that the tenant says is theirs.
pub(in crate::tenants) fn claim(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    name: &DomainName,
    is_primary: bool,
) -> Result<(), DbError> {
    let now = clock.now();
    let row = (
        tenant_domains::id.eq(DomainId::new(clock, random)),
        tenant_domains::tenant_id.eq(scope.tenant_id()),
        tenant_domains::domain.eq(name),
        tenant_domains::verified_domain.eq(None::<DomainName>),
        tenant_domains::is_primary.eq(is_primary),
        tenant_domains::verification_token.eq(random_token(random).expose_secret().to_owned()),
        tenant_domains::method.eq(None::<Method>),
        tenant_domains::verified_at.eq(None::<UtcTime>),
        tenant_domains::checked_at.eq(None::<UtcTime>),
        tenant_domains::failures.eq(0_i64),
        tenant_domains::version.eq(1_i64),
        tenant_domains::created_at.eq(now),
        tenant_domains::updated_at.eq(now),
    );
    diesel::insert_into(tenant_domains::table).values(row).execute(conn)?;
    Ok(())
}

/// Sets what can change about a domain.
///
/// # Errors
/// [`DbError::Conflict`] on `verified_domain` when another tenant has shown that the domain is theirs.
pub(super) fn save(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    domain: &Domain,
) -> Result<(), DbError> {
    let now = clock.now();
    let verified = domain.verified.map(|_| &domain.name);
    let row = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(scope.tenant_id()).and(tenant_domains::id.eq(domain.id)));
    diesel::update(row)
        .set((
            tenant_domains::verified_domain.eq(verified),
            tenant_domains::is_primary.eq(domain.is_primary),
            tenant_domains::method.eq(domain.verified),
            tenant_domains::verified_at.eq(domain.verified_at),
            tenant_domains::checked_at.eq(verified.map(|_| now)),
            tenant_domains::failures.eq(domain.failures),
            tenant_domains::version.eq(domain.version),
            tenant_domains::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Takes the preference from the domains that have it.
pub(super) fn clear_primary(conn: &mut Connection, scope: TenantScope) -> Result<(), DbError> {
    let rows = tenant_domains::table
        .filter(tenant_domains::tenant_id.eq(scope.tenant_id()).and(tenant_domains::is_primary.eq(true)));
    diesel::update(rows).set(tenant_domains::is_primary.eq(false)).execute(conn)?;
    Ok(())
}

/// Removes a domain.
pub(super) fn remove(conn: &mut Connection, scope: TenantScope, id: DomainId) -> Result<(), DbError> {
    let row =
        tenant_domains::table.filter(tenant_domains::tenant_id.eq(scope.tenant_id()).and(tenant_domains::id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Takes verified domains of all tenants that were last looked at before a time, and marks them as looked at, so that no
/// other replica takes them too.
pub(super) fn take_unseen(
    conn: &mut Connection,
    now: UtcTime,
    before: UtcTime,
    limit: i64,
) -> Result<Vec<(TenantId, Domain)>, DbError> {
    let rows: Vec<(TenantId, DomainRow)> = tenant_domains::table
        .filter(tenant_domains::checked_at.lt(before))
        .order(tenant_domains::checked_at.asc())
        .select((tenant_domains::tenant_id, DomainRow::as_select()))
        .limit(limit)
        .load(conn)?;
    let ids: Vec<DomainId> = rows.iter().map(|(_, row)| row.id).collect();
    if !ids.is_empty() {
        diesel::update(tenant_domains::table.filter(tenant_domains::id.eq_any(ids)))
            .set(tenant_domains::checked_at.eq(Some(now)))
            .execute(conn)?;
    }
    Ok(rows.into_iter().map(|(tenant, row)| (tenant, row.into())).collect())
}
