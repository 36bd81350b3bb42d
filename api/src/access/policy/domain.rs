//! For which values of one attribute a test holds, where that is known exactly.
//!
//! Outside of these values the test is false, and where the attribute is absent it is unknown. Only what is compared with
//! constants has such values; of everything else nothing is said.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_types::UtcTime;

use super::ast::Comparison;
use super::compile::{Term, Test};
use super::schema::Slot;
use super::value::{Type, Value};

/// Values of one attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Domain {
    /// Numbers, durations or times: from, to, in ascending order and apart from one another.
    Ranges(Type, Vec<(i64, i64)>),
    /// These texts; or, with `false`, all others.
    Texts(BTreeSet<Arc<str>>, bool),
    /// False, and true.
    Bools(bool, bool),
}

impl Domain {
    /// The attribute that a test is of, and for which of its values it holds.
    pub fn of(test: &Test) -> Option<(Slot, Self)> {
        match test {
            Test::Compare(comparison, Term::Attribute(slot), Term::Constant(value)) => {
                Some((*slot, Self::compared(*comparison, value)?))
            }
            Test::Not(inner) => Self::of(inner).map(|(slot, domain)| (slot, domain.complement())),
            Test::Any(tests) => {
                let all = |domains: Vec<Self>| domains.into_iter().map(Self::complement).try_fold(None, Self::meet);
                Self::of_one(tests).and_then(|(slot, domains)| Some((slot, all(domains)??.complement())))
            }
            Test::All(tests) => Self::of_one(tests)
                .and_then(|(slot, domains)| Some((slot, domains.into_iter().try_fold(None, Self::meet)??))),
            _ => None,
        }
    }

    /// All tests, where they are of one attribute.
    fn of_one(tests: &[Test]) -> Option<(Slot, Vec<Self>)> {
        let all: Vec<_> = tests.iter().map(Self::of).collect::<Option<_>>()?;
        let slot = all.first()?.0;
        let domains: Vec<_> = all.into_iter().filter(|(of, _)| *of == slot).map(|(_, domain)| domain).collect();
        (domains.len() == tests.len()).then_some((slot, domains))
    }

    #[allow(clippy::option_option, reason = "nothing yet, or values of two types")]
    fn meet(so_far: Option<Self>, other: Self) -> Option<Option<Self>> {
        match so_far {
            None => Some(Some(other)),
            Some(so_far) => so_far.intersection(&other).map(Some),
        }
    }

    fn compared(comparison: Comparison, value: &Value) -> Option<Self> {
        let of = value.type_of();
        let at = match value {
            Value::Number(at) | Value::Duration(at) => *at,
            Value::Time(time) => time.unix_micros(),
            Value::Text(text) => {
                return match comparison {
                    Comparison::Equal => Some(Self::Texts(BTreeSet::from([Arc::clone(text)]), true)),
                    Comparison::NotEqual => Some(Self::Texts(BTreeSet::from([Arc::clone(text)]), false)),
                    _ => None,
                };
            }
            Value::Bool(value) => {
                return match comparison {
                    Comparison::Equal => Some(Self::Bools(!value, *value)),
                    Comparison::NotEqual => Some(Self::Bools(*value, !value)),
                    _ => None,
                };
            }
            Value::Money(_) | Value::Address(_) | Value::Set(_) => return None,
        };
        let (first, last) = ends(of);
        let below = at.checked_sub(1).filter(|below| *below >= first).map(|below| (first, below));
        let above = at.checked_add(1).filter(|above| *above <= last).map(|above| (above, last));
        Some(Self::Ranges(
            of,
            match comparison {
                Comparison::Equal => vec![(at, at)],
                Comparison::NotEqual => below.into_iter().chain(above).collect(),
                Comparison::Less => below.into_iter().collect(),
                Comparison::LessOrEqual => vec![(first, at)],
                Comparison::Greater => above.into_iter().collect(),
                Comparison::GreaterOrEqual => vec![(at, last)],
            },
        ))
    }

    /// From a time on.
    pub fn from(time: UtcTime) -> Self {
        Self::Ranges(Type::Time, vec![(time.unix_micros(), ends(Type::Time).1)])
    }

    fn complement(self) -> Self {
        match self {
            Self::Ranges(of, ranges) => {
                let (mut next, last) = (Some(ends(of).0), ends(of).1);
                let mut gaps = Vec::new();
                for (from, to) in ranges {
                    if let Some(next) = next.filter(|next| *next < from) {
                        gaps.push((next, from - 1));
                    }
                    next = to.checked_add(1);
                }
                gaps.extend(next.filter(|next| *next <= last).map(|next| (next, last)));
                Self::Ranges(of, gaps)
            }
            Self::Texts(texts, these) => Self::Texts(texts, !these),
            Self::Bools(no, yes) => Self::Bools(!no, !yes),
        }
    }

    /// The values in both; `None` where they are of two types.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Ranges(of, left), Self::Ranges(other, right)) if of == other => {
                // Both are in order, and so is what they share.
                let (mut both, mut left, mut right) = (Vec::new(), left.iter().peekable(), right.iter().peekable());
                while let (Some(one), Some(two)) = (left.peek(), right.peek()) {
                    let (from, to) = (one.0.max(two.0), one.1.min(two.1));
                    if from <= to {
                        both.push((from, to));
                    }
                    if one.1 < two.1 {
                        left.next()
                    } else {
                        right.next()
                    };
                }
                Some(Self::Ranges(*of, both))
            }
            (Self::Texts(left, true), Self::Texts(right, wanted))
            | (Self::Texts(right, wanted), Self::Texts(left, true)) => {
                Some(Self::Texts(left.iter().filter(|text| right.contains(*text) == *wanted).cloned().collect(), true))
            }
            (Self::Texts(left, false), Self::Texts(right, false)) => Some(Self::Texts(left | right, false)),
            (Self::Bools(no, yes), Self::Bools(other_no, other_yes)) => {
                Some(Self::Bools(*no && *other_no, *yes && *other_yes))
            }
            _ => None,
        }
    }

    /// Whether no value is in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Ranges(_, ranges) => ranges.is_empty(),
            Self::Texts(texts, these) => *these && texts.is_empty(),
            Self::Bools(no, yes) => !no && !yes,
        }
    }

    /// Whether every value is in it.
    pub fn is_full(&self) -> bool {
        self.clone().complement().is_empty()
    }

    /// Whether every value of it is in the other.
    pub fn is_within(&self, other: &Self) -> bool {
        self.intersection(&other.clone().complement()).is_some_and(|rest| rest.is_empty())
    }
}

/// The smallest and the largest value.
fn ends(of: Type) -> (i64, i64) {
    match of {
        Type::Time => (0, UtcTime::MAX.unix_micros()),
        _ => (i64::MIN, i64::MAX),
    }
}
