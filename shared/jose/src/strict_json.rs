//! JSON as strangers send it: every name once.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text is not what it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotStrict {
    /// Not JSON, or not an object, or deeper than `serde_json` goes (128 levels).
    Syntax,
    /// A name twice in one object, at any depth.
    Duplicate,
}

/// Reads one JSON object whose names are unique at every depth.
///
/// Header parameters and claims must be unique, and a reader either refuses duplicates or takes the last (RFC 7515 §4,
/// RFC 7519 §4). Taking the last is only safe when everybody does: refused.
pub(crate) fn object(bytes: &[u8]) -> Result<Map<String, Value>, NotStrict> {
    let duplicate = Cell::new(false);
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(&duplicate).deserialize(&mut deserializer).and_then(|value| deserializer.end().map(|()| value));
    match value {
        Ok(Value::Object(members)) => Ok(members),
        Err(_) if duplicate.get() => Err(NotStrict::Duplicate),
        _ => Err(NotStrict::Syntax),
    }
}

/// Builds a [`Value`] and notes whether it was stopped by a duplicate.
#[derive(Clone, Copy)]
struct Strict<'a>(&'a Cell<bool>);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value with unique names")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = entries.next_key::<String>()? {
            if members.contains_key(&name) {
                self.0.set(true);
                return Err(Error::custom("duplicate member"));
            }
            let value = entries.next_value_seed(self)?;
            members.insert(name, value);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_unique_at_every_depth() {
        assert_eq!(object(br#"{"a":1,"a":2}"#), Err(NotStrict::Duplicate));
        assert_eq!(object(br#"{"a":1,"\u0061":1}"#), Err(NotStrict::Duplicate));
        assert_eq!(object(br#"{"cnf":{"jkt":1,"jkt":2}}"#), Err(NotStrict::Duplicate));
        assert_eq!(object(br#"{"a":[{"b":{},"b":{}}]}"#), Err(NotStrict::Duplicate));
        assert!(object(br#"{"a":{"x":1},"b":{"x":1}}"#).is_ok());
    }

    #[test]
    fn only_one_object() {
        for text in [
            "",
            "null",
            "[]",
            "1",
            "\"a\"",
            "{",
            "{}{}",
            "{} x",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1e999}",
            "{\"a\":NaN}",
            "\u{feff}{}",
        ] {
            assert_eq!(object(text.as_bytes()), Err(NotStrict::Syntax), "{text}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}"), Err(NotStrict::Syntax));
        let deep = format!("{}{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
        assert_eq!(object(deep.as_bytes()), Err(NotStrict::Syntax));
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in r#"[{}\[\]":,a-c0-9eE.+ \\-]{0,40}"#) {
            if let Ok(members) = object(text.as_bytes()) {
                prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), Value::Object(members));
            }
        }

        #[test]
        fn never_panics(bytes: Vec<u8>) {
            let _ = object(&bytes);
        }
    }
}
