//! How the types are stored.
//!
//! Every type can lend what it is stored as (`&str`, or chrono's date and time), so one implementation serves every
//! database, and this crate needs to know none of them.

use std::ops::Deref;

use serde::{Serialize, de::DeserializeOwned};

/// A value kept as JSON text: the value together with the text it is stored as.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct JsonText<T> {
    value: T,
    text: String,
}

impl<T: Serialize> JsonText<T> {
    /// Keeps the value with its text.
    ///
    /// # Errors
    /// When the value has no form in JSON (a map with keys that are not texts).
    pub fn new(value: T) -> Result<Self, serde_json::Error> {
        let text = serde_json::to_string(&value)?;
        Ok(Self { value, text })
    }
}

impl<T> JsonText<T> {
    /// The value alone.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// The text that is stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl<T: DeserializeOwned> std::str::FromStr for JsonText<T> {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        Ok(Self { value: serde_json::from_str(text)?, text: text.to_owned() })
    }
}

impl<T> Deref for JsonText<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// Stores a type that has `as_str()` and `FromStr` as text. The type derives diesel's `AsExpression` and `FromSqlRow`.
#[macro_export]
#[cfg(feature = "diesel")]
macro_rules! stored_as_text {
    ($type:ty $(, $($param:tt)+)?) => {
        impl<$($($param)+,)? DB: ::diesel::backend::Backend> ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB> for $type
        where
            str: ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut ::diesel::serialize::Output<'b, '_, DB>) -> ::diesel::serialize::Result {
                <str as ::diesel::serialize::ToSql<::diesel::sql_types::Text, DB>>::to_sql(self.as_str(), out)
            }
        }

        impl<$($($param)+,)? DB: ::diesel::backend::Backend> ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB> for $type
        where
            String: ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> ::diesel::deserialize::Result<Self> {
                Ok(<String as ::diesel::deserialize::FromSql<::diesel::sql_types::Text, DB>>::from_sql(bytes)?.parse()?)
            }
        }
    };
}

/// Without the feature `diesel` a type is not stored at all.
#[macro_export]
#[cfg(not(feature = "diesel"))]
macro_rules! stored_as_text {
    ($($ignored:tt)*) => {};
}

#[doc(hidden)]
#[macro_export]
#[cfg(feature = "diesel")]
macro_rules! __with_text_column {
    ($item:item) => {
        #[derive(::diesel::expression::AsExpression, ::diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = ::diesel::sql_types::Text)]
        $item
    };
}

#[doc(hidden)]
#[macro_export]
#[cfg(not(feature = "diesel"))]
macro_rules! __with_text_column {
    ($item:item) => {
        $item
    };
}

/// An enumeration that is a text on the wire and in the database.
#[macro_export]
macro_rules! text_enum {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $text:literal,)+ }) => {
        $crate::__with_text_column! {
            $(#[$meta])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
            $vis enum $name { $($(#[$variant_meta])* $variant,)+ }
        }

        impl $name {
            /// All values, in the order they are declared.
            #[allow(dead_code, reason = "not every enumeration is listed")]
            $vis const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The value as text.
            $vis const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ParseError;

            fn from_str(text: &str) -> Result<Self, $crate::ParseError> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::ParseError::new(concat!("must be one of:", $(" ", $text),+))),
                }
            }
        }

        $crate::text_serde!($name);
        $crate::stored_as_text!($name);
    };
}

#[cfg(feature = "diesel")]
mod with_diesel {
    use std::fmt::Debug;

    use diesel::backend::Backend;
    use diesel::deserialize::{self, FromSql};
    use diesel::serialize::{self, Output, ToSql};
    use diesel::sql_types::{Text, Timestamp};
    use serde::de::DeserializeOwned;

    use super::JsonText;
    use crate::UtcTime;

    // By hand, because a value is read through a type that owns it and may be written through one that borrows.
    impl<T: Debug, DB: Backend> ToSql<Text, DB> for JsonText<T>
    where
        str: ToSql<Text, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            <str as ToSql<Text, DB>>::to_sql(self.as_str(), out)
        }
    }

    impl<T: DeserializeOwned, DB: Backend> FromSql<Text, DB> for JsonText<T>
    where
        String: FromSql<Text, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(<String as FromSql<Text, DB>>::from_sql(bytes)?.parse()?)
        }
    }

    impl<DB: Backend> ToSql<Timestamp, DB> for UtcTime
    where
        chrono::NaiveDateTime: ToSql<Timestamp, DB>,
    {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
            self.0.to_sql(out)
        }
    }

    impl<DB: Backend> FromSql<Timestamp, DB> for UtcTime
    where
        chrono::NaiveDateTime: FromSql<Timestamp, DB>,
    {
        fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
            <chrono::NaiveDateTime as FromSql<Timestamp, DB>>::from_sql(bytes).map(Self)
        }
    }
}
