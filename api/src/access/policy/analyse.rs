//! What is probably a mistake in a policy: conditions that can never hold or always do, and policies that change nothing.
//!
//! What is found is so; not everything that is so is found. Conditions are understood where they compare one attribute with
//! constants; all others only when they are the same.

use std::sync::Arc;

use tenantry_types::UtcTime;

use super::compile::Test;
use super::decide::PolicySet;
use super::document::{Alternative, Condition, Effect, Policy};
use super::domain::Domain;
use super::evaluate::{Facts, Truth};
use super::index::Assignment;
use super::schema::{Schema, Slot};

/// Something about a policy that is probably not meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// Where in the policy (RFC 6901).
    pub pointer: String,
    /// One sentence.
    pub detail: String,
    /// The name of the other policy that makes it so.
    pub other: Option<Arc<str>>,
}

tenantry_types::text_enum! {
    /// What is found in policies.
    pub enum Code {
        /// The conditions contradict one another: they are never all true.
        NeverTrue = "never_true",
        /// The condition holds whatever value the attribute has.
        AlwaysTrue = "always_true",
        /// Another alternative of the same policy holds wherever this one does.
        RedundantAlternative = "redundant_alternative",
        /// Another policy of the same effect counts wherever this one does.
        Redundant = "redundant",
        /// A deny counts wherever this allow does.
        Shadowed = "shadowed",
        /// It denies everyone of whom nothing is known.
        DeniesUnknown = "denies_unknown",
        /// It asks for a time that is over.
        Over = "over",
    }
}

/// Looks at a policy that is, or is to be, one of a set. `now` is when. A policy of its name in the set is taken for an earlier
/// version of it and not looked at.
pub fn analyse(
    set: &PolicySet,
    schema: &Schema,
    policy: &Policy,
    assignments: &[Assignment],
    now: UtcTime,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, alternative) in policy.alternatives.iter().enumerate() {
        let pointer = format!("/rules/conditions/{at}");
        contradictions(alternative, &pointer, &mut findings);
        for condition in &alternative.0 {
            of_condition(schema, condition, &pointer, now, &mut findings);
        }
        let implied = |(other, wider): &(usize, &Alternative)| {
            *other != at && implies(alternative, wider) && (*other < at || !implies(wider, alternative))
        };
        if let Some((other, _)) = policy.alternatives.iter().enumerate().find(implied) {
            findings.push(Finding {
                code: Code::RedundantAlternative,
                pointer,
                detail: format!("alternative {} holds wherever this one does", other + 1),
                other: None,
            });
        }
    }
    if policy.effect == Effect::Deny && policy.truth(&Facts::at(now)) == Truth::Unknown {
        findings.push(Finding {
            code: Code::DeniesUnknown,
            pointer: "/rules/conditions".to_owned(),
            detail:
                "where its attributes have no value it denies, because it cannot be said whether its conditions hold"
                    .to_owned(),
            other: None,
        });
    }
    findings.extend(of_others(set, policy, assignments));
    findings
}

/// Two conditions that are never true together, or one that never is.
fn contradictions(alternative: &Alternative, pointer: &str, findings: &mut Vec<Finding>) {
    let tests: Vec<&Test> = alternative.0.iter().flat_map(|condition| parts(&condition.test)).collect();
    let opposite = |one: &Test, other: &Test| matches!(one, Test::Not(inner) if **inner == *other);
    let opposed = tests.iter().any(|one| tests.iter().any(|other| opposite(one, other)));
    let slots = tests.iter().filter_map(|test| Domain::of(test)).map(|(slot, _)| slot);
    if opposed || slots.into_iter().any(|slot| values(alternative, slot).is_some_and(|values| values.is_empty())) {
        findings.push(Finding {
            code: Code::NeverTrue,
            pointer: pointer.to_owned(),
            detail: "the conditions contradict one another: they are never all true".to_owned(),
            other: None,
        });
    }
}

fn of_condition(schema: &Schema, condition: &Condition, pointer: &str, now: UtcTime, findings: &mut Vec<Finding>) {
    let Some((slot, values)) = Domain::of(&condition.test) else { return };
    let name = &condition.attribute;
    let mut found = |code, detail: String| {
        let pointer = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
        findings.push(Finding { code, pointer, detail, other: None });
    };
    if values.is_full() {
        found(Code::AlwaysTrue, format!("whatever value {name} has, the condition holds"));
    }
    let is_time = schema.slot("env.time") == Some(slot);
    if is_time && !values.is_empty() && values.intersection(&Domain::from(now)).is_some_and(|left| left.is_empty()) {
        found(Code::Over, format!("the time that {name} is asked for is over"));
    }
}

/// What other policies make of it.
fn of_others(set: &PolicySet, policy: &Policy, assignments: &[Assignment]) -> Option<Finding> {
    let covers = |(other, others): &(&Policy, &[Assignment])| {
        other.name != policy.name
            && other.target.includes(&policy.target)
            && (others.contains(&Assignment::Everyone) || assignments.iter().all(|one| others.contains(one)))
            && (other.alternatives.is_empty()
                || (!policy.alternatives.is_empty()
                    && policy
                        .alternatives
                        .iter()
                        .all(|one| other.alternatives.iter().any(|wider| implies(one, wider)))))
    };
    let wider: Vec<_> = set.policies().filter(covers).map(|(other, _)| other).collect();
    let finding = |code, detail: &str, other: &Policy| Finding {
        code,
        pointer: String::new(),
        detail: detail.replace("{}", &other.name),
        other: Some(Arc::clone(&other.name)),
    };
    if let Some(same) = wider.iter().find(|other| other.effect == policy.effect) {
        return Some(finding(Code::Redundant, "{} counts wherever this policy does, and says the same", same));
    }
    let deny = wider.iter().find(|other| other.effect == Effect::Deny)?;
    Some(finding(Code::Shadowed, "{} denies wherever this policy allows", deny))
}

/// Whether the second is true wherever the first is, and false nowhere but where the first is.
fn implies(one: &Alternative, wider: &Alternative) -> bool {
    let tests: Vec<&Test> = one.0.iter().flat_map(|condition| parts(&condition.test)).collect();
    let follows = |test: &Test| {
        tests.contains(&test)
            || Domain::of(test)
                .is_some_and(|(slot, domain)| values(one, slot).is_some_and(|own| own.is_within(&domain)))
    };
    wider.0.iter().all(|condition| follows(&condition.test) || parts(&condition.test).into_iter().all(follows))
}

/// The values of an attribute for which all conditions about it hold; `None` where there is none that is understood.
fn values(alternative: &Alternative, of: Slot) -> Option<Domain> {
    let tests = alternative.0.iter().flat_map(|condition| parts(&condition.test));
    let domains = tests.filter_map(Domain::of).filter(|(slot, _)| *slot == of).map(|(_, domain)| domain);
    domains.reduce(|one, other| one.intersection(&other).unwrap_or(one))
}

/// The tests that must all hold for this one.
fn parts(test: &Test) -> Vec<&Test> {
    match test {
        Test::All(tests) => tests.iter().flat_map(parts).collect(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests;
