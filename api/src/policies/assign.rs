//! Assigning policies.

use serde_json::json;
use tenantry_types::{PolicyAssignmentId, PolicyId};

use super::PolicyError;
use super::change::{MOST_ASSIGNMENTS, assignments, current, tell};
use super::escalation::{may_make, somebody_stays_in, stays_in};
use super::model::{Assignee, Draft};
use super::routes::ASSIGN;
use super::store::{self, Assignment, Stored};
use crate::access::Authority;
use crate::access::policy::Effect;
use crate::audit::Changes;
use crate::change::Work;

/// Assigns a policy to somebody. The first assignment takes it from everyone else.
pub(super) fn assign(
    work: &mut Work<'_>,
    caller: &Authority,
    policy: PolicyId,
    assignee: &Assignee,
) -> Result<Assignment, PolicyError> {
    // Before anything is said of the assignee.
    let (stored, caller) = may_assign(work, caller, policy)?;
    if !store::missing(work.conn, work.scope, std::slice::from_ref(assignee))?.is_empty() {
        return Err(unknown("", assignee));
    }
    if store::count_assignments(work.conn, work.scope)? >= MOST_ASSIGNMENTS {
        let detail = format!("the policies of a tenant have at most {MOST_ASSIGNMENTS} assignments together");
        return Err(PolicyError::invalid("", "limit", detail));
    }
    let new = Assignment {
        id: PolicyAssignmentId::new(work.clock, work.random),
        assignee_type: assignee.kind,
        assignee_id: assignee.id.clone(),
        created_at: work.clock.now(),
    };
    let before = assignments(work, policy)?;
    let after: Vec<Assignment> = before.iter().cloned().chain([new.clone()]).collect();
    stays_with(&caller, &stored, &after)?;
    store::insert_assignment(work.conn, work.scope, policy, &new).map_err(|error| {
        if error.conflicts_on("assignee_id") || error.conflicts_on("unique") {
            PolicyError::AlreadyAssigned
        } else {
            error.into()
        }
    })?;
    somebody_stays_in(work, &caller, &stored.contents)?;
    let changes = Changes::between(&json!({}), &json!({ "assigned": shown(&new) }));
    tell(work, ASSIGN.as_str(), &stored, changes)?;
    Ok(new)
}

/// Takes an assignment back. Without the last one the policy is for everyone, which for an allow has to be meant.
pub(super) fn unassign(
    work: &mut Work<'_>,
    caller: &Authority,
    policy: PolicyId,
    id: PolicyAssignmentId,
    everyone: bool,
) -> Result<(), PolicyError> {
    let (stored, caller) = may_assign(work, caller, policy)?;
    let found = store::find_assignment(work.conn, work.scope, policy, id)?;
    let gone = found.ok_or(PolicyError::NotFound("assignment"))?;
    let before = assignments(work, policy)?;
    let after: Vec<Assignment> = before.iter().filter(|assignment| assignment.id != id).cloned().collect();
    let gives = stored.contents.is_enabled && stored.contents.effect() == Effect::Allow;
    if gives && after.is_empty() && !everyone {
        return Err(PolicyError::LastAssignment);
    }
    stays_with(&caller, &stored, &after)?;
    store::remove_assignment(work.conn, work.scope, id)?;
    somebody_stays_in(work, &caller, &stored.contents)?;
    let changes = Changes::between(&json!({ "assigned": shown(&gone) }), &json!({}));
    tell(work, ASSIGN.as_str(), &stored, changes)
}

/// An assignment in the audit trail.
pub(super) fn shown(assignment: &Assignment) -> serde_json::Value {
    json!({ "assignee_type": assignment.assignee_type.as_str(), "assignee_id": assignment.assignee_id })
}

/// That the tenant has no such assignee.
pub(super) fn unknown(pointer: &str, assignee: &Assignee) -> PolicyError {
    let detail = format!("the tenant has no such {}", assignee.kind);
    PolicyError::invalid(&format!("{pointer}/assignee_id"), "unknown_assignee", detail)
}

/// Whether the caller may say whom a policy is for, which matters as much as what it says. Gives the policy, and the caller
/// as they are now.
fn may_assign(work: &mut Work<'_>, caller: &Authority, id: PolicyId) -> Result<(Stored, Authority), PolicyError> {
    let (stored, caller) = current(work, caller, id, ASSIGN)?;
    may_make(&caller, &stored.contents)?;
    Ok((stored, caller))
}

/// Whether the caller could undo it when the policy is for these.
fn stays_with(caller: &Authority, stored: &Stored, after: &[Assignment]) -> Result<(), PolicyError> {
    // One that does not compile any more denies whatever its conditions, so it is not for this to find out.
    match Draft::parse(caller.tenant().kinds.catalogue(), json!(stored.contents), true) {
        Ok(draft) => stays_in(caller, &stored.contents, &draft.policy, after),
        Err(_) => Ok(()),
    }
}
