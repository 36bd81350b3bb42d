//! The keys of a configuration, read off its JSON schema.

use std::fmt;

use figment::value::{Dict, Num, Value};
use schemars::generate::SchemaSettings;
use serde_json::Value as Json;

use super::Configuration;
use super::secret::SECRET_KEYWORD;

/// A table of keys, or one key.
#[derive(Debug)]
pub(super) enum Node {
    Section { doc: String, children: Vec<(String, Node)> },
    Key { doc: String, kind: Kind, secret: bool },
}

/// What a key takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Text,
    Whole {
        least: Option<i64>,
        most: Option<u64>,
    },
    Number,
    Switch,
    OneOf(Vec<String>),
    List(Box<Kind>),
    /// Something richer that only its own type can judge.
    Other,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text => f.write_str("text"),
            Self::Whole { least, most } => match (least, most.filter(|m| *m < u64::from(u32::MAX))) {
                (Some(least), Some(most)) => write!(f, "whole number from {least} to {most}"),
                (Some(least), None) if *least != 0 => write!(f, "whole number from {least}"),
                _ => f.write_str("whole number"),
            },
            Self::Number => f.write_str("number"),
            Self::Switch => f.write_str("true or false"),
            Self::OneOf(words) => write!(f, "one of {}", words.join(", ")),
            Self::List(of) => write!(f, "list of {of}"),
            Self::Other => f.write_str("table"),
        }
    }
}

/// The root section of `T`.
pub(super) fn keys_of<T: Configuration>() -> Node {
    let generator = SchemaSettings::draft2020_12().with(|s| s.inline_subschemas = true).into_generator();
    node(&generator.into_root_schema_for::<T>().to_value())
}

fn node(schema: &Json) -> Node {
    let doc = schema.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
    let inner = without_null(schema);
    match inner.get("properties").and_then(Json::as_object) {
        Some(properties) => {
            let children = properties.iter().map(|(name, child)| (name.clone(), node(child))).collect();
            Node::Section { doc, children }
        }
        None => Node::Key { doc, kind: kind(inner), secret: inner.get(SECRET_KEYWORD).is_some() },
    }
}

/// `Option<T>` is `T` or null; null is not something that can be written in TOML.
fn without_null(schema: &Json) -> &Json {
    let is_null = |s: &Json| s.get("type").and_then(Json::as_str) == Some("null");
    schema
        .get("anyOf")
        .and_then(Json::as_array)
        .and_then(|choices| match choices.as_slice() {
            [one, null] | [null, one] if is_null(null) => Some(one),
            _ => None,
        })
        .unwrap_or(schema)
}

fn kind(schema: &Json) -> Kind {
    let words = words(schema);
    if !words.is_empty() {
        return Kind::OneOf(words);
    }
    let type_name = match schema.get("type") {
        Some(Json::String(name)) => name.as_str(),
        Some(Json::Array(names)) => names.iter().filter_map(Json::as_str).find(|n| *n != "null").unwrap_or_default(),
        _ => "",
    };
    match type_name {
        "string" => Kind::Text,
        "integer" => Kind::Whole {
            least: schema.get("minimum").and_then(Json::as_i64),
            most: schema.get("maximum").and_then(Json::as_u64),
        },
        "number" => Kind::Number,
        "boolean" => Kind::Switch,
        "array" => Kind::List(Box::new(schema.get("items").map_or(Kind::Other, kind))),
        _ => Kind::Other,
    }
}

/// The words of an enumeration: `enum` without doc comments on its variants, `oneOf` with `const` with them.
fn words(schema: &Json) -> Vec<String> {
    let word = |value: &Json| value.as_str().map(str::to_owned);
    if let Some(values) = schema.get("enum").and_then(Json::as_array) {
        return values.iter().filter_map(word).collect();
    }
    let Some(choices) = schema.get("oneOf").and_then(Json::as_array) else { return Vec::new() };
    choices.iter().filter_map(|choice| choice.get("const").and_then(word)).collect()
}

impl Node {
    /// The key or section at `path`.
    pub(super) fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let Self::Section { children, .. } = self else { return None };
        children.iter().find(|(name, _)| name == first)?.1.find(rest)
    }

    /// What a wrong name should have been, in the order of the alphabet: the order of a schema depends on which
    /// features other crates turn on in `serde_json`.
    pub(super) fn names(&self) -> String {
        match self {
            Self::Section { children, .. } => {
                let mut names: Vec<_> = children.iter().map(|(name, _)| name.as_str()).collect();
                names.sort_unstable();
                names.join(", ")
            }
            Self::Key { .. } => String::new(),
        }
    }
}

impl Kind {
    /// Whether a value of the file is of this kind; else what was found instead.
    pub(super) fn check(&self, value: &Value) -> Result<(), String> {
        let found = match value {
            Value::String(_, text) => format!("the text {text:?}"),
            Value::Bool(_, flag) => flag.to_string(),
            Value::Num(_, number) => number.to_actual().to_string(),
            Value::Array(..) => "a list".to_owned(),
            _ => "a table".to_owned(),
        };
        let good = match (self, value) {
            (Self::Other, _)
            | (Self::Text, Value::String(..))
            | (Self::Switch, Value::Bool(..))
            | (Self::Number, Value::Num(..)) => true,
            (Self::Whole { least, most }, Value::Num(_, number)) => {
                whole(*number).is_some_and(|n| in_range(n, *least, *most))
            }
            (Self::OneOf(words), Value::String(_, text)) => words.contains(text),
            (Self::List(of), Value::Array(_, values)) => return values.iter().try_for_each(|v| of.check(v)),
            _ => false,
        };
        if good { Ok(()) } else { Err(format!("expected {}, found {found}", self.expectation())) }
    }

    /// The value of a variable, which is always a text, as this kind.
    pub(super) fn parse(&self, text: &str) -> Result<Value, String> {
        let wrong = || format!("expected {}, found the text {text:?}", self.expectation());
        let value = match self {
            Self::Text | Self::OneOf(_) => Value::from(text),
            Self::Switch => Value::from(text.parse::<bool>().map_err(|_| wrong())?),
            Self::Whole { .. } => match text.parse::<u64>() {
                Ok(number) => Value::from(number),
                Err(_) => Value::from(text.parse::<i64>().map_err(|_| wrong())?),
            },
            Self::Number => Value::from(text.parse::<f64>().map_err(|_| wrong())?),
            Self::List(of) => {
                let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
                Value::from(parts.map(|part| of.parse(part)).collect::<Result<Vec<_>, _>>()?)
            }
            Self::Other => {
                let json: Json = serde_json::from_str(text).map_err(|_| format!("expected JSON for a {self}"))?;
                Value::serialize(json).map_err(|_| wrong())?
            }
        };
        self.check(&value).map_err(|_| wrong())?;
        Ok(value)
    }

    fn expectation(&self) -> String {
        match self {
            Self::Switch | Self::OneOf(_) => self.to_string(),
            _ => format!("a {self}"),
        }
    }
}

fn whole(number: Num) -> Option<i128> {
    number.to_i128().or_else(|| number.to_u128().and_then(|n| i128::try_from(n).ok()))
}

fn in_range(number: i128, least: Option<i64>, most: Option<u64>) -> bool {
    least.is_none_or(|least| number >= i128::from(least)) && most.is_none_or(|most| number <= i128::from(most))
}

/// A table that holds `value` at `path`.
pub(super) fn nest(path: &[&str], value: Value) -> Dict {
    let Some((first, rest)) = path.split_first() else { return Dict::new() };
    let value = if rest.is_empty() { value } else { Value::from(nest(rest, value)) };
    Dict::from([((*first).to_owned(), value)])
}
