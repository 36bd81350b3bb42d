//! One import of a tenant at a time, whichever replica it comes to.

use std::time::Duration;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Id, UtcTime};

use crate::schema::import_leases;

/// For how long an import is believed to be under way after its last sign of life.
const LEASE: Duration = Duration::from_secs(60);
/// How long after that sign it gives another.
pub(super) const RENEW_AFTER: Duration = Duration::from_secs(20);

/// An import.
#[derive(Debug)]
pub(super) enum Running {}

/// Names one.
pub(super) type Owner = Id<Running>;

/// Begins an import. False when another of the tenant is under way. To be called with the tenant's row locked.
pub(super) fn take(conn: &mut Connection, scope: TenantScope, owner: Owner, now: UtcTime) -> Result<bool, DbError> {
    let row = || import_leases::table.filter(import_leases::tenant_id.eq(scope.tenant_id()));
    let held: Option<UtcTime> = row().select(import_leases::leased_until).first(conn).optional()?;
    match held {
        Some(until) if now < until => return Ok(false),
        Some(_) => {
            let ours = (import_leases::owner.eq(owner), import_leases::leased_until.eq(now + LEASE));
            diesel::update(row()).set(ours).execute(conn)?;
        }
        None => {
            let ours = (
                import_leases::tenant_id.eq(scope.tenant_id()),
                import_leases::owner.eq(owner),
                import_leases::leased_until.eq(now + LEASE),
            );
            diesel::insert_into(import_leases::table).values(ours).execute(conn)?;
        }
    }
    Ok(true)
}

/// Says that the import goes on.
pub(super) fn renew(conn: &mut Connection, scope: TenantScope, owner: Owner, now: UtcTime) -> Result<(), DbError> {
    let row =
        import_leases::table.filter(import_leases::tenant_id.eq(scope.tenant_id()).and(import_leases::owner.eq(owner)));
    diesel::update(row).set(import_leases::leased_until.eq(now + LEASE)).execute(conn)?;
    Ok(())
}

/// Says that it has ended.
pub(super) fn end(conn: &mut Connection, scope: TenantScope, owner: Owner) -> Result<(), DbError> {
    let row =
        import_leases::table.filter(import_leases::tenant_id.eq(scope.tenant_id()).and(import_leases::owner.eq(owner)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}
