//! The roles of a person in a tenant, whether they live there or are a member.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};

use super::find_person;
use crate::audit::Author;
use crate::events::{self, Event};
use crate::memberships;
use crate::users::{self, RoleName, Roles, User};

/// Gives `person`, as they were read in this transaction, these roles, unless a newer version is there: then that stays, so
/// that a late repeat does no harm. The same version again with other names is the newest word on it.
pub fn replace_roles(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    person: User,
    roles: &Roles,
) -> Result<User, DbError> {
    let same_names = person.roles.iter().map(String::as_str).eq(roles.names.iter().map(RoleName::as_str));
    if roles.version < person.roles_version || (roles.version == person.roles_version && same_names) {
        return Ok(person);
    }
    if person.tenant_id == scope.tenant_id() {
        users::store::replace_roles(conn, scope, person.id, roles, author.now_after(person.updated_at))?;
    } else {
        memberships::store::replace_roles(conn, scope, person.id, roles)?;
    }
    let after = find_person(conn, scope, person.id)?.ok_or(DbError::NotFound)?;
    let detail = json!({ "version": roles.version, "old": person.roles, "new": after.roles });
    author.record(conn, scope, "user.replace_roles", format!("user:{}", person.id), detail)?;
    events::store::record(conn, scope, author, &Event::user_updated(&after))?;
    Ok(after)
}
