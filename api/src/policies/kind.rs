//! What policies can know of policies.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::store::{self, Stored};
use crate::access::policy::Type::{Bool, Number, Text, Time};
use crate::access::policy::{Column, Value};
use crate::access::{Attributes, Kept, Kind, Known};

/// What policies can know of policies.
pub(super) const KIND: Kind = Kind {
    name: "policy",
    actions: &[],
    attributes: &[
        ("id", Text, "its id"),
        ("name", Text, "its name"),
        ("resource", Text, "the kind of resource that it speaks of, or *"),
        ("action", Text, "the action that it speaks of, or *"),
        ("effect", Text, "allow or deny"),
        ("is_enabled", Bool, "whether it counts"),
        ("priority", Number, "its priority"),
        ("created_at", Time, "when it was made"),
    ],
    kept: Some(Kept {
        table: "policies",
        columns: &[
            ("policy.id", Column::Text("`policies`.`id`")),
            ("policy.name", Column::Text("`policies`.`name`")),
            ("policy.resource", Column::Text("`policies`.`target_resource`")),
            ("policy.action", Column::Text("`policies`.`target_action`")),
            ("policy.effect", Column::Text("`policies`.`effect`")),
            ("policy.is_enabled", Column::Bool("`policies`.`is_enabled`")),
            ("policy.priority", Column::Count("`policies`.`priority`")),
            ("policy.created_at", Column::Time("`policies`.`created_at`")),
        ],
        load,
    }),
};

/// What is said of a policy that is not there, or that may not be seen.
pub(super) const MISSING: &str = "the tenant has no such policy";

/// What is known of a policy.
pub(super) fn attributes(policy: &Stored) -> Attributes {
    let contents = &policy.contents;
    let mut known = vec![
        ("policy.id", Value::text(policy.id.as_str())),
        ("policy.name", Value::text(&contents.name)),
        ("policy.resource", Value::text(&contents.target.resource)),
        ("policy.action", Value::text(&contents.target.action)),
        ("policy.effect", Value::text(contents.effect().as_str())),
        ("policy.is_enabled", Value::Bool(contents.is_enabled)),
        ("policy.created_at", Value::Time(policy.created_at)),
    ];
    known.extend(Value::count(contents.priority).map(|priority| ("policy.priority", priority)));
    known
}

fn load(conn: &mut Connection, scope: TenantScope, _: UtcTime, ids: &[String]) -> Result<Known, DbError> {
    let policies = store::with_ids(conn, scope, ids)?;
    Ok(policies.iter().map(|policy| (policy.id.to_string(), attributes(policy))).collect())
}
