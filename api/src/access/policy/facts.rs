//! Facts as JSON, by the names of their attributes: for recorded decisions, and for services that ask over the network.
//!
//! Texts, times, durations, amounts and addresses are texts as in conditions; sets are lists; numbers are numbers, or texts
//! where a number in JSON would not be exact.

use serde::Serializer as _;
use serde_json::Value as Json;
use tenantry_types::{InputError, UtcTime};

use super::evaluate::Facts;
use super::schema::{Attribute, Limit, Schema};
use super::value::{Currency, Money, ONE, Type, UNITS, Value, parse_signed};
use crate::input::{Errors, Object};

/// How many members a set has at most.
const MOST_MEMBERS: usize = 10_000;

impl Facts {
    /// Reads facts: an object of attributes and their values. `null` is a value that is not there. `pointer` is where the
    /// object stands in what was sent.
    ///
    /// # Errors
    /// Every attribute that there is not, or whose value is of another type, under its JSON pointer.
    pub fn from_json(schema: &Schema, now: UtcTime, json: Json, pointer: &str) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut object = Object::new(json, pointer, &errors);
        let mut facts = Self::at(now);
        for (name, value) in object.rest() {
            let Some((slot, attribute)) = schema.slot(&name).and_then(|slot| Some((slot, schema.attribute(slot)?)))
            else {
                let near = schema.nearest(&name).map_or_else(String::new, |near| format!("; did you mean {near}?"));
                object.refuse(&name, "unknown_attribute", format!("there is no such attribute{near}"));
                continue;
            };
            match read(attribute.r#type, &value) {
                Some(value) => facts.set(slot, value),
                None if value.is_null() => {}
                None => object.refuse(&name, "type", expected(attribute)),
            }
        }
        errors.unless_any(facts)
    }

    /// The same facts as a text in JSON. Read with the same schema, they are the same facts.
    pub fn to_json_text(&self, schema: &Schema) -> String {
        let known = schema.attributes().iter().filter_map(|attribute| {
            let value = self.get(schema.slot(&attribute.name)?)?;
            Some((&*attribute.name, write(value)))
        });
        let mut text = Vec::with_capacity(512);
        // Nothing that is written into memory fails, and what is written is text.
        let written = (&mut serde_json::Serializer::new(&mut text)).collect_map(known);
        written.ok().and_then(|()| String::from_utf8(text).ok()).unwrap_or_else(|| "{}".to_owned())
    }
}

/// A limit that a tenant sets, and its value: of the type that the JSON looks like. An amount is `"100.00 EUR"`, a duration
/// `"24h"`; what looks like neither is a text of at most 200 characters.
///
/// # Errors
/// A name that limits do not have, or a value of no such type, in words.
pub fn limit(name: &str, json: &Json) -> Result<(Limit, Value), String> {
    let value = match json {
        Json::Bool(_) => read(Type::Bool, json),
        Json::Number(_) => read(Type::Number, json),
        Json::String(text) => {
            let amount = read(Type::Money, json).or_else(|| read(Type::Duration, json));
            amount.or_else(|| (text.chars().count() <= MOST_LETTERS).then(|| Value::text(text)))
        }
        _ => None,
    };
    let value = value
        .ok_or("must be a number of at most 6 decimals, true or false, or a text like \"100.00 EUR\" or \"24h\"")?;
    let limit = Limit::new(name, value.type_of()).map_err(|error| error.to_string())?;
    Ok((limit, value))
}

/// How many characters a text that is a limit has at most.
const MOST_LETTERS: usize = 200;

fn expected(attribute: &Attribute) -> String {
    let Attribute { name, r#type, .. } = attribute;
    let example = match r#type {
        Type::Bool => "true or false",
        Type::Number => "4.5, with at most 6 decimals",
        Type::Text => "\"a text\"",
        Type::Time => "\"2026-01-31T09:30:00Z\"",
        Type::Duration => "\"24h\"",
        Type::Money => "\"19.99 EUR\"",
        Type::Address => "\"10.0.0.1\"",
        Type::Set => "[\"a\", \"b\"]",
    };
    format!("{name} is a {type}: write it like {example}")
}

/// A value of this type; `None` where it is of another, or none.
fn read(of: Type, json: &Json) -> Option<Value> {
    Some(match of {
        Type::Bool => Value::Bool(json.as_bool()?),
        Type::Number => match json {
            Json::Number(number) => Value::Number(parse_signed(&number.to_string(), 6)?),
            _ => Value::Number(parse_signed(json.as_str()?, 6)?),
        },
        Type::Text => Value::text(json.as_str()?),
        Type::Time => Value::Time(json.as_str()?.parse().ok()?),
        Type::Duration => Value::Duration(duration(json.as_str()?)?),
        Type::Money => Value::Money(money(json.as_str()?)?),
        Type::Address => Value::address(json.as_str()?.parse().ok()?),
        Type::Set => {
            let list = json.as_array().filter(|list| list.len() <= MOST_MEMBERS)?;
            Value::set(list.iter().map(Json::as_str).collect::<Option<Vec<_>>>()?)
        }
    })
}

fn duration(text: &str) -> Option<i64> {
    let (count, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let (micros, _) = UNITS.iter().find(|(_, name)| *name == unit)?;
    parse_signed(count, 0)?.checked_mul(*micros)
}

fn money(text: &str) -> Option<Money> {
    let (amount, currency) = text.split_once(' ')?;
    let currency = Currency::parse(currency)?;
    Some(Money { minor: parse_signed(amount, currency.decimals())?, currency })
}

fn write(value: &Value) -> Json {
    match value {
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(millionths) if millionths % ONE == 0 => Json::from(millionths / ONE),
        Value::Number(millionths) => {
            let text = value.to_string();
            // Above it not every reader of JSON finds the same number again.
            let is_exact = millionths.unsigned_abs() < 1 << f64::MANTISSA_DIGITS;
            let number = text.parse().ok().filter(|_| is_exact).and_then(serde_json::Number::from_f64);
            let number = number.filter(|number| parse_signed(&number.to_string(), 6) == Some(*millionths));
            number.map_or(Json::String(text), Json::Number)
        }
        Value::Text(text) => Json::from(&**text),
        Value::Set(texts) => texts.iter().map(|text| Json::from(&**text)).collect(),
        Value::Time(_) | Value::Duration(_) | Value::Money(_) | Value::Address(_) => Json::String(value.to_string()),
    }
}

#[cfg(test)]
mod tests;
