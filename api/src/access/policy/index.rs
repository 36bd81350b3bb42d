//! Finding the policies that can concern a caller without looking at the others.
//!
//! A policy is found by what it speaks of, and by whom it can concern: those it is assigned to or, when that is everyone,
//! those whom each of its alternatives names (`"user.role": "Agent"`). For anybody else it is false, whatever its other
//! conditions are, and a policy that is false says nothing.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::ast::Comparison;
use super::compile::{Term, Test};
use super::document::{Alternative, Effect, Policy};
use super::evaluate::Facts;
use super::schema::Slot;
use super::value::Value;

/// To whom a policy is assigned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Assignment {
    /// Everybody: persons and clients.
    Everyone,
    /// The person whose `user.id` this is.
    User(Arc<str>),
    /// Who has this among their `user.role`.
    Role(Arc<str>),
    /// Who has this among their `user.teams`.
    Group(Arc<str>),
}

/// What callers are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    User,
    Role,
    Group,
    Client,
}

impl Kind {
    const ALL: [Self; 4] = [Self::User, Self::Role, Self::Group, Self::Client];

    const fn slot(self) -> Slot {
        match self {
            Self::User => Slot::USER_ID,
            Self::Role => Slot::USER_ROLE,
            Self::Group => Slot::USER_TEAMS,
            Self::Client => Slot::CLIENT_ID,
        }
    }

    fn of(slot: Slot) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.slot() == slot)
    }

    /// What the caller has of this kind; `None` where that is not known.
    fn names(self, facts: &Facts) -> Option<&[Arc<str>]> {
        match (self, facts.get(self.slot())?) {
            (Self::User | Self::Client, Value::Text(text)) => Some(std::slice::from_ref(text)),
            (Self::Role | Self::Group, Value::Set(texts)) => Some(texts),
            _ => None,
        }
    }
}

type Map<K, V> = HashMap<K, V, RandomState>;

/// The places of policies by what they speak of.
#[derive(Debug, Clone, Default)]
pub struct Index {
    of_resource: Map<Arc<str>, Actions>,
    of_any_resource: Actions,
    /// A number for each name that a policy is found by.
    names: [Map<Arc<str>, u32>; Kind::ALL.len()],
    next: u32,
}

#[derive(Debug, Clone, Default)]
struct Actions {
    of_action: Map<Arc<str>, Callers>,
    of_any_action: Callers,
}

/// The policies about one thing, by the callers whom they can concern.
#[derive(Debug, Clone, Default)]
struct Callers {
    anybody: Places,
    named: Map<u32, Places>,
    /// Those that forbid when it is not known what the caller has of a kind.
    unknown: [Places; Kind::ALL.len()],
}

/// Places in the list of policies, in ascending order: the highest priority first.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Of those that forbid.
    pub denies: Vec<u32>,
    /// Of those that allow.
    pub allows: Vec<u32>,
}

impl Places {
    fn add(&mut self, at: u32, effect: Effect) {
        let list = if effect == Effect::Deny { &mut self.denies } else { &mut self.allows };
        // One policy can be found by several names.
        if list.last() != Some(&at) {
            list.push(at);
        }
    }
}

impl Index {
    /// Adds a policy that comes after all that were added.
    pub fn add(&mut self, at: u32, policy: &Policy, assignments: &[Assignment]) {
        let keys = keys(policy, assignments);
        let names = &mut self.names;
        let next = &mut self.next;
        let mut number = |(kind, name): (Kind, Arc<str>)| {
            *names[kind as usize].entry(name).or_insert_with(|| {
                *next += 1;
                *next
            })
        };
        let actions = match &policy.target.resource {
            Some(resource) => self.of_resource.entry(Arc::clone(resource)).or_default(),
            None => &mut self.of_any_resource,
        };
        let callers = match &policy.target.action {
            Some(action) => actions.of_action.entry(Arc::clone(action)).or_default(),
            None => &mut actions.of_any_action,
        };
        match keys {
            Keys::Anybody => callers.anybody.add(at, policy.effect),
            Keys::Assigned(list) => {
                for key in list {
                    callers.named.entry(number(key)).or_default().add(at, policy.effect);
                }
            }
            Keys::Conditions(list) => {
                for (kind, name) in list {
                    if policy.effect == Effect::Deny {
                        callers.unknown[kind as usize].add(at, policy.effect);
                    }
                    callers.named.entry(number((kind, name))).or_default().add(at, policy.effect);
                }
            }
        }
    }

    /// Shows the places of all policies that can say anything of this. One may be shown twice.
    pub fn visit(&self, resource: &str, action: &str, facts: &Facts, mut see: impl FnMut(&Places)) {
        let of_resource = self.of_resource.get(resource);
        let about = [
            of_resource.and_then(|actions| actions.of_action.get(action)),
            of_resource.map(|actions| &actions.of_any_action),
            self.of_any_resource.of_action.get(action),
            Some(&self.of_any_resource.of_any_action),
        ];
        let mut is_named = false;
        for callers in about.iter().flatten() {
            see(&callers.anybody);
            is_named |= !callers.named.is_empty();
        }
        if !is_named {
            return;
        }
        for (kind, numbers) in Kind::ALL.into_iter().zip(&self.names) {
            if numbers.is_empty() {
                continue;
            }
            let Some(names) = kind.names(facts) else {
                about.iter().flatten().for_each(|callers| see(&callers.unknown[kind as usize]));
                continue;
            };
            for number in names.iter().filter_map(|name| numbers.get(name)) {
                about.iter().flatten().filter_map(|callers| callers.named.get(number)).for_each(&mut see);
            }
        }
    }
}

impl Assignment {
    /// Whether the caller is meant.
    pub fn includes(&self, facts: &Facts) -> bool {
        let has = |kind: Kind, name: &Arc<str>| kind.names(facts).is_some_and(|names| names.contains(name));
        match self {
            Self::Everyone => true,
            Self::User(name) => has(Kind::User, name),
            Self::Role(name) => has(Kind::Role, name),
            Self::Group(name) => has(Kind::Group, name),
        }
    }

    fn key(&self) -> Option<(Kind, Arc<str>)> {
        match self {
            Self::Everyone => None,
            Self::User(name) => Some((Kind::User, Arc::clone(name))),
            Self::Role(name) => Some((Kind::Role, Arc::clone(name))),
            Self::Group(name) => Some((Kind::Group, Arc::clone(name))),
        }
    }
}

/// Whom a policy can concern.
enum Keys {
    Anybody,
    /// Only those, whatever is not known of others.
    Assigned(Vec<(Kind, Arc<str>)>),
    /// Those, and in a deny those of whom it is not known whether they are.
    Conditions(Vec<(Kind, Arc<str>)>),
}

/// More names than this are not worth their space.
const MOST_NAMES: usize = 64;

fn keys(policy: &Policy, assignments: &[Assignment]) -> Keys {
    let assigned: Option<Vec<_>> = assignments.iter().map(Assignment::key).collect();
    if let Some(assigned) = assigned {
        return Keys::Assigned(assigned);
    }
    let of_alternatives: Option<Vec<_>> = policy.alternatives.iter().map(of_alternative).collect();
    match of_alternatives.map(|lists| lists.concat()) {
        Some(keys) if (1..=MOST_NAMES).contains(&keys.len()) => Keys::Conditions(keys),
        _ => Keys::Anybody,
    }
}

/// The names without one of which the alternative is false: those of the condition that has the fewest.
fn of_alternative(alternative: &Alternative) -> Option<Vec<(Kind, Arc<str>)>> {
    alternative.0.iter().filter_map(|condition| of_test(&condition.test)).min_by_key(Vec::len)
}

fn of_test(test: &Test) -> Option<Vec<(Kind, Arc<str>)>> {
    let key = |slot: Slot, term: &Term| match (Kind::of(slot), term) {
        (Some(kind), Term::Constant(Value::Text(name))) => Some(vec![(kind, Arc::clone(name))]),
        _ => None,
    };
    match test {
        Test::Has(slot, term) | Test::Compare(Comparison::Equal, Term::Attribute(slot), term) => key(*slot, term),
        Test::Any(tests) => tests.iter().map(of_test).collect::<Option<Vec<_>>>().map(|lists| lists.concat()),
        Test::All(tests) => tests.iter().filter_map(of_test).min_by_key(Vec::len),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
