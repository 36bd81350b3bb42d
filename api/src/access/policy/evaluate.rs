//! Whether a test holds.
//!
//! There are three answers, as in SQL: what asks for a value that is not there, or calculates one that does not exist, is
//! neither true nor false (Kleene's strong logic). So `not(…)` of the unknown is unknown as well, and a list in the
//! database that is filtered by the same tests shows the same rows.

use std::borrow::Cow;
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
    fn and(self, other: impl FnOnce() -> Self) -> Self {
        match self {
            Self::False => Self::False,
            Self::True => other(),
            Self::Unknown => match other() {
                Self::False => Self::False,
                Self::True | Self::Unknown => Self::Unknown,
            },
        }
    }

    fn or(self, other: impl FnOnce() -> Self) -> Self {
        self.not().and(|| other().not()).not()
    }

    const fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }

    /// All of these, as far as it can be said.
    pub fn all<T>(of: &[T], mut test: impl FnMut(&T) -> Self) -> Self {
        of.iter().fold(Self::True, |so_far, one| so_far.and(|| test(one)))
    }

    /// Any of these, as far as it can be said.
    pub fn any<T>(of: &[T], mut test: impl FnMut(&T) -> Self) -> Self {
        of.iter().fold(Self::False, |so_far, one| so_far.or(|| test(one)))
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

    /// The value of an attribute.
    pub fn get(&self, slot: Slot) -> Option<&Value> {
        self.values.get(slot.index())?.as_ref()
    }

    /// The time of the decision.
    pub const fn now(&self) -> UtcTime {
        self.now
    }

    /// The value that a term has; `None` when there is none.
    pub fn value<'a>(&'a self, term: &'a Term) -> Option<Cow<'a, Value>> {
        match term {
            Term::Constant(value) => Some(Cow::Borrowed(value)),
            Term::Attribute(slot) => self.get(*slot).map(Cow::Borrowed),
            Term::Now => Some(Cow::Owned(Value::Time(self.now))),
            Term::Calculated(arithmetic, sides) => {
                let (left, right) = (self.value(&sides.0)?, self.value(&sides.1)?);
                calculate(*arithmetic, &left, &right).map(Cow::Owned)
            }
        }
    }
}

impl Test {
    /// Whether it holds.
    pub fn holds(&self, facts: &Facts) -> Truth {
        match self {
            Self::Compare(comparison, left, right) => {
                let (Some(left), Some(right)) = (facts.value(left), facts.value(right)) else { return Truth::Unknown };
                compare(*comparison, &left, &right).into()
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

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
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
    let (Value::Set(set), text) = (facts.get(slot)?, facts.value(term)?) else { return None };
    let Value::Text(text) = &*text else { return None };
    Some(set.binary_search(text).is_ok())
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
    let (Value::Text(text), wanted) = (facts.get(slot)?, facts.value(term)?) else { return None };
    let Value::Text(wanted) = &*wanted else { return None };
    Some(match part {
        Part::Start => text.starts_with(&**wanted),
        Part::End => text.ends_with(&**wanted),
        Part::Any => text.contains(&**wanted),
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
mod tests {
    use super::*;
    use crate::access::policy::compile::compile;
    use crate::access::policy::schema::{Attribute, Schema};
    use crate::access::policy::value::{Currency, Type};
    use serde_json::json;

    fn schema() -> Schema {
        Schema::with([
            Attribute::new("booking.scheduled_time", Type::Time, ""),
            Attribute::new("booking.amount", Type::Money, ""),
            Attribute::new("booking.guests", Type::Number, ""),
            Attribute::new("booking.city", Type::Text, ""),
            Attribute::new("booking.is_paid", Type::Bool, ""),
            Attribute::new("booking.length", Type::Duration, ""),
            Attribute::new("tenant.limit", Type::Money, ""),
        ])
    }

    fn facts(schema: &Schema, values: &[(&str, Value)]) -> Facts {
        let mut facts = Facts::at("2026-03-29T00:30:00Z".parse().unwrap());
        for (name, value) in values {
            facts.set(schema.slot(name).unwrap(), value.clone());
        }
        facts
    }

    fn money(minor: i64, currency: &str) -> Value {
        Value::Money(Money { minor, currency: Currency::parse(currency).unwrap() })
    }

    fn time(text: &str) -> Value {
        Value::Time(text.parse().unwrap())
    }

    #[test]
    fn every_operator_is_true_false_or_unknown() {
        use Truth::{False, True, Unknown};
        let schema = schema();
        let day = 86_400_000_000;
        for (name, condition, value, expected) in [
            ("user.role", json!("Premium"), Value::set(["Premium", "Member"]), True),
            ("user.role", json!("premium"), Value::set(["Premium"]), False),
            ("user.role", json!("!= 'Premium'"), Value::set(["Premium"]), False),
            ("user.role", json!(["A", "B"]), Value::set(["B"]), True),
            ("user.role", json!("in ['A', 'B']"), Value::set(["C"]), False),
            ("user.role", json!("contains 'A'"), Value::set(["A"]), True),
            ("user.role", json!("A"), Value::set::<&str>([]), False),
            ("booking.guests", json!("> 2.5"), Value::Number(2_500_001), True),
            ("booking.guests", json!("between 1 and 3"), Value::Number(3_000_000), True),
            ("booking.guests", json!("between 1 and 3"), Value::Number(3_000_001), False),
            ("booking.guests", json!("== 1 / 3 * 3"), Value::Number(999_999), True),
            ("booking.guests", json!(4), Value::Number(4_000_000), True),
            ("booking.guests", json!("not(in [1, 2])"), Value::Number(3_000_000), True),
            ("booking.amount", json!("<= 100 INR"), money(10_000, "INR"), True),
            ("booking.amount", json!("<= 100 INR"), money(10_000, "EUR"), Unknown),
            ("booking.amount", json!("100.00 INR"), money(10_000, "INR"), True),
            ("booking.amount", json!("== 100 INR"), money(10_000, "EUR"), False),
            ("booking.amount", json!("<= tenant.limit"), money(1, "INR"), Unknown),
            ("booking.city", json!("starts_with 'Mum'"), Value::text("Mumbai"), True),
            ("booking.city", json!("ends_with 'bai'"), Value::text("Mumbai"), True),
            ("booking.city", json!("contains 'umb'"), Value::text("mumBai"), False),
            // Cyrillic letters that look like Latin ones are others.
            ("booking.city", json!("Mumbai"), Value::text("Mumb\u{430}i"), False),
            ("booking.is_paid", json!(true), Value::Bool(true), True),
            ("booking.is_paid", json!("!= true"), Value::Bool(false), True),
            ("booking.length", json!("> 1d - 1h"), Value::Duration(day), True),
            ("env.ip", json!("in 10.0.0.0/8"), Value::address("::ffff:10.1.2.3".parse().unwrap()), True),
            ("env.ip", json!("in 10.0.0.0/8"), Value::address("11.0.0.1".parse().unwrap()), False),
            ("env.ip", json!("10.0.0.1"), Value::address("10.0.0.1".parse().unwrap()), True),
            ("booking.scheduled_time", json!("> now() + 24h"), time("2026-03-30T00:30:00.000001Z"), True),
            ("booking.scheduled_time", json!("> now() + 24h"), time("2026-03-30T00:30:00Z"), False),
            ("booking.scheduled_time", json!("2026-03-30"), time("2026-03-30T00:00:00Z"), True),
        ] {
            let test = compile(&schema, name, &condition).unwrap_or_else(|error| panic!("{name} {condition}: {error}"));
            assert_eq!(test.holds(&facts(&schema, &[(name, value.clone())])), expected, "{name} {condition} {value}");
            assert_eq!(test.holds(&facts(&schema, &[])), Unknown, "{name} {condition} of nothing");
        }
        let exists = compile(&schema, "booking.city", &json!("exists")).unwrap();
        assert_eq!(exists.holds(&facts(&schema, &[])), False);
        let absent = compile(&schema, "booking.city", &json!("not(exists)")).unwrap();
        assert_eq!(absent.holds(&facts(&schema, &[])), True);
        let team = compile(&schema, "booking.city", &json!("one_of(user.teams)")).unwrap();
        let both = [("booking.city", Value::text("Pune")), ("user.teams", Value::set(["Pune"]))];
        assert_eq!(team.holds(&facts(&schema, &both)), True);
        assert_eq!(team.holds(&facts(&schema, &both[..1])), Unknown);
    }

    #[test]
    fn times_of_day_follow_the_zone_over_its_changes() {
        let schema = schema();
        let holds = |expression: &str, at: &str| {
            let test = compile(&schema, "env.time", &json!(expression)).unwrap();
            test.holds(&facts(&schema, &[("env.time", time(at))]))
        };
        let office = "between 09:00 and 18:00 Asia/Kolkata";
        assert_eq!(holds(office, "2026-01-31T03:29:59Z"), Truth::False);
        assert_eq!(holds(office, "2026-01-31T03:30:00Z"), Truth::True);
        assert_eq!(holds(office, "2026-01-31T12:30:00Z"), Truth::False);
        // Berlin goes from 02:00 to 03:00 at 01:00 UTC: the hour between does not happen.
        let night = "between 02:00 and 03:00 Europe/Berlin";
        for at in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"] {
            assert_eq!(holds(night, at), Truth::False, "{at}");
        }
        // In autumn it happens twice.
        for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            assert_eq!(holds(night, at), Truth::True, "{at}");
        }
        let over_midnight = "between 22:00 and 06:00 UTC";
        for (at, expected) in [("2026-01-31T23:00:00Z", Truth::True), ("2026-01-31T06:00:00Z", Truth::False)] {
            assert_eq!(holds(over_midnight, at), expected, "{at}");
        }
        assert_eq!(holds("between 00:00 and 24:00 UTC", "2026-01-31T23:59:59Z"), Truth::True);
    }

    #[test]
    fn calculations_are_exact_or_have_no_value() {
        let number = |millionths| Value::Number(millionths);
        for (arithmetic, left, right, expected) in [
            (Arithmetic::Add, number(i64::MAX), number(1), None),
            (Arithmetic::Divide, number(ONE), number(0), None),
            (Arithmetic::Divide, number(ONE), number(3 * ONE), Some(number(333_333))),
            (Arithmetic::Divide, number(-ONE), number(3 * ONE), Some(number(-333_333))),
            (Arithmetic::Divide, number(2 * ONE), number(3 * ONE), Some(number(666_667))),
            // Halves to the even one.
            (Arithmetic::Multiply, number(1), number(ONE / 2), Some(number(0))),
            (Arithmetic::Multiply, number(3), number(ONE / 2), Some(number(2))),
            (Arithmetic::Multiply, number(-1), number(ONE / 2), Some(number(0))),
            (Arithmetic::Multiply, money(999, "EUR"), number(ONE / 2), Some(money(500, "EUR"))),
            (Arithmetic::Multiply, number(2 * ONE), money(5, "EUR"), Some(money(10, "EUR"))),
            (Arithmetic::Add, money(1, "EUR"), money(1, "USD"), None),
            (Arithmetic::Subtract, time("1970-01-01T00:00:00Z"), Value::Duration(1), None),
            (
                Arithmetic::Add,
                Value::Duration(1_000_000),
                time("1970-01-01T00:00:00Z"),
                Some(time("1970-01-01T00:00:01Z")),
            ),
            (
                Arithmetic::Subtract,
                time("1970-01-01T00:00:00Z"),
                time("1970-01-01T00:00:01Z"),
                Some(Value::Duration(-1_000_000)),
            ),
        ] {
            assert_eq!(calculate(arithmetic, &left, &right), expected, "{left} {arithmetic} {right}");
        }
    }

    #[test]
    fn what_has_no_meaning_is_refused_when_it_is_compiled() {
        let schema = schema();
        for (name, condition, code, part) in [
            ("booking.schedule_time", json!("exists"), "unknown_attribute", "booking.scheduled_time"),
            ("booking.guests", json!("> now()"), "type", "number"),
            ("booking.guests", json!("4"), "type", "without quotes"),
            ("booking.guests", json!(1e300), "range", "decimals"),
            ("booking.guests", json!("== 1 / 0"), "range", "no value"),
            ("booking.guests", json!("> guests"), "syntax", "quotes"),
            ("booking.guests", json!("> booking.gests"), "unknown_attribute", "booking.guests"),
            ("booking.city", json!("> 'A'"), "type", "cannot be asked"),
            ("booking.city", json!("in 10.0.0.0/8"), "type", "network"),
            ("booking.city", json!("one_of(env.ip)"), "type", "no set"),
            ("booking.city", json!({}), "type", "must be"),
            ("booking.city", json!(null), "type", "must be"),
            ("booking.city", json!([]), "limit", "1 to"),
            ("booking.city", json!([["x"]]), "type", "must be"),
            ("user.role", json!("== user.teams"), "type", "one_of"),
            ("booking.amount", json!("10"), "type", "19.99 EUR"),
            ("booking.amount", json!("> now() + now()"), "type", "no meaning"),
            ("booking.scheduled_time", json!("tomorrow"), "type", "2026-01-31"),
            ("booking.guests", json!("between 09:00 and 10:00 UTC"), "type", "time of day"),
        ] {
            let error = compile(&schema, name, &condition).unwrap_err();
            assert!(error.code == code && error.detail.contains(part), "{name} {condition}: {error:?}");
        }
    }
}
