//! Queries on the audit trail.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{AuditId, Clock, Random, TenantId, UtcTime};

use super::Entry;
use crate::schema::audit_entries;

#[derive(Insertable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
struct NewEntry<'a> {
    id: AuditId,
    tenant_id: TenantId,
    occurred_at: UtcTime,
    action: &'a str,
    actor: &'a str,
    target: &'a str,
    detail: String,
    address: Option<&'a str>,
    request_id: Option<&'a str>,
}

/// Writes an entry. Call it in the transaction of what the entry tells.
pub fn record(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    entry: &Entry<'_>,
) -> Result<(), DbError> {
    let row = NewEntry {
        id: AuditId::new(clock, random),
        tenant_id: scope.tenant_id(),
        occurred_at: clock.now(),
        action: entry.action,
        actor: &entry.actor,
        target: &entry.target,
        detail: entry.detail.to_string(),
        address: entry.source.address.as_deref(),
        request_id: entry.source.request_id.as_deref(),
    };
    diesel::insert_into(audit_entries::table).values(row).execute(conn)?;
    Ok(())
}
