//! What nobody does with a policy: say what they do not hold, free themselves or others of it, or lock everybody out.
//!
//! What is held counts by roles and scopes alone ([`Authority::held`]): what a policy allows, it allows in its
//! circumstances only, and nobody makes more of that than it is.

use std::sync::Arc;

use super::PolicyError;
use super::model::Contents;
use super::store::Assignment;
use crate::access::policy::{Assignment as Reach, Effect, Policy, Truth};
use crate::access::{Authority, Held};
use crate::change::Work;

/// Whether the caller holds all that the policy speaks of, at least so long.
fn check_held(caller: &Authority, contents: &Contents, wanted: Held) -> Result<(), PolicyError> {
    let pattern = contents.permissions();
    match caller.held(&pattern) {
        held if held >= wanted => Ok(()),
        Held::Until(end) => Err(PolicyError::NotHeld(format!("{pattern} (you do until {end})"))),
        Held::Not | Held::ForGood => Err(PolicyError::NotHeld(pattern.to_string())),
    }
}

/// Whether the policy is for the caller, among others. Without assignments it is for everyone.
pub(super) fn concerns(caller: &Authority, assignments: &[Assignment]) -> bool {
    let facts = caller.facts();
    let reaches = |assignment: &Assignment| {
        let reach: Option<Reach> =
            caller.tenant().assignment(assignment.assignee_type.as_str(), &assignment.assignee_id);
        reach.is_some_and(|reach| reach.includes(&facts))
    };
    assignments.is_empty() || assignments.iter().any(reaches)
}

/// Whether the caller may change, switch, assign or remove a policy as it is: they hold all that it speaks of. It may be what
/// keeps somebody from something, or what gives somebody something, themselves or a friend.
pub(super) fn may_touch(caller: &Authority, contents: &Contents) -> Result<(), PolicyError> {
    check_held(caller, contents, Held::Until(caller.now()))
}

/// Whether the caller may make it so that this policy is there: what it allows they hold themselves, for good as the policy
/// is, and what it forbids as well, so that nobody keeps others from what is none of theirs; whether it is switched on
/// already or not.
pub(super) fn may_make(caller: &Authority, contents: &Contents) -> Result<(), PolicyError> {
    check_held(caller, contents, Held::ForGood)
}

/// Whether somebody could still undo it, by what stands in the database now: after the change.
pub(super) fn somebody_stays_in(
    work: &mut Work<'_>,
    caller: &Authority,
    contents: &Contents,
) -> Result<(), PolicyError> {
    let target = contents.target();
    let can_forbid = contents.effect() == Effect::Deny
        && contents.is_enabled
        && ["update", "delete"].iter().any(|action| target.covers("policy", action));
    if !can_forbid {
        return Ok(());
    }
    let tenant = Arc::new(caller.changed_tenant(work.conn)?);
    if caller.somebody_can_mend(work.conn, &tenant)? { Ok(()) } else { Err(PolicyError::LocksOut) }
}

/// Whether the caller could still undo it, as far as that can be said without knowing of which policy.
pub(super) fn stays_in(
    caller: &Authority,
    contents: &Contents,
    policy: &Policy,
    assignments: &[Assignment],
) -> Result<(), PolicyError> {
    let forbids = policy.effect == Effect::Deny
        && contents.is_enabled
        && ["update", "delete"].iter().any(|action| policy.target.covers("policy", action))
        && concerns(caller, assignments)
        && policy.truth(&caller.facts()) == Truth::True;
    if forbids { Err(PolicyError::LocksOut) } else { Ok(()) }
}
