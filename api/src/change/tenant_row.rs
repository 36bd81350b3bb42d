//! The row of a tenant.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, UpsertDsl as _};
use tenantry_types::{Clock, Slug, TenantId, UtcTime};

use crate::authn::Tenant;
use crate::schema::tenants;

#[derive(Insertable)]
#[diesel(table_name = tenants, treat_none_as_default_value = false)]
struct NewTenant<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a str,
    created_at: UtcTime,
    updated_at: UtcTime,
}

/// Makes sure that the tenant has a row, which says what the identity provider says. To be called first in a transaction
/// that writes for the tenant: the row stays locked to its end, so that writers of one tenant wait for each other.
pub fn keep_tenant(conn: &mut Connection, clock: &dyn Clock, tenant: &Tenant) -> Result<(), DbError> {
    let now = clock.now();
    let row = NewTenant { id: tenant.id, slug: &tenant.slug, name: &tenant.name, created_at: now, updated_at: now };
    diesel::insert_into(tenants::table)
        .values(row)
        .upsert(
            tenants::id,
            (tenants::slug.eq(&tenant.slug), tenants::name.eq(&tenant.name), tenants::updated_at.eq(now)),
        )
        .execute(conn)?;
    Ok(())
}
