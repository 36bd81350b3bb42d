//! Making, changing and removing policies: each a version of its own.

use serde_json::{Value, json};
use tenantry_types::{PolicyAssignmentId, PolicyId};

use super::PolicyError;
use super::assign;
use super::escalation::{may_make, may_touch, somebody_stays_in, stays_in};
use super::kind::{MISSING, attributes};
use super::model::{Assignee, Contents, Draft, actor};
use super::routes::{CREATE, DELETE, READ, UPDATE};
use super::store::{self, Assignment, Stored};
use crate::access::policy::Policy;
use crate::access::{Authority, Permission};
use crate::audit::Changes;
use crate::change::Work;
use crate::input::{EntityTag, IfMatch, Look, name};
use crate::signals::SignalKind;

/// How many policies a tenant has at most.
const MOST_POLICIES: i64 = 5_000;
/// How many assignments all its policies have together at most.
pub(super) const MOST_ASSIGNMENTS: i64 = 20_000;

/// How many values the conditions of all policies that are switched on ask for together at most: what every replica compiles.
const MOST_TESTS: usize = 100_000;

/// Makes a policy, for these or, where there are none, for everyone. It could say so by conditions as well, so that whoever may
/// make it may assign it from the beginning.
pub(super) fn create(
    work: &mut Work<'_>,
    caller: &Authority,
    draft: &Draft,
    assigned_to: &[Assignee],
) -> Result<Stored, PolicyError> {
    if store::count(work.conn, work.scope)? >= MOST_POLICIES {
        let detail = format!("a tenant has at most {MOST_POLICIES} policies");
        return Err(PolicyError::invalid("", "limit", detail));
    }
    let now = work.clock.now();
    let new = Stored {
        id: PolicyId::new(work.clock, work.random),
        contents: draft.contents.clone(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    let caller = caller.renewed(work.conn)?;
    caller.check(CREATE, attributes(&new))?;
    may_make(&caller, &new.contents)?;
    check_name(work, &new)?;
    let missing = store::missing(work.conn, work.scope, assigned_to)?;
    if let Some((at, assignee)) = missing.first().and_then(|at| Some((at, assigned_to.get(*at)?))) {
        return Err(assign::unknown(&format!("/assigned_to/{at}"), assignee));
    }
    let assignments = of_assignees(work, assigned_to)?;
    stays_in(&caller, &new.contents, &draft.policy, &assignments)?;
    stays_small(&caller, None, &new.contents, &draft.policy)?;
    store::insert(work.conn, work.scope, &new).map_err(name_taken)?;
    store::insert_assignments(work.conn, work.scope, new.id, &assignments)?;
    somebody_stays_in(work, &caller, &new.contents)?;
    let mut shown = json!(new.contents);
    if !assignments.is_empty() {
        shown["assigned_to"] = assignments.iter().map(assign::shown).collect();
    }
    finish(work, CREATE, None, &new, &shown)?;
    Ok(new)
}

/// The first assignments of a policy.
fn of_assignees(work: &mut Work<'_>, assigned_to: &[Assignee]) -> Result<Vec<Assignment>, PolicyError> {
    let more = i64::try_from(assigned_to.len()).unwrap_or(MOST_ASSIGNMENTS);
    if more > 0 && store::count_assignments(work.conn, work.scope)? + more > MOST_ASSIGNMENTS {
        let detail = format!("the policies of a tenant have at most {MOST_ASSIGNMENTS} assignments together");
        return Err(PolicyError::invalid("/assigned_to", "limit", detail));
    }
    let one = |assignee: &Assignee| Assignment {
        id: PolicyAssignmentId::new(work.clock, work.random),
        assignee_type: assignee.kind,
        assignee_id: assignee.id.clone(),
        created_at: work.clock.now(),
    };
    Ok(assigned_to.iter().map(one).collect())
}

/// What a change makes of a policy.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// All of it is replaced, but perhaps whether it is switched on.
    Replace {
        /// What it is to say.
        draft: Box<Draft>,
        /// Nothing was said of the switch.
        keeps_switch: bool,
    },
    /// Some members are (RFC 7396).
    Patch(Value),
    /// It is switched on or off.
    Switch(bool),
    /// What it said in an earlier version it says again, switched on or off as it is.
    RollBack(i64),
}

/// Changes a policy, if it is still what the caller has seen.
pub(super) fn edit(
    work: &mut Work<'_>,
    caller: &Authority,
    id: PolicyId,
    if_match: Option<&IfMatch>,
    edit: &Edit,
) -> Result<Stored, PolicyError> {
    let (old, caller) = current(work, caller, id, UPDATE)?;
    check_version(work, &old, if_match)?;
    let (contents, policy) = drafted(work, &caller, &old, edit)?;
    if contents == old.contents {
        return Ok(old);
    }
    let new = Stored { contents, version: old.version + 1, updated_at: work.clock.now(), ..old.clone() };
    let assignments = assignments(work, id)?;
    caller.check(UPDATE, attributes(&new))?;
    may_touch(&caller, &old.contents)?;
    // Whoever only switches it off makes nothing.
    if !matches!(edit, Edit::Switch(false)) {
        may_make(&caller, &new.contents)?;
    }
    if new.contents.name != old.contents.name {
        check_name(work, &new)?;
    }
    if let Some(policy) = policy {
        stays_in(&caller, &new.contents, &policy, &assignments)?;
        stays_small(&caller, Some(&old.contents), &new.contents, &policy)?;
    }
    store::update(work.conn, work.scope, &new).map_err(name_taken)?;
    somebody_stays_in(work, &caller, &new.contents)?;
    finish(work, UPDATE, Some(&old.contents), &new, &json!(new.contents))?;
    Ok(new)
}

/// Removes a policy, with its versions and assignments.
pub(super) fn remove(
    work: &mut Work<'_>,
    caller: &Authority,
    id: PolicyId,
    if_match: &IfMatch,
) -> Result<(), PolicyError> {
    let (old, caller) = current(work, caller, id, DELETE)?;
    check_version(work, &old, Some(if_match))?;
    may_touch(&caller, &old.contents)?;
    store::delete(work.conn, work.scope, id)?;
    let changes = Changes::between(&json!(old.contents), &json!({}));
    tell(work, DELETE.as_str(), &old, changes)
}

/// The policy, to which the caller may do this by what stands in the database now; and the caller as they are now.
pub(super) fn current(
    work: &mut Work<'_>,
    caller: &Authority,
    id: PolicyId,
    permission: Permission,
) -> Result<(Stored, Authority), PolicyError> {
    let old = store::find(work.conn, work.scope, id)?.ok_or(PolicyError::NotFound("policy"))?;
    let caller = caller.renewed(work.conn)?;
    caller.check_shown(READ, permission, attributes(&old), MISSING)?;
    Ok((old, caller))
}

/// Whether it is what the caller has seen.
fn check_version(work: &Work<'_>, old: &Stored, if_match: Option<&IfMatch>) -> Result<(), PolicyError> {
    let current = EntityTag::of(work.scope.tenant_id(), old.id, old.version);
    Ok(if_match.map_or(Ok(()), |if_match| if_match.check(&current))?)
}

/// All assignments of a policy.
pub(super) fn assignments(work: &mut Work<'_>, id: PolicyId) -> Result<Vec<Assignment>, PolicyError> {
    Ok(store::list_assignments(work.conn, work.scope, id, None, MOST_ASSIGNMENTS)?)
}

/// What the policy is to say, compiled. One that does not compile any more, because an attribute that it names is gone, can
/// still be switched off.
fn drafted(
    work: &mut Work<'_>,
    caller: &Authority,
    old: &Stored,
    edit: &Edit,
) -> Result<(Contents, Option<Policy>), PolicyError> {
    let document = match edit {
        Edit::Replace { draft, keeps_switch } => {
            let mut contents = draft.contents.clone();
            if *keeps_switch {
                contents.is_enabled = old.contents.is_enabled;
            }
            return Ok((contents, Some(draft.policy.clone())));
        }
        Edit::Switch(false) => return Ok((Contents { is_enabled: false, ..old.contents.clone() }, None)),
        Edit::Switch(true) => json!(Contents { is_enabled: true, ..old.contents.clone() }),
        Edit::Patch(patch) => old.contents.patched(patch).map_err(PolicyError::Invalid)?,
        Edit::RollBack(version) => {
            let earlier = store::find_version(work.conn, work.scope, old.id, *version)?;
            let earlier = earlier.ok_or(PolicyError::NotFound("version"))?;
            json!(Contents { is_enabled: old.contents.is_enabled, ..earlier.contents })
        }
    };
    let draft = Draft::parse(caller.tenant().kinds.catalogue(), document, true).map_err(PolicyError::Invalid)?;
    Ok((draft.contents, Some(draft.policy)))
}

/// Whether all policies that are switched on are still few enough with this one in the place of `old`.
fn stays_small(caller: &Authority, old: Option<&Contents>, new: &Contents, policy: &Policy) -> Result<(), PolicyError> {
    let all = &caller.tenant().policies;
    let replaced = old.and_then(|old| all.policies().find(|(known, _)| *known.name == *old.name));
    let size = (all.size() + policy.size()).saturating_sub(replaced.map_or(0, |(known, _)| known.size()));
    if !new.is_enabled || size <= MOST_TESTS {
        return Ok(());
    }
    let detail = format!(
        "the conditions of all policies that are switched on ask for at most {MOST_TESTS} values together; with this one it \
         would be {size}"
    );
    Err(PolicyError::invalid("/rules/conditions", "limit", detail))
}

/// The name of a policy can be seen, and looks like no other.
fn check_name(work: &mut Work<'_>, policy: &Stored) -> Result<(), PolicyError> {
    let own = &policy.contents.name;
    name::<200>(own).map_err(|detail| PolicyError::invalid("/name", "invalid", detail))?;
    let others = store::names_but(work.conn, work.scope, policy.id, MOST_POLICIES)?;
    let is_alike = Look::of(own).is_like_any(others.iter().map(String::as_str));
    if is_alike && !others.contains(own) { Err(PolicyError::NameAlike) } else { Ok(()) }
}

fn name_taken(error: tenantry_db::DbError) -> PolicyError {
    if error.conflicts_on("name") { PolicyError::NameTaken } else { error.into() }
}

fn finish(
    work: &mut Work<'_>,
    permission: Permission,
    old: Option<&Contents>,
    new: &Stored,
    shown: &Value,
) -> Result<(), PolicyError> {
    store::add_version(work.conn, work.scope, new, &actor(work.principal))?;
    let changes = Changes::between(&old.map_or_else(|| json!({}), |old| json!(old)), shown);
    tell(work, permission.as_str(), new, changes)
}

/// Leaves the traces of a change, and lets every replica forget what it knew.
pub(super) fn tell(
    work: &mut Work<'_>,
    action: &'static str,
    policy: &Stored,
    changes: Changes,
) -> Result<(), PolicyError> {
    let (id, name) = (policy.id, &policy.contents.name);
    let payload = json!({ "policy_id": id, "name": name, "version": policy.version, "action": action });
    work.tell("policy.changed", payload)?;
    work.signal(SignalKind::Access, None)?;
    work.record(action, "policy", id.to_string(), changes)?;
    Ok(())
}
