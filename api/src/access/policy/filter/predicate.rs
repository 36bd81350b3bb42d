//! Conditions on columns: which rows are wanted. What is NULL in one of them does not want the row.

use std::sync::Arc;

use tenantry_types::UtcTime;

use super::super::ast::{Comparison, Part};
use super::columns::SetColumn;

/// Which rows are wanted.
#[derive(Debug, Clone, PartialEq)]
pub enum Predicate {
    /// Every row.
    All,
    /// None.
    Nothing,
    /// That cannot be said here.
    Maybe,
    /// Those that all of these want.
    And(Vec<Predicate>),
    /// Those that one of these wants.
    Or(Vec<Predicate>),
    /// Where the column is not NULL (or, with `false`, where it is).
    Present(&'static str, bool),
    /// By a whole number.
    Whole(&'static str, Comparison, i64),
    /// By a time.
    Time(&'static str, Comparison, UtcTime),
    /// Where it is true, or false.
    Flag(&'static str, bool),
    /// Where a text is one of these (or, with `false`, none).
    Text(&'static str, Vec<Arc<str>>, bool),
    /// Where two columns that hold numbers, times or flags compare so.
    Columns(&'static str, Comparison, &'static str),
    /// Where two columns hold the same text (or, with `false`, two texts).
    SameText(&'static str, &'static str, bool),
    /// Where the first text has the second as its part (or, with `false`, has not).
    Part(Part, Text, Text, bool),
    /// Where a set has one of these (or, with `false`, none). A column in it is not NULL.
    Member(SetColumn, Members, bool),
}

/// A text.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// In a column.
    Column(&'static str),
    /// Known.
    Known(Arc<str>),
}

/// What is looked for in a set.
#[derive(Debug, Clone, PartialEq)]
pub enum Members {
    /// One of these.
    Known(Vec<Arc<str>>),
    /// The text of a column.
    Column(&'static str),
}

/// The rows that all of these want.
pub fn all(of: impl IntoIterator<Item = Predicate>) -> Predicate {
    let mut list = Vec::new();
    for one in of {
        match one {
            Predicate::All => {}
            Predicate::Nothing => return Predicate::Nothing,
            Predicate::And(inner) => list.extend(inner),
            Predicate::Present(..) if list.contains(&one) => {}
            other => list.push(other),
        }
    }
    match list.len() {
        0 => Predicate::All,
        1 => list.remove(0),
        _ => Predicate::And(list),
    }
}

/// The rows that one of these wants.
pub fn any(of: impl IntoIterator<Item = Predicate>) -> Predicate {
    let mut list = Vec::new();
    for one in of {
        match one {
            Predicate::Nothing => {}
            Predicate::All => return Predicate::All,
            Predicate::Or(inner) => list.extend(inner),
            other => list.push(other),
        }
    }
    match list.len() {
        0 => Predicate::Nothing,
        1 => list.remove(0),
        _ => Predicate::Or(list),
    }
}

/// Every row, or none.
pub const fn whether(holds: bool) -> Predicate {
    if holds { Predicate::All } else { Predicate::Nothing }
}

/// Where all these columns hold something.
pub fn present(columns: impl IntoIterator<Item = &'static str>) -> Predicate {
    all(columns.into_iter().map(|column| Predicate::Present(column, true)))
}

impl Predicate {
    /// Whether everything in it can be said.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Maybe => false,
            Self::And(list) | Self::Or(list) => list.iter().all(Self::is_certain),
            _ => true,
        }
    }

    /// The same with what cannot be said taken to hold. There is no negation above anything, so no row is lost by it.
    pub fn at_most(self) -> Self {
        match self {
            Self::Maybe => Self::All,
            Self::And(list) => all(list.into_iter().map(Self::at_most)),
            Self::Or(list) => any(list.into_iter().map(Self::at_most)),
            other => other,
        }
    }

    /// How many values and columns are in it.
    pub fn values(&self) -> usize {
        match self {
            Self::And(list) | Self::Or(list) => list.iter().map(Self::values).sum(),
            Self::Text(_, texts, _) | Self::Member(_, Members::Known(texts), _) => texts.len(),
            Self::All | Self::Nothing | Self::Maybe => 0,
            _ => 1,
        }
    }
}

/// The comparison that holds where this one does not.
pub const fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}

/// The comparison with the sides exchanged.
pub const fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal | Comparison::NotEqual => comparison,
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
    }
}
