//! Whether a test holds.
//!
//! There are three answers, as in SQL: what asks for a value that is not there, or calculates one that does not exist, is
//! neither true nor false (Kleene's strong logic). So `not(…)` of the unknown is unknown as well, and a list in the
//! database that is filtered by the same tests shows the same rows.

use std::cmp::Ordering;

use chrono::Timelike as _;
use tenantry_types::UtcTime;

use super::ast::{Arithmetic, Comparison, Part, TimeOfDay};
use super::compile::{Term, Test};
use super::schema::Slot;
use super::value::{Money, ONE, Value};

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// That cannot be said: a value is not there.
    Unknown,
}

impl Truth {
    const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// All of these, as far as it can be said. Nothing is asked after the first that is false.
    pub fn all<T>(of: &[T], mut test: impl FnMut(&T) -> Self) -> Self {
        let mut so_far = Self::True;
        for one in of {
            match test(one) {
                Self::True => {}
                Self::Unknown => so_far = Self::Unknown,
                Self::False => return Self::False,
            }
        }
        so_far
    }

    /// Any of these, as far as it can be said. Nothing is asked after the first that is true.
    pub fn any<T>(of: &[T], mut test: impl FnMut(&T) -> Self) -> Self {
        Self::all(of, |one| test(one).not()).not()
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

impl From<Option<bool>> for Truth {
    fn from(holds: Option<bool>) -> Self {
        holds.map_or(Self::Unknown, Self::from)
    }
}

/// What is known when a decision is made: the values of attributes in their slots, and the time.
#[derive(Debug, Clone)]
pub struct Facts {
    values: Vec<Option<Value>>,
    now: UtcTime,
}

impl Facts {
    /// Nothing but the time.
    pub const fn at(now: UtcTime) -> Self {
        Self { values: Vec::new(), now }
    }

    /// Says the value of an attribute.
    pub fn set(&mut self, slot: Slot, value: Value) {
        if self.values.len() <= slot.index() {
            self.values.resize(slot.index() + 1, None);
        }
        self.values[slot.index()] = Some(value);
    }

    /// Leaves it open what the value of an attribute is.
    pub fn clear(&mut self, slot: Slot) {
        if let Some(value) = self.values.get_mut(slot.index()) {
            *value = None;
        }
    }

    /// The value of an attribute.
    pub fn get(&self, slot: Slot) -> Option<&Value> {
        self.values.get(slot.index())?.as_ref()
    }

    /// The time of the decision.
    pub const fn now(&self) -> UtcTime {
        self.now
    }

    /// Shows the value of a term to `see`; `None` when there is no value, or nothing was seen in it.
    fn with<T>(&self, term: &Term, see: impl FnOnce(&Value) -> Option<T>) -> Option<T> {
        match term {
            Term::Constant(value) => see(value),
            Term::Attribute(slot) => see(self.get(*slot)?),
            Term::Now => see(&Value::Time(self.now)),
            Term::Calculated(arithmetic, sides) => see(&self.calculated(*arithmetic, sides)?),
        }
    }

    fn calculated(&self, arithmetic: Arithmetic, (left, right): &(Term, Term)) -> Option<Value> {
        let one = |term: &Term| match term {
            Term::Constant(value) => Some(value.clone()),
            Term::Attribute(slot) => self.get(*slot).cloned(),
            Term::Now => Some(Value::Time(self.now)),
            Term::Calculated(arithmetic, sides) => self.calculated(*arithmetic, sides),
        };
        calculate(arithmetic, &one(left)?, &one(right)?)
    }
}

impl Test {
    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> Truth {
        match self {
            Self::Compare(comparison, left, right) => {
                facts.with(left, |left| facts.with(right, |right| compare(*comparison, left, right))).into()
            }
            Self::Has(slot, term) => has(facts, *slot, term).into(),
            Self::OneOf(slot, of) => one_of(facts, *slot, *of).into(),
            Self::Part(part, slot, term) => part_of(facts, *part, *slot, term).into(),
            Self::Network(slot, network) => match facts.get(*slot) {
                Some(Value::Address(address)) => network.contains(address).into(),
                _ => Truth::Unknown,
            },
            Self::TimeOfDay(slot, from, to, zone) => match facts.get(*slot) {
                Some(Value::Time(time)) => {
                    let local = time.to_datetime().with_timezone(zone).time();
                    is_between(local.num_seconds_from_midnight() / 60, *from, *to).into()
                }
                _ => Truth::Unknown,
            },
            Self::Exists(slot) => facts.get(*slot).is_some().into(),
            Self::Not(inner) => inner.holds(facts).not(),
            Self::Any(tests) => Truth::any(tests, |test| test.holds(facts)),
            Self::All(tests) => Truth::all(tests, |test| test.holds(facts)),
        }
    }
}

/// Whether two values compare so; `None` where they cannot be compared.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    let order = |holds: fn(Ordering) -> bool| ordering(left, right).map(holds);
    match comparison {
        Comparison::Equal => (left.type_of() == right.type_of()).then(|| left == right),
        Comparison::NotEqual => (left.type_of() == right.type_of()).then(|| left != right),
        Comparison::Less => order(Ordering::is_lt),
        Comparison::LessOrEqual => order(Ordering::is_le),
        Comparison::Greater => order(Ordering::is_gt),
        Comparison::GreaterOrEqual => order(Ordering::is_ge),
    }
}

fn ordering(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) | (Value::Duration(left), Value::Duration(right)) => {
            Some(left.cmp(right))
        }
        (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
        // Which of two currencies is more is for nobody here to say.
        (Value::Money(left), Value::Money(right)) if left.currency == right.currency => {
            Some(left.minor.cmp(&right.minor))
        }
        _ => None,
    }
}

fn has(facts: &Facts, slot: Slot, term: &Term) -> Option<bool> {
    let Value::Set(set) = facts.get(slot)? else { return None };
    facts.with(term, |text| {
        let Value::Text(text) = text else { return None };
        Some(set.binary_search(text).is_ok())
    })
}

fn one_of(facts: &Facts, slot: Slot, of: Slot) -> Option<bool> {
    let (value, Value::Set(of)) = (facts.get(slot)?, facts.get(of)?) else { return None };
    match value {
        Value::Text(text) => Some(of.binary_search(text).is_ok()),
        Value::Set(texts) => Some(texts.iter().any(|text| of.binary_search(text).is_ok())),
        _ => None,
    }
}

fn part_of(facts: &Facts, part: Part, slot: Slot, term: &Term) -> Option<bool> {
    let Value::Text(text) = facts.get(slot)? else { return None };
    facts.with(term, |wanted| {
        let Value::Text(wanted) = wanted else { return None };
        Some(match part {
            Part::Start => text.starts_with(&**wanted),
            Part::End => text.ends_with(&**wanted),
            Part::Any => text.contains(&**wanted),
        })
    })
}

/// From the first up to the second; over midnight where the first is later. The whole day where they are the same.
fn is_between(minutes: u32, from: TimeOfDay, to: TimeOfDay) -> bool {
    let (from, to) = (u32::from(from.minutes()), u32::from(to.minutes()));
    if from < to { (from..to).contains(&minutes) } else { minutes >= from || minutes < to }
}

/// Calculates; `None` where there is no such value: too large, of two currencies, divided by zero.
pub fn calculate(arithmetic: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    let sum = |left: i64, right: i64| match arithmetic {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply | Arithmetic::Divide => None,
    };
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => match arithmetic {
            Arithmetic::Multiply | Arithmetic::Divide => scaled(arithmetic, *left, *right).map(Value::Number),
            _ => sum(*left, *right).map(Value::Number),
        },
        (Value::Duration(left), Value::Duration(right)) => sum(*left, *right).map(Value::Duration),
        (Value::Money(left), Value::Money(right)) if left.currency == right.currency => {
            sum(left.minor, right.minor).map(|minor| Value::Money(Money { minor, ..*left }))
        }
        (Value::Time(time), Value::Duration(micros)) => {
            let micros = sum(time.unix_micros(), *micros)?;
            UtcTime::from_unix_micros(micros).map(Value::Time)
        }
        (Value::Duration(micros), Value::Time(time)) if arithmetic == Arithmetic::Add => {
            UtcTime::from_unix_micros(time.unix_micros().checked_add(*micros)?).map(Value::Time)
        }
        (Value::Time(left), Value::Time(right)) if arithmetic == Arithmetic::Subtract => {
            left.unix_micros().checked_sub(right.unix_micros()).map(Value::Duration)
        }
        (Value::Duration(micros), Value::Number(by)) => scaled(arithmetic, *micros, *by).map(Value::Duration),
        (Value::Money(money), Value::Number(by)) => {
            scaled(arithmetic, money.minor, *by).map(|minor| Value::Money(Money { minor, ..*money }))
        }
        (Value::Number(_), Value::Duration(_) | Value::Money(_)) if arithmetic == Arithmetic::Multiply => {
            calculate(arithmetic, right, left)
        }
        _ => None,
    }
}

/// A value times, or divided by, a number of millionths; rounded to the nearest, halves to the even one.
fn scaled(arithmetic: Arithmetic, value: i64, by: i64) -> Option<i64> {
    let (value, by, one) = (i128::from(value), i128::from(by), i128::from(ONE));
    let (top, bottom) = match arithmetic {
        Arithmetic::Multiply => (value * by, one),
        Arithmetic::Divide => (value * one, by),
        Arithmetic::Add | Arithmetic::Subtract => return None,
    };
    if bottom == 0 {
        return None;
    }
    let (top, bottom) = if bottom < 0 { (-top, -bottom) } else { (top, bottom) };
    let (floor, rest) = (top.div_euclid(bottom), top.rem_euclid(bottom));
    let up = match (rest * 2).cmp(&bottom) {
        Ordering::Less => 0,
        Ordering::Greater => 1,
        Ordering::Equal => floor.rem_euclid(2),
    };
    i64::try_from(floor + up).ok()
}

#[cfg(test)]
mod tests;
