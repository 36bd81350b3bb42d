//! What policies can know of roles.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::store::{self, RoleRow};
use crate::access::policy::Type::{Bool, Text, Time};
use crate::access::policy::{Column, Value};
use crate::access::{Attributes, Kept, Kind, Known};

/// What policies can know of roles.
pub(super) const KIND: Kind = Kind {
    name: "role",
    actions: &["assign"],
    attributes: &[
        ("id", Text, "its id"),
        ("name", Text, "its name"),
        ("family", Text, "Provider, Internal or Customer"),
        ("is_system", Bool, "whether every tenant has it"),
        ("created_at", Time, "when it was made"),
    ],
    kept: Some(Kept {
        table: "roles",
        columns: &[
            ("role.id", Column::Text("`roles`.`id`")),
            ("role.name", Column::Text("`roles`.`name`")),
            ("role.family", Column::Text("`roles`.`role_family`")),
            ("role.is_system", Column::Bool("`roles`.`is_system`")),
            ("role.created_at", Column::Time("`roles`.`created_at`")),
        ],
        load,
    }),
};

/// What is said of a role that is not there, or that may not be seen.
pub(super) const MISSING: &str = "the tenant has no such role";

/// What is known of a role.
pub(super) fn attributes(role: &RoleRow) -> Attributes {
    vec![
        ("role.id", Value::text(role.id.as_str())),
        ("role.name", Value::text(&role.name)),
        ("role.family", Value::text(role.role_family.as_str())),
        ("role.is_system", Value::Bool(role.is_system)),
        ("role.created_at", Value::Time(role.created_at)),
    ]
}

fn load(conn: &mut Connection, scope: TenantScope, _: UtcTime, ids: &[String]) -> Result<Known, DbError> {
    let rows = store::rows(conn, scope, ids)?;
    Ok(rows.iter().map(|row| (row.id.to_string(), attributes(row))).collect())
}
