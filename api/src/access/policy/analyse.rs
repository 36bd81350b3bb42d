//! What is probably a mistake in a policy: conditions that can never hold or always do, and policies that change nothing.
//!
//! What is found is so; not everything that is so is found. Conditions are understood where they compare one attribute with
//! constants; all others only when they are the same.

use std::collections::{BTreeMap, HashSet};
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
        /// There is so much of it that not all was compared.
        NotLookedAt = "not_looked_at",
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
    let (mut findings, mut left) = (Vec::new(), Work(MOST_WORK));
    let understood: Vec<Understood<'_>> = policy.alternatives.iter().map(Understood::of).collect();
    for ((at, alternative), own) in policy.alternatives.iter().enumerate().zip(&understood) {
        let pointer = format!("/rules/conditions/{at}");
        contradictions(own, &pointer, &mut findings);
        for condition in &alternative.0 {
            of_condition(schema, condition, &pointer, now, &mut findings);
        }
        let mut implied = |(other, wider): &(usize, &Understood<'_>)| {
            *other != at && own.implies(wider, &mut left) && (*other < at || !wider.implies(own, &mut left))
        };
        if let Some((other, _)) = understood.iter().enumerate().find(|one| implied(one)) {
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
    findings.extend(of_others(set, policy, &understood, assignments, &mut left));
    if left.is_spent() {
        findings.push(Finding {
            code: Code::NotLookedAt,
            pointer: String::new(),
            detail: "there is too much of it to compare all: what else there is to find is not known".to_owned(),
            other: None,
        });
    }
    findings
}

/// How many comparisons are made at most: some tenths of a second.
const MOST_WORK: usize = 2_000_000;

/// What is left of it.
struct Work(usize);

impl Work {
    /// Takes as much; `false` where so much is not left, and from then on.
    fn take(&mut self, much: usize) -> bool {
        let left = self.0.checked_sub(much);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }

    const fn is_spent(&self) -> bool {
        self.0 == 0
    }
}

/// An alternative, with the values for which its conditions hold: found out once, however often it is compared.
struct Understood<'a> {
    /// What must hold, condition by condition: each by the condition itself, or by all of its parts.
    conditions: Vec<Wanted<'a>>,
    /// All of the parts.
    tests: Vec<&'a Test>,
    /// For which values of each attribute all parts about it hold, where that is understood.
    values: BTreeMap<Slot, Domain>,
    /// How much there is of it.
    size: usize,
}

/// A condition, or a part of one, and the values for which it holds.
struct Wanted<'a> {
    test: &'a Test,
    domain: Option<(Slot, Domain)>,
    parts: Vec<Wanted<'a>>,
}

impl<'a> Wanted<'a> {
    fn part(test: &'a Test) -> Self {
        Self { test, domain: Domain::of(test), parts: Vec::new() }
    }

    fn of(test: &'a Test) -> Self {
        Self { parts: parts(test).into_iter().map(Self::part).collect(), ..Self::part(test) }
    }
}

impl<'a> Understood<'a> {
    fn of(alternative: &'a Alternative) -> Self {
        let conditions: Vec<Wanted<'a>> = alternative.0.iter().map(|condition| Wanted::of(&condition.test)).collect();
        let mut values: BTreeMap<Slot, Domain> = BTreeMap::new();
        for (slot, domain) in conditions.iter().flat_map(|one| &one.parts).filter_map(|part| part.domain.as_ref()) {
            match values.get_mut(slot) {
                Some(so_far) => {
                    if let Some(both) = so_far.intersection(domain) {
                        *so_far = both;
                    }
                }
                None => drop(values.insert(*slot, domain.clone())),
            }
        }
        let tests: Vec<&Test> = conditions.iter().flat_map(|one| &one.parts).map(|part| part.test).collect();
        let size = tests.iter().map(|test| test.size()).sum::<usize>() + 1;
        Self { conditions, tests, values, size }
    }

    /// Whether the other is true wherever this is, and false nowhere but where this is. Where that is too much to find out,
    /// it is not said to be so.
    fn implies(&self, wider: &Understood<'_>, left: &mut Work) -> bool {
        let follows = |wanted: &Wanted<'_>| {
            let within =
                |(slot, domain): &(Slot, Domain)| self.values.get(slot).is_some_and(|own| own.is_within(domain));
            self.tests.contains(&wanted.test) || wanted.domain.as_ref().is_some_and(within)
        };
        wider.conditions.iter().all(|wanted| {
            left.take(self.size + wanted.test.size() * (1 + wanted.parts.len()))
                && (follows(wanted) || (!wanted.parts.is_empty() && wanted.parts.iter().all(follows)))
        })
    }
}

/// Two conditions that are never true together, or one that never is.
fn contradictions(own: &Understood<'_>, pointer: &str, findings: &mut Vec<Finding>) {
    let tests = &own.tests;
    let opposite = |one: &Test, other: &Test| matches!(one, Test::Not(inner) if **inner == *other);
    let opposed = tests.iter().any(|one| tests.iter().any(|other| opposite(one, other)));
    if opposed || own.values.values().any(Domain::is_empty) {
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
fn of_others(
    set: &PolicySet,
    policy: &Policy,
    understood: &[Understood<'_>],
    assignments: &[Assignment],
    left: &mut Work,
) -> Option<Finding> {
    let mut covers = |(other, others): &(&Policy, &[Assignment])| {
        if other.name == policy.name || !other.target.includes(&policy.target) || !left.take(1 + assignments.len()) {
            return false;
        }
        if !others.contains(&Assignment::Everyone) {
            if !left.take(others.len()) {
                return false;
            }
            let others: HashSet<&Assignment> = others.iter().collect();
            if !assignments.iter().all(|one| others.contains(one)) {
                return false;
            }
        }
        if other.alternatives.is_empty() {
            return true;
        }
        if understood.is_empty() || !left.take(other.size()) {
            return false;
        }
        let wider: Vec<Understood<'_>> = other.alternatives.iter().map(Understood::of).collect();
        understood.iter().all(|one| wider.iter().any(|wider| one.implies(wider, left)))
    };
    let wider: Vec<_> = set.policies().filter(|one| covers(one)).map(|(other, _)| other).collect();
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

/// The tests that must all hold for this one.
fn parts(test: &Test) -> Vec<&Test> {
    match test {
        Test::All(tests) => tests.iter().flat_map(parts).collect(),
        other => vec![other],
    }
}

#[cfg(test)]
mod tests;
