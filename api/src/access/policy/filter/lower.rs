//! From the tests of a policy to conditions on columns: what is known is decided, what is not is asked of the database.
//!
//! Of every test it is asked either where it is true or where it is false. Where a column is NULL it is neither.

use std::sync::Arc;

use super::super::ast::{Arithmetic, Comparison, Part};
use super::super::compile::{Term, Test};
use super::super::document::Policy;
use super::super::evaluate::{Truth, calculate, compare};
use super::super::schema::Slot;
use super::super::value::Value;
use super::Listing;
use super::columns::{Column, SetColumn};
use super::predicate::{Members, Predicate, Text, all, any, mirrored, opposite, present, whether};
use super::shifted::{Calculated, Shifted};
use Predicate::{Maybe, Nothing};

/// What of a term is known.
enum Side<'a> {
    /// Its value, or that it has none.
    Known(Option<Value>),
    /// It is a column with a text, a flag or a set.
    Column(&'a Column),
    /// It is a column with a number or a time, or a sum with one.
    Sum(Shifted),
    /// It cannot be calculated here. It has no value where one of these columns is NULL.
    Hidden(Vec<&'static str>),
}

/// Turns policies into predicates.
pub struct Lowering<'a> {
    listing: Listing<'a>,
}

impl<'a> Lowering<'a> {
    /// For a list.
    pub const fn of(listing: &Listing<'a>) -> Self {
        Self { listing: *listing }
    }

    /// Where the conditions of a policy are together true, or false.
    pub fn policy(&self, policy: &Policy, wanted: bool) -> Predicate {
        if policy.alternatives.is_empty() {
            return whether(wanted);
        }
        let alternatives = policy.alternatives.iter().map(|alternative| {
            either(!wanted, alternative.0.iter().map(|condition| self.test(&condition.test, wanted)))
        });
        either(wanted, alternatives)
    }

    /// Where a test is true, or false.
    fn test(&self, test: &Test, wanted: bool) -> Predicate {
        if self.is_known(test) {
            return whether(test.holds(self.listing.facts) == Truth::from(wanted));
        }
        match test {
            Test::Compare(comparison, left, right) => {
                let comparison = if wanted { *comparison } else { opposite(*comparison) };
                compare_sides(comparison, self.term(left), self.term(right))
            }
            Test::Has(slot, term) => membership(self.term(term), self.attribute(*slot), wanted),
            Test::OneOf(slot, of) => membership(self.attribute(*slot), self.attribute(*of), wanted),
            Test::Part(part, slot, term) => parts(*part, self.attribute(*slot), self.term(term), wanted),
            // Neither networks nor zones are known to the database.
            Test::Network(slot, _) | Test::TimeOfDay(slot, ..) => hidden([self.attribute(*slot)]),
            Test::Exists(slot) => self.exists(*slot, wanted),
            Test::Not(inner) => self.test(inner, !wanted),
            Test::Any(tests) => either(wanted, tests.iter().map(|test| self.test(test, wanted))),
            Test::All(tests) => either(!wanted, tests.iter().map(|test| self.test(test, wanted))),
        }
    }

    /// Whether nothing in it is about the resource.
    fn is_known(&self, test: &Test) -> bool {
        let known = |slot: &Slot| !self.listing.schema.is_of_resource(*slot);
        match test {
            Test::Compare(_, left, right) => self.is_known_term(left) && self.is_known_term(right),
            Test::Has(slot, term) | Test::Part(_, slot, term) => known(slot) && self.is_known_term(term),
            Test::OneOf(slot, of) => known(slot) && known(of),
            Test::Network(slot, _) | Test::TimeOfDay(slot, ..) | Test::Exists(slot) => known(slot),
            // Taken apart, because parts of it may be known.
            Test::Not(_) | Test::Any(_) | Test::All(_) => false,
        }
    }

    fn is_known_term(&self, term: &Term) -> bool {
        match term {
            Term::Constant(_) | Term::Now => true,
            Term::Attribute(slot) => !self.listing.schema.is_of_resource(*slot),
            Term::Calculated(_, sides) => self.is_known_term(&sides.0) && self.is_known_term(&sides.1),
        }
    }

    fn exists(&self, slot: Slot, wanted: bool) -> Predicate {
        match self.column(slot) {
            Some(column) => match Shifted::new(*column) {
                Some(sum) => sum.exists(wanted),
                None => either(!wanted, column.parts().map(|part| Predicate::Present(part, wanted))),
            },
            None => Maybe,
        }
    }

    fn column(&self, slot: Slot) -> Option<&'a Column> {
        self.listing.columns.get(&self.listing.schema.attribute(slot)?.name)
    }

    fn attribute(&self, slot: Slot) -> Side<'a> {
        if !self.listing.schema.is_of_resource(slot) {
            return Side::Known(self.listing.facts.get(slot).cloned());
        }
        match self.column(slot) {
            Some(column) => Shifted::new(*column).map_or(Side::Column(column), Side::Sum),
            None => Side::Hidden(Vec::new()),
        }
    }

    fn term(&self, term: &Term) -> Side<'a> {
        match term {
            Term::Constant(value) => Side::Known(Some(value.clone())),
            Term::Attribute(slot) => self.attribute(*slot),
            Term::Now => Side::Known(Some(Value::Time(self.listing.facts.now()))),
            Term::Calculated(arithmetic, sides) => {
                calculate_sides(*arithmetic, self.term(&sides.0), self.term(&sides.1))
            }
        }
    }
}

/// One of these, or all.
pub fn either(one: bool, of: impl Iterator<Item = Predicate>) -> Predicate {
    if one { any(of) } else { all(of) }
}

/// What cannot be said, except that there is no answer where a value is missing.
fn hidden<const N: usize>(sides: [Side<'_>; N]) -> Predicate {
    let mut list = vec![Maybe];
    for side in sides {
        match side {
            Side::Known(None) => return Nothing,
            Side::Known(Some(_)) => {}
            Side::Column(column) => list.push(present(column.parts())),
            Side::Sum(sum) => list.push(present(sum.parts())),
            Side::Hidden(columns) => list.push(present(columns)),
        }
    }
    all(list)
}

fn calculate_sides<'a>(arithmetic: Arithmetic, left: Side<'a>, right: Side<'a>) -> Side<'a> {
    let calculated = match (&left, &right) {
        (Side::Known(None), _) | (_, Side::Known(None)) => return Side::Known(None),
        (Side::Known(Some(left)), Side::Known(Some(right))) => return Side::Known(calculate(arithmetic, left, right)),
        (Side::Sum(sum), Side::Known(Some(value))) => sum.then(arithmetic, value),
        (Side::Known(Some(value)), Side::Sum(sum)) => sum.after(value, arithmetic),
        _ => Calculated::Rounded,
    };
    match calculated {
        Calculated::Sum(sum) => Side::Sum(sum),
        Calculated::Never => Side::Known(None),
        Calculated::Rounded => {
            let mut columns = Vec::new();
            for side in [left, right] {
                match side {
                    Side::Known(_) => {}
                    Side::Column(column) => columns.extend(column.parts()),
                    Side::Sum(sum) => columns.extend(sum.parts()),
                    Side::Hidden(hidden) => columns.extend(hidden),
                }
            }
            Side::Hidden(columns)
        }
    }
}

/// Where two sides compare so. The opposite comparison holds where this one is false, so there is no other direction.
fn compare_sides(comparison: Comparison, left: Side<'_>, right: Side<'_>) -> Predicate {
    let is_equal = comparison == Comparison::Equal;
    match (&left, &right) {
        (Side::Known(None), _) | (_, Side::Known(None)) => Nothing,
        (Side::Known(Some(left)), Side::Known(Some(right))) => {
            whether(compare(comparison, left, right).unwrap_or_default())
        }
        (Side::Sum(sum), Side::Known(Some(value))) => sum.compare(comparison, value),
        (Side::Known(Some(value)), Side::Sum(sum)) => sum.compare(mirrored(comparison), value),
        (Side::Sum(one), Side::Sum(other)) => {
            one.compare_columns(comparison, *other).unwrap_or_else(|| hidden([left, right]))
        }
        (Side::Column(Column::Text(column)), Side::Known(Some(value)))
        | (Side::Known(Some(value)), Side::Column(Column::Text(column))) => match value {
            Value::Text(text) => Predicate::Text(column, vec![Arc::clone(text)], is_equal),
            _ => Nothing,
        },
        (Side::Column(Column::Bool(column)), Side::Known(Some(value)))
        | (Side::Known(Some(value)), Side::Column(Column::Bool(column))) => match value {
            Value::Bool(value) => Predicate::Flag(column, *value == is_equal),
            _ => Nothing,
        },
        (Side::Column(Column::Text(one)), Side::Column(Column::Text(other))) => {
            Predicate::SameText(one, other, is_equal)
        }
        (Side::Column(Column::Bool(one)), Side::Column(Column::Bool(other))) => {
            Predicate::Columns(one, comparison, other)
        }
        _ => hidden([left, right]),
    }
}

/// Where a text is in a set, or one of a set is; or where not.
fn membership(of: Side<'_>, set: Side<'_>, wanted: bool) -> Predicate {
    let known = |value: &Value| match value {
        Value::Text(text) => Some(vec![Arc::clone(text)]),
        Value::Set(texts) => Some(texts.to_vec()),
        _ => None,
    };
    match (&of, &set) {
        (Side::Known(None), _) | (_, Side::Known(None)) => Nothing,
        (Side::Known(Some(value)), Side::Column(Column::Set(set)))
        | (Side::Column(Column::Set(set)), Side::Known(Some(value))) => {
            known(value).map_or(Nothing, |texts| member(*set, texts, wanted))
        }
        (Side::Column(Column::Text(column)), Side::Known(Some(Value::Set(texts)))) => {
            if texts.is_empty() {
                return if wanted { Nothing } else { present([*column]) };
            }
            Predicate::Text(column, texts.to_vec(), wanted)
        }
        (Side::Column(Column::Text(column)), Side::Column(Column::Set(set))) => {
            all([present([*column]), Predicate::Member(*set, Members::Column(column), wanted)])
        }
        _ => hidden([of, set]),
    }
}

fn member(set: SetColumn, texts: Vec<Arc<str>>, wanted: bool) -> Predicate {
    if texts.is_empty() { whether(!wanted) } else { Predicate::Member(set, Members::Known(texts), wanted) }
}

/// Where a text begins with another, ends with it or contains it; or where not.
fn parts(part: Part, text: Side<'_>, of: Side<'_>, wanted: bool) -> Predicate {
    let side = |side: &Side<'_>| match side {
        Side::Known(Some(Value::Text(text))) => Some(Text::Known(Arc::clone(text))),
        Side::Column(Column::Text(column)) => Some(Text::Column(column)),
        _ => None,
    };
    match (side(&text), side(&of)) {
        (Some(text), Some(of)) => Predicate::Part(part, text, of, wanted),
        _ => hidden([text, of]),
    }
}
