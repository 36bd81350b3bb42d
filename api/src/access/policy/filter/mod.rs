//! Lists that show what a caller may see, and nothing else: the policies as a condition on the rows of a table.
//!
//! What is not about the resource is known when a list is asked for, and is decided first; what remains speaks of columns.
//! A row is shown when the roles of the caller or a policy allow it, and no policy forbids it. As in a decision, a
//! condition that cannot be said is not enough to allow and is enough to forbid, so of each policy only one question is
//! left: whether its conditions are *true* (to allow), or whether they are *false* (not to forbid). Both are put to the
//! database without negation around what may be NULL: `not(a)` is true where `a` is false, an alternative is false where
//! one of its conditions is. What is NULL then means "not shown" wherever it stands, and indexes can still be used.
//!
//! What the database cannot calculate exactly as a decision does (see `docs/policies.md`) is taken to hold, in both
//! directions towards showing a row. Such a filter finds too many rows and never too few; it says so
//! ([`Filter::is_exact`]), and each row is then to be decided on by itself.

mod columns;
mod lower;
mod predicate;
mod shifted;
mod sql;
#[cfg(test)]
mod tests;

pub use columns::{Column, Columns, ColumnsError, CurrencyColumn, SetColumn};
pub use sql::Rows;

use lower::Lowering;
use predicate::{Predicate, all, any};

use super::decide::PolicySet;
use super::document::{Effect, Policy};
use super::evaluate::Facts;
use super::schema::Schema;

/// What list is asked for, by whom.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'a> {
    /// The attributes that policies on this resource know: the schema they were compiled with.
    pub schema: &'a Schema,
    /// Where the attributes of the resource are in the database.
    pub columns: &'a Columns,
    /// The kind of resource.
    pub resource: &'a str,
    /// What is to be done to the rows that are listed.
    pub action: &'a str,
    /// What is known of the caller and the surroundings. Attributes of the resource in it are not looked at.
    pub facts: &'a Facts,
    /// Whether the caller's roles allow the action on every row, before any policy is asked.
    pub base: bool,
}

/// Which rows of a table a caller may see. [A condition](Filter::to_sql) for `.filter(…)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    rows: Predicate,
    exact: bool,
}

/// More conditions on columns than this are not put into one query: SQLite has 32,766 parameters, MySQL 65,535, and each
/// condition takes up to three for each of its values.
const MOST_VALUES: usize = 5_000;

impl PolicySet {
    /// The rows that a caller may do something to. Where [exact](Filter::is_exact), a row is found if and only if
    /// [`decide`](Self::decide) over its attributes allows it (or, with [`base`](Listing::base), does not deny it).
    pub fn filter(&self, listing: &Listing<'_>) -> Filter {
        let lowering = Lowering::of(listing);
        let mut left = MOST_VALUES;
        let mut of = |policy: &Policy, wanted| {
            let predicate = lowering.policy(policy, wanted);
            match left.checked_sub(predicate.values()) {
                Some(rest) => {
                    left = rest;
                    predicate
                }
                None => Predicate::Maybe,
            }
        };
        let about = || self.concerning(listing.resource, listing.action, listing.facts);
        let mut denies = Vec::new();
        for policy in about().filter(|policy| policy.effect == Effect::Deny) {
            denies.push(of(policy, false));
        }
        let mut allows = Vec::new();
        if listing.base {
            allows.push(Predicate::All);
        } else {
            allows.extend(about().filter(|policy| policy.effect == Effect::Allow).map(|policy| of(policy, true)));
        }
        Filter::of(all(std::iter::once(any(allows)).chain(denies)))
    }
}

impl Filter {
    fn of(rows: Predicate) -> Self {
        let exact = rows.is_certain();
        Self { rows: if exact { rows } else { rows.at_most() }, exact }
    }

    /// Whether every row that is found is one that the caller may see. Otherwise each has to be decided on by itself, and
    /// a page of a list may become shorter by it.
    pub const fn is_exact(&self) -> bool {
        self.exact
    }

    /// Whether no row can be found, so that there is no need to ask the database.
    pub const fn is_nothing(&self) -> bool {
        matches!(self.rows, Predicate::Nothing)
    }

    /// Whether every row is found: the filter says nothing.
    pub const fn is_everything(&self) -> bool {
        matches!(self.rows, Predicate::All)
    }
}
