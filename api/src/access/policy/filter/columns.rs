//! Where the attributes of a resource are in the database.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::schema::Schema;
use super::super::value::{Currency, ONE, Type};

/// The columns of a resource's attributes. An attribute without one can be asked about only when a row is decided on by
/// itself.
#[derive(Debug, Clone, Default)]
pub struct Columns(BTreeMap<Arc<str>, Column>);

/// How an attribute is stored. A column is written as it stands in a query, with its table: `` `bookings`.`owner_id` ``.
/// Where it is NULL the attribute has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// A text.
    Text(&'static str),
    /// A whole number (`BIGINT`) that counts: the number itself.
    Count(&'static str),
    /// A whole number of millionths: a number with decimals.
    Millionths(&'static str),
    /// A whole number of microseconds, seconds or days: a duration. The second is how many microseconds one is.
    Duration(&'static str, i64),
    /// True or false.
    Bool(&'static str),
    /// A `UtcTime`.
    Time(&'static str),
    /// Minor units, and of which currency.
    Money(&'static str, CurrencyColumn),
    /// A set of texts in another table. It always has a value, if an empty one.
    Set(SetColumn),
}

/// Of which currency amounts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CurrencyColumn {
    /// All of this one.
    Fixed(Currency),
    /// Of the one in this column, which holds nothing but codes of three capital letters, or NULL.
    Column(&'static str),
}

/// A set whose members are rows of another table: `before` and `after` stand around the condition on the member.
///
/// For instance `EXISTS (SELECT 1 FROM booking_tags AS t WHERE t.tenant_id = bookings.tenant_id AND t.booking_id =
/// bookings.id AND`, `t.tag` and `)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetColumn {
    /// What stands before the condition.
    pub before: &'static str,
    /// The column of the member, never NULL.
    pub member: &'static str,
    /// What stands after the condition.
    pub after: &'static str,
}

/// Why columns do not fit the attributes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// There is no such attribute of the resource.
    #[error("the resource has no attribute {0}")]
    Unknown(String),
    /// Its values are of another type.
    #[error("{name} is a {expected}, and its column holds a {found}")]
    Type {
        /// The attribute.
        name: String,
        /// What it is.
        expected: Type,
        /// What the column holds.
        found: Type,
    },
    /// A unit of time is at least a microsecond.
    #[error("the unit of {0} is not a positive number of microseconds")]
    Unit(String),
}

impl Columns {
    /// These columns, checked against the attributes.
    ///
    /// # Errors
    /// An attribute that is unknown, not the resource's own or of another type.
    pub fn new<'a>(
        schema: &Schema,
        columns: impl IntoIterator<Item = (&'a str, Column)>,
    ) -> Result<Self, ColumnsError> {
        let check = |(name, column): (&str, Column)| {
            let slot = schema.slot(name).filter(|slot| schema.is_of_resource(*slot));
            let attribute = slot.and_then(|slot| schema.attribute(slot));
            let attribute = attribute.ok_or_else(|| ColumnsError::Unknown(name.to_owned()))?;
            let (expected, found) = (attribute.r#type, column.type_of());
            if expected != found {
                return Err(ColumnsError::Type { name: name.to_owned(), expected, found });
            }
            if matches!(column, Column::Duration(_, unit) if unit < 1) {
                return Err(ColumnsError::Unit(name.to_owned()));
            }
            Ok((Arc::clone(&attribute.name), column))
        };
        columns.into_iter().map(check).collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Column> {
        self.0.get(name)
    }
}

impl Column {
    const fn type_of(self) -> Type {
        match self {
            Self::Text(_) => Type::Text,
            Self::Count(_) | Self::Millionths(_) => Type::Number,
            Self::Duration(..) => Type::Duration,
            Self::Bool(_) => Type::Bool,
            Self::Time(_) => Type::Time,
            Self::Money(..) => Type::Money,
            Self::Set(_) => Type::Set,
        }
    }

    /// Of whole numbers: what one in the column is in units of the value.
    pub(super) const fn unit(self) -> Option<i64> {
        match self {
            Self::Count(_) => Some(ONE),
            Self::Duration(_, unit) => Some(unit),
            Self::Millionths(_) | Self::Money(..) | Self::Time(_) => Some(1),
            Self::Text(_) | Self::Bool(_) | Self::Set(_) => None,
        }
    }

    /// The columns that must hold something for the attribute to have a value.
    pub(super) fn parts(self) -> impl Iterator<Item = &'static str> {
        let (first, second) = match self {
            Self::Text(column)
            | Self::Count(column)
            | Self::Millionths(column)
            | Self::Duration(column, _)
            | Self::Bool(column)
            | Self::Time(column)
            | Self::Money(column, CurrencyColumn::Fixed(_)) => (Some(column), None),
            Self::Money(minor, CurrencyColumn::Column(currency)) => (Some(minor), Some(currency)),
            Self::Set(_) => (None, None),
        };
        first.into_iter().chain(second)
    }
}
