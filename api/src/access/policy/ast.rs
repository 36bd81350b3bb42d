//! Conditions as they are written, before they are checked against a schema. Printed, they read as what they were parsed
//! from, up to spaces and parentheses that say nothing.

use std::fmt;
use std::sync::Arc;

use chrono_tz::Tz;
use ipnet::IpNet;
use tenantry_types::text_enum;

use super::value::Value;

/// What is asked of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// `== operand` and its like.
    Compare(Comparison, Operand),
    /// `in [operand, …]`: is one of these; for a set, has one of these.
    In(Vec<Operand>),
    /// `in 10.0.0.0/8`: an address of this network.
    Network(IpNet),
    /// `one_of(user.teams)`: is one of the texts of a set; for a set, has one of them.
    OneOf(Arc<str>),
    /// `between a and b`: from the first to the second, both of which belong to it.
    Between(Operand, Operand),
    /// `between 09:00 and 18:00 Asia/Kolkata`: the time of day in a zone, from the first up to but not including the second.
    /// Where the first is later, over midnight.
    TimeOfDay(TimeOfDay, TimeOfDay, Tz),
    /// `starts_with`, `ends_with` and `contains`.
    Part(Part, Operand),
    /// `exists`.
    Exists,
    /// `not(…)`.
    Not(Box<Predicate>),
}

text_enum! {
    /// How two values are compared.
    pub enum Comparison {
        /// They are the same.
        Equal = "==",
        /// They are not.
        NotEqual = "!=",
        /// The first is smaller, or earlier.
        Less = "<",
        /// It is not larger.
        LessOrEqual = "<=",
        /// It is larger, or later.
        Greater = ">",
        /// It is not smaller.
        GreaterOrEqual = ">=",
    }
}

text_enum! {
    /// Which part of a text is looked at.
    pub enum Part {
        /// Its beginning.
        Start = "starts_with",
        /// Its end.
        End = "ends_with",
        /// Any part of a text; any member of a set.
        Any = "contains",
    }
}

/// A value that is written, looked up or calculated.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// As it is written.
    Literal(Value),
    /// The value of an attribute.
    Attribute(Arc<str>),
    /// `now()`.
    Now,
    /// Calculated from two.
    Calculated(Arithmetic, Box<Operand>, Box<Operand>),
}

text_enum! {
    /// How two values are calculated with.
    pub enum Arithmetic {
        /// Numbers, durations and money of one currency; a time and a duration.
        Add = "+",
        /// The same, and the duration between two times.
        Subtract = "-",
        /// Numbers; a duration or money by a number.
        Multiply = "*",
        /// The same.
        Divide = "/",
    }
}

/// A time of day, in minutes since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeOfDay(u16);

impl TimeOfDay {
    /// `09:00`, `23:59`; `24:00` is the end of the day.
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two = |digits: &str| {
            let good = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
            good.then(|| digits.parse::<u16>().ok()).flatten()
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let time = hours * 60 + minutes;
        (minutes < 60 && time <= 24 * 60).then_some(Self(time))
    }

    /// Minutes since midnight.
    pub const fn minutes(self) -> u16 {
        self.0
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(comparison, operand) => write!(f, "{comparison} {operand}"),
            Self::In(operands) => {
                f.write_str("in [")?;
                for (at, operand) in operands.iter().enumerate() {
                    write!(f, "{}{operand}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("]")
            }
            Self::Network(network) => write!(f, "in {network}"),
            Self::OneOf(attribute) => write!(f, "one_of({attribute})"),
            Self::Between(from, to) => write!(f, "between {from} and {to}"),
            Self::TimeOfDay(from, to, zone) => write!(f, "between {from} and {to} {zone}"),
            Self::Part(part, operand) => write!(f, "{part} {operand}"),
            Self::Exists => f.write_str("exists"),
            Self::Not(inner) => write!(f, "not({inner})"),
        }
    }
}

impl Operand {
    /// How tightly it holds together: what is calculated by `+` least.
    const fn strength(&self) -> u8 {
        match self {
            Self::Calculated(Arithmetic::Add | Arithmetic::Subtract, ..) => 0,
            Self::Calculated(..) => 1,
            _ => 2,
        }
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => write!(f, "{value}"),
            Self::Attribute(name) => f.write_str(name),
            Self::Now => f.write_str("now()"),
            Self::Calculated(arithmetic, left, right) => {
                // The operators bind to the left: the right side needs more than its own strength.
                let side = |f: &mut fmt::Formatter<'_>, operand: &Self, least: u8| {
                    if operand.strength() < least { write!(f, "({operand})") } else { write!(f, "{operand}") }
                };
                side(f, left, self.strength())?;
                write!(f, " {arithmetic} ")?;
                side(f, right, self.strength() + 1)
            }
        }
    }
}
