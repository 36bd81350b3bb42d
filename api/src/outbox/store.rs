//! Writing the outbox.

use diesel::prelude::*;
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, OutboxId, Random, TenantId, UtcTime};

use crate::schema::outbox;

/// Something that others are to be told.
#[derive(Debug, Clone)]
pub struct Message {
    /// What happened: `tenant_settings.changed`.
    pub kind: &'static str,
    /// The rest.
    pub payload: Value,
}

#[derive(Insertable)]
#[diesel(table_name = outbox, treat_none_as_default_value = false)]
struct NewMessage<'a> {
    id: OutboxId,
    tenant_id: TenantId,
    kind: &'a str,
    payload: String,
    created_at: UtcTime,
    available_at: UtcTime,
    attempts: i64,
    delivered_at: Option<UtcTime>,
}

/// Adds a message, to be delivered at once. To be called in the transaction of what it tells of.
pub fn enqueue(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    message: &Message,
) -> Result<(), DbError> {
    let now = clock.now();
    let row = NewMessage {
        id: OutboxId::new(clock, random),
        tenant_id: scope.tenant_id(),
        kind: message.kind,
        payload: message.payload.to_string(),
        created_at: now,
        available_at: now,
        attempts: 0,
        delivered_at: None,
    };
    diesel::insert_into(outbox::table).values(row).execute(conn)?;
    Ok(())
}
