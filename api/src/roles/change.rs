//! Making, changing and removing roles.

use std::collections::HashSet;

use serde_json::{Value, json};
use tenantry_db::{Connection, TenantScope};
use tenantry_types::{InputError, RoleId};

use super::assign::{may_give, may_take};
use super::kind::{MISSING, attributes};
use super::parse::{RoleInput, RolePatch};
use super::routes::{CREATE, DELETE, READ, UPDATE, view};
use super::store::{self, Role, RoleRow};
use super::{RoleError, claim};
use crate::access::{AccessControl, Authority, PermissionPattern, Portion};
use crate::audit::Changes;
use crate::change::Work;
use crate::input::{EntityTag, IfMatch, Look};
use crate::permissions;
use crate::signals::SignalKind;

/// How many roles a tenant has at most.
const MOST_ROLES: i64 = 1_000;

/// Makes a role of what the caller holds, under a name that policies give nothing else by.
pub(super) fn create(
    work: &mut Work<'_>,
    caller: &Authority,
    control: &AccessControl,
    input: &RoleInput,
) -> Result<Role, RoleError> {
    if store::count(work.conn, work.scope)? >= MOST_ROLES {
        return Err(invalid("", "limit", format!("a tenant has at most {MOST_ROLES} roles")));
    }
    let now = work.clock.now();
    let role = Role {
        row: RoleRow {
            id: RoleId::new(work.clock, work.random),
            tenant_id: work.scope.tenant_id(),
            name: input.name.clone(),
            description: input.description.clone(),
            role_family: input.family,
            is_system: false,
            version: 1,
            created_at: now,
            updated_at: now,
        },
        permissions: input.permissions.iter().map(ToString::to_string).collect(),
        inherits: input.inherits.iter().copied().collect(),
    };
    check_parts(work, control, &role)?;
    let now = caller.renewed(work.conn)?;
    now.check(CREATE, attributes(&role.row))?;
    may_give(&now, &portion(&now, &role))?;
    let names = store::names(work.conn, work.scope, MOST_ROLES)?;
    if !names.contains(&role.row.name) && Look::of(&role.row.name).is_like_any(names.iter().map(String::as_str)) {
        return Err(RoleError::NameAlike);
    }
    store::insert(work.conn, &role)
        .map_err(|error| if error.conflicts_on("name") { RoleError::NameTaken } else { error.into() })?;
    finish(work, CREATE.as_str(), &role, Changes::between(&json!({}), &json!(view(&role))))?;
    Ok(role)
}

/// Changes a role. The caller holds what it allowed and what it will.
pub(super) fn update(
    work: &mut Work<'_>,
    caller: &Authority,
    control: &AccessControl,
    id: RoleId,
    if_match: &IfMatch,
    patch: &RolePatch,
) -> Result<Role, RoleError> {
    let old = store::find(work.conn, work.scope, id)?.ok_or(RoleError::NotFound)?;
    let now = caller.renewed(work.conn)?;
    now.check_shown(READ, UPDATE, attributes(&old.row), MISSING)?;
    if_match.check(&EntityTag::of(work.scope.tenant_id(), id, old.row.version))?;
    if old.row.is_system {
        return Err(RoleError::System);
    }
    let mut new = old.clone();
    if let Some(description) = &patch.description {
        new.row.description.clone_from(description);
    }
    if let Some(permissions) = &patch.permissions {
        new.permissions = permissions.iter().map(ToString::to_string).collect();
    }
    if let Some(inherits) = &patch.inherits {
        new.inherits = inherits.iter().copied().collect();
    }
    if new == old {
        return Ok(old);
    }
    new.row.version += 1;
    new.row.updated_at = work.clock.now();
    check_parts(work, control, &new)?;
    check_circle(work.conn, work.scope, &new)?;
    let (mut taken, mut given) = (portion(&now, &old), portion(&now, &new));
    let before = taken.clone();
    taken.without_names_of(&given);
    given.without_names_of(&before);
    may_take(&now, &taken)?;
    may_give(&now, &given)?;
    store::update(work.conn, work.scope, &new)?;
    super::check_somebody_is_left(work.conn, caller, work.scope)?;
    if new.inherits != old.inherits {
        claim::review(work.conn, work.scope, work.clock.now())?;
    }
    finish(work, UPDATE.as_str(), &new, Changes::between(&json!(view(&old)), &json!(view(&new))))?;
    Ok(new)
}

/// Removes a role that nobody has.
pub(super) fn delete(
    work: &mut Work<'_>,
    caller: &Authority,
    id: RoleId,
    if_match: Option<&IfMatch>,
) -> Result<(), RoleError> {
    let role = store::find(work.conn, work.scope, id)?.ok_or(RoleError::NotFound)?;
    let now = caller.renewed(work.conn)?;
    now.check_shown(READ, DELETE, attributes(&role.row), MISSING)?;
    if let Some(if_match) = if_match {
        if_match.check(&EntityTag::of(work.scope.tenant_id(), id, role.row.version))?;
    }
    if role.row.is_system {
        return Err(RoleError::System);
    }
    if store::is_used(work.conn, work.scope, id)? {
        return Err(RoleError::InUse);
    }
    may_take(&now, &portion(&now, &role))?;
    store::delete(work.conn, work.scope, id)?;
    finish(work, DELETE.as_str(), &role, Changes::between(&json!(view(&role)), &json!({})))
}

fn finish(work: &mut Work<'_>, action: &'static str, role: &Role, changes: Changes) -> Result<(), RoleError> {
    let payload: Value = json!({ "role_id": role.row.id, "name": role.row.name, "action": action });
    work.tell("role.changed", payload)?;
    work.signal(SignalKind::Access, None)?;
    work.record(action, "role", role.row.id.to_string(), changes)?;
    Ok(())
}

/// Its permissions and the roles that it inherits from have to be there.
fn check_parts(work: &mut Work<'_>, control: &AccessControl, role: &Role) -> Result<(), RoleError> {
    let patterns: Vec<PermissionPattern> = role.patterns();
    let unknown = permissions::unknown(work.conn, work.scope, control, &patterns)?;
    let parents: Vec<RoleId> = role.inherits.iter().copied().collect();
    let known = store::known(work.conn, work.scope, &parents)?;
    let of_permissions = role.permissions.iter().enumerate().filter_map(|(at, name)| {
        let is_unknown = unknown.iter().any(|pattern| pattern.to_string() == *name);
        is_unknown.then(|| {
            InputError::new(
                format!("/permissions/{at}"),
                "unknown_permission",
                format!("there is no permission {name}"),
            )
        })
    });
    let of_parents = parents
        .iter()
        .enumerate()
        .filter(|(_, id)| !known.contains(id))
        .map(|(at, _)| InputError::new(format!("/inherits/{at}"), "unknown_role", "the tenant has no such role"));
    let errors: Vec<InputError> = of_permissions.chain(of_parents).collect();
    if errors.is_empty() { Ok(()) } else { Err(RoleError::Invalid(errors)) }
}

/// What comes with a role, as it would be: what it inherits included.
fn portion(now: &Authority, role: &Role) -> Portion {
    let mut portion = Portion::of(role.patterns().iter().collect());
    portion.add_role_name(&role.row.name);
    role.inherits.iter().filter_map(|id| now.tenant().portion_of_role(*id)).for_each(|parent| portion.add(parent));
    portion
}

/// Whoever follows what the role inherits does not come back to it.
fn check_circle(conn: &mut Connection, scope: TenantScope, role: &Role) -> Result<(), RoleError> {
    let parents = store::parents(conn, scope)?;
    let (mut seen, mut open) = (HashSet::new(), role.inherits.iter().copied().collect::<Vec<_>>());
    while let Some(next) = open.pop() {
        if next == role.row.id {
            return Err(invalid("/inherits", "circle", "a role cannot inherit from itself, also not through others"));
        }
        if seen.insert(next) {
            open.extend(parents.get(&next).into_iter().flatten());
        }
    }
    Ok(())
}

fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> RoleError {
    RoleError::Invalid(vec![InputError::new(pointer, code, detail)])
}
