//! The row of a tenant.

use diesel::prelude::*;
use serde_json::json;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, Slug, TenantId, UtcTime};

use crate::audit::Changes;
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

/// A tenant as the identity provider tells of it.
#[derive(Debug, Clone, Copy)]
pub struct TenantTold<'a> {
    /// Its name for people.
    pub name: &'a str,
    /// Whether it is in use; `None` for a status that is not known here, which switches nothing on.
    pub status: Option<TenantStatus>,
    /// When the provider changed it last.
    pub as_of: Option<UtcTime>,
}

/// The identity provider says what the tenant is called and whether it is in use. That counts here, unless it was so before
/// what is known, or this service is about to tell it something else. Gives what changed.
pub fn tenant_is(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    told: &TenantTold<'_>,
) -> Result<Changes, DbError> {
    let row = || tenants::table.filter(tenants::id.eq(scope.tenant_id()));
    let known: KnownTenant = row().select(KnownTenant::as_select()).first(conn)?;
    let is_older = known.provider_updated_at.is_some_and(|known| told.as_of.is_some_and(|as_of| as_of < known));
    if is_older || known.wanted_status.is_some() || known.status == TenantStatus::Provisioning {
        return Ok(Changes::default());
    }
    let status = told.status.filter(|status| *status != TenantStatus::Provisioning).unwrap_or(TenantStatus::Inactive);
    let changes = Changes::between(
        &json!({ "name": known.name, "status": known.status }),
        &json!({ "name": told.name, "status": status }),
    );
    diesel::update(row())
        .set((
            tenants::name.eq(told.name),
            tenants::status.eq(status),
            tenants::provider_updated_at.eq(told.as_of.or(known.provider_updated_at)),
        ))
        .execute(conn)?;
    if !changes.is_empty() {
        diesel::update(row())
            .set((tenants::version.eq(tenants::version + 1), tenants::updated_at.eq(clock.now())))
            .execute(conn)?;
    }
    Ok(changes)
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = tenants)]
struct KnownTenant {
    name: String,
    status: TenantStatus,
    wanted_status: Option<TenantStatus>,
    provider_updated_at: Option<UtcTime>,
}
