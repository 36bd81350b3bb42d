//! What policies can know of people.

use std::collections::HashMap;

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{UserId, UtcTime};

use super::model::{AccountStatus, RoleView};
use super::store::{self, AccountRow};
use crate::access::policy::Type::{Bool, Set, Text, Time};
use crate::access::policy::{Column, SetColumn, Value};
use crate::access::{Attributes, Kept, Kind, Known};

/// What policies can know of people.
pub(super) const KIND: Kind = Kind {
    name: "account",
    actions: &[],
    attributes: &[
        ("id", Text, "the id of the person"),
        ("status", Text, "active, inactive, banned, hold, pending or suspended"),
        ("email", Text, "the e-mail address"),
        ("email_verified", Bool, "whether it is known to be theirs"),
        ("home_tenant_id", Text, "the id of the tenant that they are at home in, when it is another"),
        ("roles", Set, "the names of the roles that they have of their own"),
        ("groups", Set, "the names of the groups that they are in"),
        ("created_at", Time, "since when they are known"),
    ],
    kept: Some(Kept {
        table: "users",
        // Which roles count depends on the time: about them the database is not asked.
        columns: &[
            ("account.id", Column::Text("`users`.`id`")),
            ("account.status", Column::Text("`users`.`status`")),
            ("account.email", Column::Text("`users`.`email`")),
            ("account.email_verified", Column::Bool("`users`.`email_verified`")),
            ("account.home_tenant_id", Column::Text("`users`.`home_tenant_id`")),
            ("account.groups", Column::Set(GROUPS)),
            ("account.created_at", Column::Time("`users`.`created_at`")),
        ],
        load,
    }),
};

/// SQLite keeps to the order of a `CROSS JOIN`: the groups of a person, which are few, by an index that has all that is asked.
const GROUPS: SetColumn = SetColumn {
    before: "EXISTS (SELECT 1 FROM `group_members` AS `of_group` CROSS JOIN `user_groups` AS `the_group` ON \
             `the_group`.`tenant_id` = `of_group`.`tenant_id` AND `the_group`.`id` = `of_group`.`group_id` WHERE \
             `of_group`.`tenant_id` = `users`.`tenant_id` AND `of_group`.`user_id` = `users`.`id` AND ",
    member: "`the_group`.`name`",
    after: ")",
};

/// What is known of somebody.
fn attributes(row: &AccountRow, roles: &[RoleView], groups: &[String]) -> Attributes {
    let mut known = vec![
        ("account.id", Value::text(row.id.as_str())),
        ("account.status", Value::text(row.status.as_str())),
        ("account.email_verified", Value::Bool(row.email_verified)),
        ("account.roles", Value::set(roles.iter().map(|role| role.name.as_str()))),
        ("account.groups", Value::set(groups)),
        ("account.created_at", Value::Time(row.created_at)),
    ];
    known.extend(row.email.as_deref().map(|email| ("account.email", Value::text(email))));
    known.extend(row.home_tenant_id.map(|home| ("account.home_tenant_id", Value::text(home.as_str()))));
    known
}

/// What is known of somebody who is yet to be added.
pub(super) fn about(status: AccountStatus, email: &str) -> Attributes {
    vec![("account.status", Value::text(status.as_str())), ("account.email", Value::text(email))]
}

/// What is known of these people.
pub(super) fn attributes_of(
    conn: &mut Connection,
    scope: TenantScope,
    now: UtcTime,
    rows: &[AccountRow],
) -> Result<HashMap<UserId, Attributes>, DbError> {
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let (roles, groups) = (store::roles_of(conn, scope, &ids, now)?, store::groups_of(conn, scope, &ids)?);
    let of = |row: &AccountRow| {
        let roles = roles.get(&row.id).map_or(&[][..], Vec::as_slice);
        let groups = groups.get(&row.id).map_or(&[][..], Vec::as_slice);
        (row.id, attributes(row, roles, groups))
    };
    Ok(rows.iter().map(of).collect())
}

fn load(conn: &mut Connection, scope: TenantScope, now: UtcTime, ids: &[String]) -> Result<Known, DbError> {
    let rows = store::with_ids(conn, scope, ids)?;
    let known = attributes_of(conn, scope, now, &rows)?;
    Ok(known.into_iter().map(|(id, attributes)| (id.to_string(), attributes)).collect())
}
