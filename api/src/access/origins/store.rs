//! The rows of origins.

use std::collections::HashSet;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::TenantId;

use crate::schema::{tenant_origins, tenants};

/// Origins of a tenant that are read, and of all together. More are remembered of nobody.
const MOST_OF_A_TENANT: i64 = 1_000;
const MOST: i64 = 100_000;
/// The longest origin that is kept.
const LONGEST: usize = 300;

/// The origins of all tenants.
pub(super) fn all(conn: &mut Connection) -> Result<HashSet<String>, DbError> {
    let found: Vec<String> = tenant_origins::table.select(tenant_origins::origin).distinct().limit(MOST).load(conn)?;
    Ok(found.into_iter().collect())
}

/// Those of these tenants that have a row.
pub(super) fn with_rows(conn: &mut Connection, ids: &[TenantId]) -> Result<HashSet<TenantId>, DbError> {
    let found: Vec<TenantId> = tenants::table.filter(tenants::id.eq_any(ids)).select(tenants::id).load(conn)?;
    Ok(found.into_iter().collect())
}

/// Keeps the origins of a tenant, which has a row, instead of those that were kept before.
pub(super) fn keep(conn: &mut Connection, scope: TenantScope, origins: &HashSet<String>) -> Result<(), DbError> {
    let tenant = scope.tenant_id();
    let of_tenant = || tenant_origins::table.filter(tenant_origins::tenant_id.eq(tenant));
    let known: Vec<String> = of_tenant().select(tenant_origins::origin).limit(MOST_OF_A_TENANT).load(conn)?;
    let gone: Vec<&String> = known.iter().filter(|origin| !origins.contains(*origin)).collect();
    if !gone.is_empty() {
        diesel::delete(of_tenant().filter(tenant_origins::origin.eq_any(gone))).execute(conn)?;
    }
    for origin in origins.iter().filter(|origin| origin.len() <= LONGEST && !known.contains(origin)) {
        diesel::insert_into(tenant_origins::table)
            .values((tenant_origins::tenant_id.eq(tenant), tenant_origins::origin.eq(origin)))
            .upsert((tenant_origins::tenant_id, tenant_origins::origin), tenant_origins::origin.eq(origin))
            .execute(conn)?;
    }
    Ok(())
}
