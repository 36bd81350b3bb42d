//! Which names a policy asks for: those of roles and groups, and of people by their ids.

use std::collections::HashSet;
use std::sync::Arc;

use super::ast::Comparison;
use super::compile::{Term, Test};
use super::document::Policy;
use super::index::Assignment;
use super::schema::Slot;
use super::value::Value;

/// How a policy asks for names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Somebody who comes to have one can come to be concerned.
    pub to_have: bool,
    /// Somebody who comes to lose one can.
    pub to_lack: bool,
}

impl Policy {
    /// How the conditions, and those to whom the policy is assigned, ask for one of these roles, groups and people. Where a name is
    /// not written down but looked up, every one is meant.
    pub fn asks_for(&self, assignments: &[Assignment], names: &HashSet<Assignment>) -> Asked {
        let mut asked = Asked { to_have: assignments.iter().any(|one| names.contains(one)), to_lack: false };
        for condition in self.alternatives.iter().flat_map(|alternative| &alternative.0) {
            look(&condition.test, names, false, &mut asked);
        }
        asked
    }
}

fn look(test: &Test, names: &HashSet<Assignment>, is_inverted: bool, asked: &mut Asked) {
    let has_user = |id: &Arc<str>| names.contains(&Assignment::User(id.clone()));
    let (is_meant, is_inverted) = match test {
        Test::Has(slot, Term::Constant(Value::Text(name))) => (is_in(*slot, name, names), is_inverted),
        Test::Has(slot, _) => (any_of(*slot, names), is_inverted),
        Test::OneOf(slot, of) => (any_of(*slot, names) || any_of(*of, names), is_inverted),
        Test::Compare(Comparison::Equal, Term::Attribute(Slot::USER_ID), Term::Constant(Value::Text(id))) => {
            (has_user(id), is_inverted)
        }
        Test::Compare(Comparison::NotEqual, Term::Attribute(Slot::USER_ID), Term::Constant(Value::Text(id))) => {
            (has_user(id), !is_inverted)
        }
        Test::Not(inner) => {
            look(inner, names, !is_inverted, asked);
            return;
        }
        Test::Any(tests) | Test::All(tests) => {
            tests.iter().for_each(|test| look(test, names, is_inverted, asked));
            return;
        }
        // Whoever has no role and is in no group has an empty set of them, which is there as well.
        Test::Compare(..) | Test::Part(..) | Test::Network(..) | Test::TimeOfDay(..) | Test::Exists(_) => return,
    };
    asked.to_have |= is_meant && !is_inverted;
    asked.to_lack |= is_meant && is_inverted;
}

/// Whether this name of this set is one of them.
fn is_in(slot: Slot, name: &Arc<str>, names: &HashSet<Assignment>) -> bool {
    match slot {
        Slot::USER_ROLE => names.contains(&Assignment::Role(name.clone())),
        Slot::USER_TEAMS => names.contains(&Assignment::Group(name.clone())),
        _ => false,
    }
}

/// Whether there are names of the kind that is in this set.
fn any_of(slot: Slot, names: &HashSet<Assignment>) -> bool {
    names.iter().any(|one| match one {
        Assignment::Role(_) => slot == Slot::USER_ROLE,
        Assignment::Group(_) => slot == Slot::USER_TEAMS,
        Assignment::Everyone | Assignment::User(_) => false,
    })
}

impl Test {
    /// Whether it asks for the time of the decision, so that it can hold later and not now.
    pub(super) fn asks_for_the_time(&self) -> bool {
        match self {
            Self::Compare(_, left, right) => left.is_of_now() || right.is_of_now(),
            Self::Has(_, term) | Self::Part(_, _, term) => term.is_of_now(),
            Self::OneOf(..) | Self::Network(..) | Self::TimeOfDay(..) | Self::Exists(_) => false,
            Self::Not(inner) => inner.asks_for_the_time(),
            Self::Any(tests) | Self::All(tests) => tests.iter().any(Self::asks_for_the_time),
        }
    }
}

impl Term {
    fn is_of_now(&self) -> bool {
        match self {
            Self::Constant(_) | Self::Attribute(_) => false,
            Self::Now => true,
            Self::Calculated(_, sides) => sides.0.is_of_now() || sides.1.is_of_now(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::access::policy::Schema;
    use crate::access::policy::document::{Alternative, Condition, Effect, Target};

    fn asked(attribute: &str, source: &Json) -> (bool, bool) {
        let test = super::super::compile::compile(&Schema::with([]), attribute, source).unwrap();
        let condition = Condition { attribute: attribute.into(), source: source.clone(), test };
        let policy = Policy {
            name: "p".into(),
            description: None,
            target: Target { resource: None, action: None },
            effect: Effect::Allow,
            alternatives: vec![Alternative(vec![condition])],
            priority: 0,
        };
        let (role, group) = (Assignment::Role("Agent".into()), Assignment::Group("Desk".into()));
        let names = HashSet::from([role, group, Assignment::User("ann".into())]);
        let Asked { to_have, to_lack } = policy.asks_for(&[Assignment::Everyone], &names);
        (to_have, to_lack)
    }

    #[test]
    fn names_are_found_in_every_kind_of_condition() {
        for (attribute, source, expected) in [
            ("user.role", json!("Agent"), (true, false)),
            ("user.role", json!("!= 'Agent'"), (false, true)),
            ("user.role", json!("not(!= 'Agent')"), (true, false)),
            ("user.role", json!(["Other", "contains 'Agent'"]), (true, false)),
            ("user.role", json!("in ['Agent', 'Other']"), (true, false)),
            ("user.role", json!("agent"), (false, false)),
            ("user.role", json!("Desk"), (false, false)),
            ("user.teams", json!("Desk"), (true, false)),
            ("user.teams", json!("not(one_of(user.role))"), (false, true)),
            ("client.scopes", json!("one_of(user.teams)"), (true, false)),
            ("user.role", json!("contains tenant.slug"), (true, false)),
            ("user.role", json!("exists"), (false, false)),
            ("user.id", json!("Agent"), (false, false)),
            ("user.id", json!("ann"), (true, false)),
            ("user.id", json!("!= 'ann'"), (false, true)),
            ("user.id", json!("not(!= 'ann')"), (true, false)),
            ("user.id", json!(["bob", "ann"]), (true, false)),
        ] {
            assert_eq!(asked(attribute, &source), expected, "{attribute} {source}");
        }
    }
}
