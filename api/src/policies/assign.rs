//! Assigning policies.

use serde_json::json;
use tenantry_types::{PolicyAssignmentId, PolicyId};

use super::PolicyError;
use super::change::{MOST_ASSIGNMENTS, assignments, current, tell};
use super::escalation::{may_make, somebody_stays_in, stays_in};
use super::kind::attributes;
use super::model::{AssigneeType, Draft};
use super::routes::ASSIGN;
use super::store::{self, Assignment, Stored};
use crate::access::Authority;
use crate::audit::Changes;
use crate::change::Work;

/// Assigns a policy to somebody. The first assignment takes it from everyone else.
pub(super) fn assign(
    work: &mut Work<'_>,
    caller: &Authority,
    policy: PolicyId,
    kind: AssigneeType,
    assignee: &str,
) -> Result<Assignment, PolicyError> {
    let stored = current(work, policy, None)?;
    if !store::exists(work.conn, work.scope, kind, assignee)? {
        let detail = format!("the tenant has no such {kind}");
        return Err(PolicyError::invalid("/assignee_id", "unknown_assignee", detail));
    }
    if store::count_assignments(work.conn, work.scope)? >= MOST_ASSIGNMENTS {
        let detail = format!("the policies of a tenant have at most {MOST_ASSIGNMENTS} assignments together");
        return Err(PolicyError::invalid("", "limit", detail));
    }
    let new = Assignment {
        id: PolicyAssignmentId::new(work.clock, work.random),
        assignee_type: kind,
        assignee_id: assignee.to_owned(),
        created_at: work.clock.now(),
    };
    let before = assignments(work, policy)?;
    let after: Vec<Assignment> = before.iter().cloned().chain([new.clone()]).collect();
    let caller = check(work, caller, &stored, &after)?;
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

/// Takes an assignment back. Without the last one the policy is for everyone.
pub(super) fn unassign(
    work: &mut Work<'_>,
    caller: &Authority,
    policy: PolicyId,
    id: PolicyAssignmentId,
) -> Result<(), PolicyError> {
    let stored = current(work, policy, None)?;
    let found = store::find_assignment(work.conn, work.scope, policy, id)?;
    let gone = found.ok_or(PolicyError::NotFound("assignment"))?;
    let before = assignments(work, policy)?;
    let after: Vec<Assignment> = before.iter().filter(|assignment| assignment.id != id).cloned().collect();
    let caller = check(work, caller, &stored, &after)?;
    store::remove_assignment(work.conn, work.scope, id)?;
    somebody_stays_in(work, &caller, &stored.contents)?;
    let changes = Changes::between(&json!({ "assigned": shown(&gone) }), &json!({}));
    tell(work, ASSIGN.as_str(), &stored, changes)
}

fn shown(assignment: &Assignment) -> serde_json::Value {
    json!({ "assignee_type": assignment.assignee_type.as_str(), "assignee_id": assignment.assignee_id })
}

/// Whom a policy is for matters as much as what it says. Gives the caller as they are now.
fn check(
    work: &mut Work<'_>,
    caller: &Authority,
    stored: &Stored,
    after: &[Assignment],
) -> Result<Authority, PolicyError> {
    let caller = caller.renewed(work.conn)?;
    caller.check(ASSIGN, attributes(stored))?;
    may_make(&caller, &stored.contents)?;
    // One that does not compile any more denies whatever its conditions, so it is not for this to find out.
    if let Ok(draft) = Draft::parse(caller.tenant().kinds.catalogue(), json!(stored.contents), true) {
        stays_in(&caller, &stored.contents, &draft.policy, after)?;
    }
    Ok(caller)
}
