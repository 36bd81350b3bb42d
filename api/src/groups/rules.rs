//! Making, changing and removing groups.

use std::collections::HashSet;

use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_types::{GroupId, InputError};

use super::GroupError;
use super::kind::{MISSING, attributes};
use super::routes::{CREATE, DELETE, READ, UPDATE, view};
use super::store::{self, Group};
use crate::access::{Authority, Portion};
use crate::audit::Changes;
use crate::change::Work;
use crate::input::{EntityTag, Errors, IfMatch, Look, Object, line};
use crate::roles::model::RoleName;
use crate::roles::{check_somebody_is_left, claim, may_assign, may_give, may_take};
use crate::signals::SignalKind;

/// How many groups a tenant has at most.
const MOST_GROUPS: i64 = 5_000;

/// A group as it is sent; what is absent stays as it is.
#[derive(Debug, Clone)]
pub(super) struct GroupInput {
    name: Option<String>,
    #[allow(clippy::option_option, reason = "that it is absent and that it is null are two things")]
    description: Option<Option<String>>,
    #[allow(clippy::option_option, reason = "that it is absent and that it is null are two things")]
    parent: Option<Option<GroupId>>,
}

impl GroupInput {
    /// `{name, description?, parent_id?}`; a new group needs its name.
    pub(super) fn parse(body: Value, is_new: bool) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(body, "", &errors);
        let name = if is_new {
            body.required("name", str::parse::<RoleName>)
        } else {
            body.text("name", str::parse::<RoleName>)
        };
        let (says_description, says_parent) = (body.contains("description"), body.contains("parent_id"));
        let description = body.text("description", line::<500>);
        let parent = body.text("parent_id", str::parse::<GroupId>);
        body.finish();
        errors.unless_any(Self {
            name: name.map(|name| name.as_str().to_owned()),
            description: says_description.then_some(description),
            parent: says_parent.then_some(parent),
        })
    }
}

/// Makes a group. What it is a part of gives its members roles, which the caller has to hold.
pub(super) fn create(work: &mut Work<'_>, caller: &Authority, input: &GroupInput) -> Result<Group, GroupError> {
    if store::count(work.conn, work.scope)? >= MOST_GROUPS {
        return Err(invalid("", "limit", format!("a tenant has at most {MOST_GROUPS} groups")));
    }
    let now = work.clock.now();
    let group = Group {
        id: GroupId::new(work.clock, work.random),
        tenant_id: work.scope.tenant_id(),
        parent_id: input.parent.flatten(),
        name: input.name.clone().unwrap_or_default(),
        description: input.description.clone().flatten(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let now = caller.renewed(work.conn)?;
    now.check(CREATE, attributes(&group))?;
    may_give(&now, &named(&group))?;
    check_parent(work, &now, &group)?;
    check_look(work, &group)?;
    store::insert(work.conn, &group).map_err(name_taken)?;
    finish(work, CREATE.as_str(), &group, Changes::between(&json!({}), &json!(view(&group))))?;
    Ok(group)
}

/// Changes a group.
pub(super) fn update(
    work: &mut Work<'_>,
    caller: &Authority,
    id: GroupId,
    if_match: &IfMatch,
    input: &GroupInput,
) -> Result<Group, GroupError> {
    let old = store::find(work.conn, work.scope, id)?.ok_or(GroupError::NotFound)?;
    let now = caller.renewed(work.conn)?;
    now.check_shown(READ, UPDATE, attributes(&old), MISSING)?;
    if_match.check(&EntityTag::of(work.scope.tenant_id(), id, old.version))?;
    let mut new = old.clone();
    if let Some(name) = &input.name {
        new.name.clone_from(name);
    }
    if let Some(description) = &input.description {
        new.description.clone_from(description);
    }
    if let Some(parent) = input.parent {
        new.parent_id = parent;
    }
    if new == old {
        return Ok(old);
    }
    new.version += 1;
    new.updated_at = work.clock.now();
    now.check(UPDATE, attributes(&new))?;
    if new.name != old.name {
        may_take(&now, &named(&old))?;
        may_give(&now, &named(&new))?;
        check_look(work, &new)?;
    }
    if new.parent_id != old.parent_id {
        may_take_from(work, &now, id)?;
        check_parent(work, &now, &new)?;
    }
    store::update(work.conn, work.scope, &new).map_err(name_taken)?;
    check_somebody_is_left(work.conn, caller, work.scope)?;
    if new.parent_id != old.parent_id {
        claim::review(work.conn, work.scope, work.clock.now())?;
    }
    finish(work, UPDATE.as_str(), &new, Changes::between(&json!(view(&old)), &json!(view(&new))))?;
    Ok(new)
}

/// Removes a group of which no other is a part. Its members lose what it gave them, which the caller has to hold.
pub(super) fn delete(
    work: &mut Work<'_>,
    caller: &Authority,
    id: GroupId,
    if_match: Option<&IfMatch>,
) -> Result<(), GroupError> {
    let group = store::find(work.conn, work.scope, id)?.ok_or(GroupError::NotFound)?;
    let now = caller.renewed(work.conn)?;
    now.check_shown(READ, DELETE, attributes(&group), MISSING)?;
    if let Some(if_match) = if_match {
        if_match.check(&EntityTag::of(work.scope.tenant_id(), id, group.version))?;
    }
    may_take_from(work, &now, id)?;
    store::delete(work.conn, work.scope, id).map_err(|error| match error {
        DbError::ForeignKey => GroupError::HasParts,
        other => other.into(),
    })?;
    check_somebody_is_left(work.conn, caller, work.scope)?;
    claim::review(work.conn, work.scope, work.clock.now())?;
    finish(work, DELETE.as_str(), &group, Changes::between(&json!(view(&group)), &json!({})))
}

/// Whether the caller, as they are now, may put somebody into a group: they hold for good all that it gives to its members, by
/// itself and by what it is a part of, and may give its roles.
pub(super) fn may_give_to(work: &mut Work<'_>, now: &Authority, group: GroupId) -> Result<(), GroupError> {
    may_assign(work, now, &now.tenant().roles_by_group(group))?;
    Ok(may_give(now, &now.tenant().portion_of_group(group))?)
}

/// Whether the caller, as they are now, may take somebody out of a group: they hold all that it gives and may take its roles.
pub(super) fn may_take_from(work: &mut Work<'_>, now: &Authority, group: GroupId) -> Result<(), GroupError> {
    may_assign(work, now, &now.tenant().roles_by_group(group))?;
    Ok(may_take(now, &now.tenant().portion_of_group(group))?)
}

/// The group looks like no other by its name.
fn check_look(work: &mut Work<'_>, group: &Group) -> Result<(), GroupError> {
    let others = store::names_but(work.conn, work.scope, group.id, MOST_GROUPS)?;
    let is_alike = Look::of(&group.name).is_like_any(others.iter().map(String::as_str));
    if is_alike && !others.contains(&group.name) { Err(GroupError::NameAlike) } else { Ok(()) }
}

/// What comes with the name of a group alone.
fn named(group: &Group) -> Portion {
    let mut portion = Portion::default();
    portion.add_group_name(&group.name);
    portion
}

fn check_parent(work: &mut Work<'_>, now: &Authority, group: &Group) -> Result<(), GroupError> {
    let Some(parent) = group.parent_id else { return Ok(()) };
    if store::find(work.conn, work.scope, parent)?.is_none() {
        return Err(invalid("/parent_id", "unknown_group", "the tenant has no such group"));
    }
    let parents = store::parents(work.conn, work.scope)?;
    let (mut seen, mut next) = (HashSet::from([group.id]), Some(parent));
    while let Some(id) = next {
        if !seen.insert(id) {
            return Err(invalid("/parent_id", "circle", "a group cannot be a part of itself, also not through others"));
        }
        next = parents.get(&id).copied();
    }
    may_give_to(work, now, parent)
}

fn finish(work: &mut Work<'_>, action: &'static str, group: &Group, changes: Changes) -> Result<(), GroupError> {
    work.tell("group.changed", json!({ "group_id": group.id, "action": action }))?;
    work.signal(SignalKind::Access, None)?;
    work.record(action, "group", group.id.to_string(), changes)?;
    Ok(())
}

fn name_taken(error: DbError) -> GroupError {
    if error.conflicts_on("name") { GroupError::NameTaken } else { error.into() }
}

fn invalid(pointer: &str, code: &'static str, detail: impl Into<String>) -> GroupError {
    GroupError::Invalid(vec![InputError::new(pointer, code, detail)])
}
