//! What policies can know of groups.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::store::{self, Group};
use crate::access::policy::Type::{Text, Time};
use crate::access::policy::{Column, Value};
use crate::access::{Attributes, Kept, Kind, Known};

/// What policies can know of groups.
pub(super) const KIND: Kind = Kind {
    name: "group",
    actions: &[],
    attributes: &[
        ("id", Text, "its id"),
        ("name", Text, "its name"),
        ("parent_id", Text, "the id of the group that it is a part of"),
        ("created_at", Time, "when it was made"),
    ],
    kept: Some(Kept {
        table: "user_groups",
        columns: &[
            ("group.id", Column::Text("`user_groups`.`id`")),
            ("group.name", Column::Text("`user_groups`.`name`")),
            ("group.parent_id", Column::Text("`user_groups`.`parent_id`")),
            ("group.created_at", Column::Time("`user_groups`.`created_at`")),
        ],
        load,
    }),
};

/// What is said of a group that is not there, or that may not be seen.
pub(super) const MISSING: &str = "the tenant has no such group";

/// What is known of a group.
pub(super) fn attributes(group: &Group) -> Attributes {
    let mut known = vec![
        ("group.id", Value::text(group.id.as_str())),
        ("group.name", Value::text(&group.name)),
        ("group.created_at", Value::Time(group.created_at)),
    ];
    known.extend(group.parent_id.map(|parent| ("group.parent_id", Value::text(parent.as_str()))));
    known
}

fn load(conn: &mut Connection, scope: TenantScope, _: UtcTime, ids: &[String]) -> Result<Known, DbError> {
    let groups = store::with_ids(conn, scope, ids)?;
    Ok(groups.iter().map(|group| (group.id.to_string(), attributes(group))).collect())
}
