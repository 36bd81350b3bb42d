//! What another sign-in would change: whether something that may not be done might be after a stronger or more recent one.

use std::sync::Arc;
use std::time::Duration;

use super::ast::Arithmetic;
use super::compile::{Term, Test};
use super::decide::PolicySet;
use super::evaluate::Facts;
use super::schema::Slot;
use super::value::Value;

/// More ways to be authenticated than a client is told of.
const MOST_WAYS: usize = 20;
/// More ages of a sign-in than are tried.
const MOST_AGES: usize = 20;

/// The sign-in that would do (RFC 9470 §3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stronger {
    /// One of these ways would; empty where the way does not matter.
    pub acr_values: Vec<Arc<str>>,
    /// The most seconds that may have passed since; `None` where that does not matter.
    pub max_age: Option<u64>,
}

/// Where it stands how and when somebody was authenticated.
#[derive(Debug, Clone, Copy)]
pub struct SignIn {
    /// `env.acr`.
    pub acr: Slot,
    /// `env.auth_time`.
    pub auth_time: Slot,
}

/// What conditions ask of a sign-in.
#[derive(Default)]
struct Asked {
    ways: Vec<Arc<str>>,
    ages: Vec<Duration>,
}

impl PolicySet {
    /// The sign-in after which `may` would say yes. Only ways and ages that conditions of policies about this name are
    /// looked at.
    pub fn stronger(
        &self,
        resource: &str,
        action: &str,
        facts: &Facts,
        at: SignIn,
        may: impl Fn(&Facts) -> bool,
    ) -> Option<Stronger> {
        let mut asked = Asked::default();
        for policy in self.concerning(resource, action, facts) {
            let conditions = policy.alternatives.iter().flat_map(|alternative| &alternative.0);
            conditions.for_each(|condition| asked.gather(&condition.test, at));
        }
        let with = |way: Option<&Arc<str>>, age: Option<Duration>| {
            let mut facts = facts.clone();
            if let Some(way) = way {
                facts.set(at.acr, Value::Text(Arc::clone(way)));
            }
            if let Some(age) = age {
                facts.set(at.auth_time, Value::Time(facts.now() - age));
            }
            facts
        };
        let ways =
            |age| -> Vec<Arc<str>> { asked.ways.iter().filter(|way| may(&with(Some(way), age))).cloned().collect() };
        let acr_values = ways(None);
        if !acr_values.is_empty() {
            return Some(Stronger { acr_values, max_age: None });
        }
        // The longest that would do.
        asked.ages.sort_unstable();
        let ages = || asked.ages.iter().rev().copied();
        if let Some(age) = ages().find(|age| may(&with(None, Some(*age)))) {
            return Some(Stronger { acr_values, max_age: Some(age.as_secs()) });
        }
        ages().find_map(|age| {
            let acr_values = ways(Some(age));
            (!acr_values.is_empty()).then_some(Stronger { acr_values, max_age: Some(age.as_secs()) })
        })
    }
}

impl Asked {
    fn gather(&mut self, test: &Test, at: SignIn) {
        match test {
            Test::Compare(_, left, right) => self.compared(left, right, at),
            Test::Not(inner) => self.gather(inner, at),
            Test::Any(tests) | Test::All(tests) => tests.iter().for_each(|test| self.gather(test, at)),
            _ => {}
        }
    }

    fn compared(&mut self, left: &Term, right: &Term, at: SignIn) {
        if let (Term::Attribute(slot), Term::Constant(Value::Text(way))) = (left, right)
            && *slot == at.acr
            && self.ways.len() < MOST_WAYS
            && is_named(way)
            && !self.ways.contains(way)
        {
            self.ways.push(Arc::clone(way));
        }
        if names(left, at.auth_time) || names(right, at.auth_time) {
            self.ages_in(left);
            self.ages_in(right);
        }
    }

    /// Durations that are added or taken away. An age of exactly so long can be too much or not: a second less is as good.
    fn ages_in(&mut self, term: &Term) {
        let Term::Calculated(Arithmetic::Add | Arithmetic::Subtract, sides) = term else { return };
        for side in [&sides.0, &sides.1] {
            if let Term::Constant(Value::Duration(micros)) = side
                && self.ages.len() < MOST_AGES
            {
                let age = Duration::from_secs(micros.unsigned_abs() / 1_000_000);
                self.ages.extend([age, age.saturating_sub(Duration::from_secs(1))]);
            }
            self.ages_in(side);
        }
    }
}

fn names(term: &Term, slot: Slot) -> bool {
    match term {
        Term::Attribute(named) => *named == slot,
        Term::Calculated(_, sides) => names(&sides.0, slot) || names(&sides.1, slot),
        Term::Constant(_) | Term::Now => false,
    }
}

/// Whether it can stand among others in a challenge: `acr_values` is a list with spaces between (OpenID Connect Core
/// §3.1.2.1), in a quoted string (RFC 9110 §5.6.4).
fn is_named(way: &str) -> bool {
    !way.is_empty()
        && way.len() <= 200
        && way.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

#[cfg(test)]
mod tests;
