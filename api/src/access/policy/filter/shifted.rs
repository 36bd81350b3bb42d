//! Columns of whole numbers and times with sums around them: `now() + 24h`, `booking.end - 30m`.
//!
//! A sum with a known value is moved to the known side, where it is calculated without limits. A decision has limits: a
//! sum that is out of range has no value. So the values of the column for which every step has one are kept beside it.

use std::ops::RangeInclusive;

use tenantry_types::UtcTime;

use super::super::ast::{Arithmetic, Comparison};
use super::super::value::{Currency, Money, Type, Value};
use super::columns::{Column, CurrencyColumn};
use super::predicate::{Predicate, all, any, mirrored, present};
use Predicate::Nothing;

/// `± column + offset`, in the units of values.
#[derive(Debug, Clone, Copy)]
pub struct Shifted {
    column: Column,
    of: Type,
    is_negative: bool,
    offset: i128,
    /// For which values of the column there is a value, in the units of values.
    low: i128,
    high: i128,
    /// An amount was added, so this is the only currency in which there is a value.
    currency: Option<Currency>,
}

impl Shifted {
    /// A column as it is; `None` where it holds no whole number and no time.
    pub fn new(column: Column) -> Option<Self> {
        let of = match column {
            Column::Count(_) | Column::Millionths(_) => Type::Number,
            Column::Duration(..) => Type::Duration,
            Column::Time(_) => Type::Time,
            Column::Money(..) => Type::Money,
            Column::Text(_) | Column::Bool(_) | Column::Set(_) => return None,
        };
        let (low, high) = range(of).into_inner();
        Some(Self { column, of, is_negative: false, offset: 0, low, high, currency: None })
    }

    /// With a known value on the right of it.
    pub fn then(self, arithmetic: Arithmetic, value: &Value) -> Calculated {
        let Some(amount) = amount(value) else { return Calculated::Never };
        let of = match (arithmetic, self.of, value.type_of()) {
            (Arithmetic::Add | Arithmetic::Subtract, left, right) if left == right && left != Type::Time => left,
            (Arithmetic::Add | Arithmetic::Subtract, Type::Time, Type::Duration)
            | (Arithmetic::Add, Type::Duration, Type::Time) => Type::Time,
            (Arithmetic::Subtract, Type::Time, Type::Time) => Type::Duration,
            _ => return Calculated::Rounded,
        };
        let offset = if arithmetic == Arithmetic::Add { self.offset + amount } else { self.offset - amount };
        Self { of, offset, ..self }.in_range(value)
    }

    /// With a known value on the left of it.
    pub fn after(self, value: &Value, arithmetic: Arithmetic) -> Calculated {
        if arithmetic == Arithmetic::Add {
            return self.then(arithmetic, value);
        }
        let Some(amount) = amount(value) else { return Calculated::Never };
        let of = match (arithmetic, value.type_of(), self.of) {
            (Arithmetic::Subtract, left, right) if left == right && left != Type::Time => left,
            (Arithmetic::Subtract, Type::Time, Type::Duration) => Type::Time,
            (Arithmetic::Subtract, Type::Time, Type::Time) => Type::Duration,
            _ => return Calculated::Rounded,
        };
        Self { of, is_negative: !self.is_negative, offset: amount - self.offset, ..self }.in_range(value)
    }

    /// A step of a calculation has a value only within the range of its type, and in one currency.
    fn in_range(mut self, value: &Value) -> Calculated {
        if let Value::Money(Money { currency, .. }) = value {
            if self.currency.is_some_and(|earlier| earlier != *currency) {
                return Calculated::Never;
            }
            self.currency = Some(*currency);
        }
        let (low, high) = range(self.of).into_inner();
        let (low, high) = if self.is_negative {
            (self.offset - high, self.offset - low)
        } else {
            (low - self.offset, high - self.offset)
        };
        self.low = self.low.max(low);
        self.high = self.high.min(high);
        if self.low > self.high { Calculated::Never } else { Calculated::Sum(self) }
    }

    /// Where it compares so with a known value.
    pub fn compare(self, comparison: Comparison, value: &Value) -> Predicate {
        let Some(amount) = amount(value).filter(|_| value.type_of() == self.of) else { return Nothing };
        let comparison_of_column = if self.is_negative { mirrored(comparison) } else { comparison };
        let amount = if self.is_negative { self.offset - amount } else { amount - self.offset };
        let compared = self.compare_column(comparison_of_column, amount);
        let Value::Money(Money { currency, .. }) = value else { return all([self.has_value(), compared]) };
        // Whether amounts of two currencies are equal is known (they are not), which is more is not.
        let (same, other) = match self.currency {
            Some(only) if only == *currency => (Predicate::All, Nothing),
            Some(_) => (Nothing, Predicate::All),
            None => (self.is_of(*currency, true), self.is_of(*currency, false)),
        };
        match comparison {
            Comparison::NotEqual => all([self.has_value(), any([other, compared])]),
            _ => all([self.has_value(), same, compared]),
        }
    }

    /// Where two columns, each as it is, compare so. `None` where that cannot be said.
    pub fn compare_columns(self, comparison: Comparison, other: Self) -> Option<Predicate> {
        let (left, right) = (self.plain()?, other.plain()?);
        if self.of != other.of || self.column.unit() != other.column.unit() {
            return None;
        }
        let values = all([self.has_value(), other.has_value()]);
        let compared = Predicate::Columns(left, comparison, right);
        let (Column::Money(_, one), Column::Money(_, another)) = (self.column, other.column) else {
            return Some(all([values, compared]));
        };
        let same = |wanted| match (one, another) {
            (CurrencyColumn::Fixed(currency), _) => other.is_of(currency, wanted),
            (_, CurrencyColumn::Fixed(currency)) => self.is_of(currency, wanted),
            (CurrencyColumn::Column(one), CurrencyColumn::Column(another)) => Predicate::SameText(one, another, wanted),
        };
        Some(match comparison {
            Comparison::NotEqual => all([values, any([same(false), compared])]),
            _ => all([values, same(true), compared]),
        })
    }

    /// Where there is a value, or none.
    pub fn exists(self, wanted: bool) -> Predicate {
        if wanted {
            return self.has_value();
        }
        let missing = self.parts().map(|part| Predicate::Present(part, false));
        let (low, high) = range_of_column(self.column).into_inner();
        let too_small = (self.low > low).then(|| self.compare_column(Comparison::Less, self.low));
        let too_large = (self.high < high).then(|| self.compare_column(Comparison::Greater, self.high));
        any(missing.chain(too_small).chain(too_large))
    }

    /// The columns that must hold something.
    pub fn parts(self) -> impl Iterator<Item = &'static str> {
        self.column.parts()
    }

    /// The column, when nothing is calculated with it.
    fn plain(self) -> Option<&'static str> {
        let is_plain = !self.is_negative && self.offset == 0 && self.currency.is_none();
        self.column.parts().next().filter(|_| is_plain)
    }

    /// Where there is a value: the columns hold something, and every step of the calculation is within its range.
    fn has_value(self) -> Predicate {
        let (low, high) = range_of_column(self.column).into_inner();
        let at_least = (self.low > low).then(|| self.compare_column(Comparison::GreaterOrEqual, self.low));
        let at_most = (self.high < high).then(|| self.compare_column(Comparison::LessOrEqual, self.high));
        let of_currency = self.currency.map(|currency| self.is_of(currency, true));
        let bounds = [at_least, at_most, of_currency].into_iter().flatten();
        all(std::iter::once(present(self.parts())).chain(bounds))
    }

    /// Where the currency is this one, or is another.
    fn is_of(self, currency: Currency, wanted: bool) -> Predicate {
        match self.column {
            Column::Money(_, CurrencyColumn::Fixed(fixed)) => super::predicate::whether((fixed == currency) == wanted),
            Column::Money(_, CurrencyColumn::Column(column)) => {
                Predicate::Text(column, vec![currency.to_string().into()], wanted)
            }
            _ => super::predicate::whether(wanted),
        }
    }

    /// Where the column compares so with an amount in units of values, whatever its size.
    fn compare_column(self, comparison: Comparison, amount: i128) -> Predicate {
        let Some(column) = self.parts().next() else { return Nothing };
        let unit = self.column.unit().map_or(1, i128::from);
        let (floor, is_whole) = (amount.div_euclid(unit), amount.rem_euclid(unit) == 0);
        let always = || present([column]);
        // Between two whole numbers there is none: below 2.5 is up to 2, above it is from 3.
        let (comparison, bound) = match comparison {
            _ if is_whole => (comparison, floor),
            Comparison::Equal => return Nothing,
            Comparison::NotEqual => return always(),
            Comparison::Less | Comparison::LessOrEqual => (Comparison::LessOrEqual, floor),
            Comparison::Greater | Comparison::GreaterOrEqual => (Comparison::Greater, floor),
        };
        let fits = if let Column::Time(_) = self.column {
            let time = i64::try_from(bound).ok().and_then(UtcTime::from_unix_micros);
            time.map(|time| Predicate::Time(column, comparison, time))
        } else {
            i64::try_from(bound).ok().map(|bound| Predicate::Whole(column, comparison, bound))
        };
        // What no column can hold is above all that it can, or below.
        let holds = match comparison {
            Comparison::Equal => false,
            Comparison::NotEqual => true,
            Comparison::Less | Comparison::LessOrEqual => bound > 0,
            Comparison::Greater | Comparison::GreaterOrEqual => bound < 0,
        };
        fits.unwrap_or_else(|| if holds { always() } else { Nothing })
    }
}

/// What comes of a calculation with a column.
#[derive(Debug, Clone, Copy)]
pub enum Calculated {
    /// A sum, which the database can be asked about.
    Sum(Shifted),
    /// There is never a value.
    Never,
    /// It is rounded, which the database does in ways of its own.
    Rounded,
}

/// The values that a type can have, in its units.
fn range(of: Type) -> RangeInclusive<i128> {
    match of {
        Type::Time => 0..=i128::from(UtcTime::MAX.unix_micros()),
        _ => i128::from(i64::MIN)..=i128::from(i64::MAX),
    }
}

/// The values that a column can have, in the units of values: a count can be larger than any number that there is.
fn range_of_column(column: Column) -> RangeInclusive<i128> {
    let unit = column.unit().map_or(1, i128::from);
    match column {
        Column::Time(_) => range(Type::Time),
        _ => i128::from(i64::MIN) * unit..=i128::from(i64::MAX) * unit,
    }
}

fn amount(value: &Value) -> Option<i128> {
    match value {
        Value::Number(amount) | Value::Duration(amount) => Some(i128::from(*amount)),
        Value::Money(money) => Some(i128::from(money.minor)),
        Value::Time(time) => Some(i128::from(time.unix_micros())),
        Value::Bool(_) | Value::Text(_) | Value::Address(_) | Value::Set(_) => None,
    }
}
