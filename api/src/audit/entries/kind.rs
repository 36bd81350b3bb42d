//! What policies can know of entries of the audit trail.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::model::EntryView;
use super::store;
use crate::access::policy::Type::{Text, Time};
use crate::access::policy::{Column, Value};
use crate::access::{Attributes, Kept, Kind, Known};

/// What policies can know of entries of the audit trail.
pub(super) const KIND: Kind = Kind {
    name: "audit",
    actions: &[],
    attributes: &[
        ("id", Text, "the id of the entry"),
        ("actor_kind", Text, "user, client or system"),
        ("actor_id", Text, "who did it"),
        ("action", Text, "what was done, such as tenant_settings.update"),
        ("target_kind", Text, "the kind of thing that it was done to"),
        ("target_id", Text, "its id"),
        ("occurred_at", Time, "when it was done"),
    ],
    kept: Some(Kept {
        table: "audit_entries",
        columns: &[
            ("audit.id", Column::Text("`audit_entries`.`id`")),
            ("audit.actor_kind", Column::Text("`audit_entries`.`actor_kind`")),
            ("audit.actor_id", Column::Text("`audit_entries`.`actor_id`")),
            ("audit.action", Column::Text("`audit_entries`.`action`")),
            ("audit.target_kind", Column::Text("`audit_entries`.`target_kind`")),
            ("audit.target_id", Column::Text("`audit_entries`.`target_id`")),
            ("audit.occurred_at", Column::Time("`audit_entries`.`occurred_at`")),
        ],
        load,
    }),
};

/// What is known of an entry.
pub(super) fn attributes(entry: &EntryView) -> Attributes {
    vec![
        ("audit.id", Value::text(&entry.id)),
        ("audit.actor_kind", Value::text(&entry.actor.kind)),
        ("audit.actor_id", Value::text(&entry.actor.id)),
        ("audit.action", Value::text(&entry.action)),
        ("audit.target_kind", Value::text(&entry.target.kind)),
        ("audit.target_id", Value::text(&entry.target.id)),
        ("audit.occurred_at", Value::Time(entry.occurred_at)),
    ]
}

fn load(conn: &mut Connection, scope: TenantScope, _: UtcTime, ids: &[String]) -> Result<Known, DbError> {
    let entries = store::with_ids(conn, scope, ids)?;
    Ok(entries.iter().map(|entry| (entry.id.clone(), attributes(entry))).collect())
}
