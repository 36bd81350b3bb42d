//! Writing the audit trail.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{AuditId, Clock, JsonText, Random, TenantId, UtcTime};

use super::{ActorKind, AuditEntry, Changes};
use crate::schema::{audit_entries, audit_unsealed};

#[derive(Insertable)]
#[diesel(table_name = audit_entries, treat_none_as_default_value = false)]
struct NewEntry<'a> {
    id: AuditId,
    tenant_id: TenantId,
    occurred_at: UtcTime,
    actor_kind: ActorKind,
    actor_id: &'a str,
    actor_tenant_id: Option<TenantId>,
    acting_party_kind: Option<ActorKind>,
    acting_party_id: Option<&'a str>,
    acting_client: Option<&'a str>,
    action: &'a str,
    target_kind: &'a str,
    target_id: &'a str,
    changes: &'a JsonText<Changes>,
    address: Option<&'a str>,
    request_id: Option<&'a str>,
}

/// Adds an entry, and queues it for the sealer. To be called in the transaction of what it tells of.
pub fn record(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    entry: &AuditEntry,
) -> Result<(), DbError> {
    let changes =
        JsonText::new(entry.changes.clone()).map_err(|error| DbError::Invalid(format!("audit entry: {error}")))?;
    let (id, tenant_id) = (AuditId::new(clock, random), scope.tenant_id());
    let row = NewEntry {
        id,
        tenant_id,
        occurred_at: clock.now(),
        actor_kind: entry.actor_kind,
        actor_id: &entry.actor_id,
        actor_tenant_id: entry.actor_tenant.filter(|tenant| *tenant != tenant_id),
        acting_party_kind: entry.acting_party.as_ref().map(|party| party.kind),
        acting_party_id: entry.acting_party.as_ref().map(|party| party.id.as_str()),
        acting_client: entry.acting_client.as_deref(),
        action: entry.action,
        target_kind: entry.target_kind,
        target_id: &entry.target_id,
        changes: &changes,
        address: entry.origin.address.as_deref(),
        request_id: entry.origin.request_id.as_deref(),
    };
    diesel::insert_into(audit_entries::table).values(row).execute(conn)?;
    let waiting = (audit_unsealed::tenant_id.eq(tenant_id), audit_unsealed::entry_id.eq(id));
    diesel::insert_into(audit_unsealed::table).values(waiting).execute(conn)?;
    Ok(())
}
