//! The row of a tenant.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, Slug, TenantId, UtcTime};

use crate::authn::{Tenant, TenantStatus};
use crate::schema::tenants;

#[derive(Insertable)]
#[diesel(table_name = tenants, treat_none_as_default_value = false)]
struct NewTenant<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a str,
    status: TenantStatus,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

/// Makes sure that the tenant has a row; a new one says what the identity provider says, and one that is there stays as it
/// is, because what this service remembers of the provider may be older. To be called first in a transaction that writes
/// for the tenant: the row stays locked to its end, so that writers of one tenant wait for each other.
pub fn keep_tenant(conn: &mut Connection, clock: &dyn Clock, tenant: &Tenant) -> Result<(), DbError> {
    let now = clock.now();
    let row = NewTenant {
        id: tenant.id,
        slug: &tenant.slug,
        name: &tenant.name,
        status: tenant.status,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(tenants::table).values(row).upsert(tenants::id, tenants::id.eq(tenant.id)).execute(conn)?;
    Ok(())
}

/// Locks the row of a tenant that the caller does not belong to.
///
/// # Errors
/// [`DbError::NotFound`].
pub fn lock_tenant(conn: &mut Connection, id: TenantId) -> Result<(), DbError> {
    let _: TenantId = tenants::table.filter(tenants::id.eq(id)).select(tenants::id).lock_rows().get_result(conn)?;
    Ok(())
}

/// The identity provider says what the tenant is called and whether it is in use. That counts here, unless this service is
/// about to tell it something else; a status that is not known switches nothing on.
pub fn tenant_is(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    name: &str,
    status: Option<TenantStatus>,
) -> Result<(), DbError> {
    let settled = tenants::table
        .filter(tenants::id.eq(scope.tenant_id()))
        .filter(tenants::wanted_status.is_null())
        .filter(tenants::status.ne(TenantStatus::Provisioning));
    let status = status.filter(|status| *status != TenantStatus::Provisioning).unwrap_or(TenantStatus::Inactive);
    let is_new = settled.filter(tenants::name.ne(name).or(tenants::status.ne(status)));
    diesel::update(is_new)
        .set((
            tenants::name.eq(name),
            tenants::status.eq(status),
            tenants::version.eq(tenants::version + 1),
            tenants::updated_at.eq(clock.now()),
        ))
        .execute(conn)?;
    Ok(())
}
