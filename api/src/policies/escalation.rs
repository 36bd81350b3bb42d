//! What nobody does with a policy: give what they do not hold, free themselves of it, or lock themselves out.
//!
//! What is held counts by roles and scopes alone ([`Authority::holds`]): what a policy allows, it allows in its
//! circumstances only, and nobody makes more of that than it is.

use super::PolicyError;
use super::model::Contents;
use super::store::Assignment;
use crate::access::Authority;
use crate::access::policy::{Assignment as Reach, Effect, Policy, Truth};

/// Whether the caller holds all that the policy speaks of.
fn check_held(caller: &Authority, contents: &Contents) -> Result<(), PolicyError> {
    let pattern = contents.permissions();
    if caller.holds(&pattern) { Ok(()) } else { Err(PolicyError::NotHeld(pattern.to_string())) }
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

/// Whether the caller may change, switch, assign or remove a policy as it is. One that is for them they touch only when
/// they hold all that it speaks of: it may be what keeps them from something, or what gives them something.
pub(super) fn may_touch(
    caller: &Authority,
    contents: &Contents,
    assignments: &[Assignment],
) -> Result<(), PolicyError> {
    if concerns(caller, assignments) { check_held(caller, contents) } else { Ok(()) }
}

/// Whether the caller may make it so that this policy is there, for these: what it allows they hold themselves, whether
/// it is switched on already or not.
pub(super) fn may_make(caller: &Authority, contents: &Contents) -> Result<(), PolicyError> {
    if contents.effect() == Effect::Allow { check_held(caller, contents) } else { Ok(()) }
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
