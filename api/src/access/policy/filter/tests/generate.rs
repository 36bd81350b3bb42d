//! Policies and callers of every form.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::{CURRENCIES, NOW, TEXTS, TIMES, or_null, types};
use crate::access::policy::{Facts, Schema, Type, Value};

pub fn one_of<T: Clone + std::fmt::Debug + 'static>(of: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(of)
}

/// Attributes that conditions are about, with their types: the resource's own more often than the caller's.
fn attributes(of: Type) -> Vec<&'static str> {
    let own = types().into_iter().filter(|(_, own)| *own == of).map(|(name, _)| name);
    let of_caller: &[&str] = match of {
        Type::Text => &["user.id", "client.id", "tenant.slug"],
        Type::Set => &["user.role", "user.teams"],
        Type::Time => &["env.time", "env.auth_time"],
        _ => &[],
    };
    own.chain(of_caller.iter().copied()).collect()
}

fn literal(of: Type) -> BoxedStrategy<String> {
    match of {
        Type::Text | Type::Set => one_of(TEXTS).prop_map(|text| Value::text(text).to_string()).boxed(),
        Type::Number => one_of(&["0", "1", "2", "2.5", "-1", "3", "0.000001", "9223372036854.775807", "9223372036854"])
            .prop_map(str::to_owned)
            .boxed(),
        Type::Duration => one_of(&["0s", "1us", "1s", "90s", "24h", "-1h", "1500ms", "106751991d", "2932896d"])
            .prop_map(str::to_owned)
            .boxed(),
        Type::Money => (one_of(&["0", "1", "-1", "100", "92233720368547758"]), one_of(CURRENCIES))
            .prop_map(|(amount, currency)| format!("{amount} {currency}"))
            .boxed(),
        Type::Time => prop_oneof![Just("now()".to_owned()), one_of(TIMES).prop_map(str::to_owned)].boxed(),
        Type::Bool | Type::Address => one_of(&["true", "false"]).prop_map(str::to_owned).boxed(),
    }
}

fn operand(of: Type) -> BoxedStrategy<String> {
    // A set is asked about texts.
    let of = if of == Type::Set { Type::Text } else { of };
    let names = attributes(of);
    let plain = if names.is_empty() {
        literal(of)
    } else {
        prop_oneof![literal(of), prop::sample::select(names).prop_map(str::to_owned)].boxed()
    };
    let sum = |other: Type| (plain.clone(), one_of(&["+", "-"]), operand_without_sum(other));
    match of {
        Type::Number | Type::Duration | Type::Money => prop_oneof![
            3 => plain.clone(),
            2 => sum(of).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
            1 => (sum(of), operand_without_sum(of)).prop_map(|((left, sign, right), third)| format!("{third} - ({left} {sign} {right})")),
            1 => (plain.clone(), one_of(&["*", "/"]), literal(Type::Number)).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
        ]
        .boxed(),
        Type::Time => prop_oneof![
            3 => plain.clone(),
            3 => sum(Type::Duration).prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
            1 => (operand_without_sum(Type::Time), sum(Type::Time)).prop_map(|(first, (left, _, right))| format!("{first} + ({left} - {right})")),
        ]
        .boxed(),
        _ => plain,
    }
}

fn operand_without_sum(of: Type) -> BoxedStrategy<String> {
    let names = attributes(of);
    if names.is_empty() {
        return literal(of);
    }
    prop_oneof![2 => literal(of), 1 => prop::sample::select(names).prop_map(str::to_owned)].boxed()
}

fn condition() -> impl Strategy<Value = (String, Json)> {
    let of = prop::sample::select(vec![
        Type::Text,
        Type::Text,
        Type::Set,
        Type::Number,
        Type::Duration,
        Type::Money,
        Type::Time,
        Type::Time,
        Type::Bool,
    ]);
    of.prop_flat_map(|of| {
        let name = prop::sample::select(attributes(of)).prop_map(str::to_owned);
        let ordered = (one_of(&["==", "!=", "<", "<=", ">", ">="]), operand(of))
            .prop_map(|(sign, operand)| format!("{sign} {operand}"));
        let equal = (one_of(&["==", "!="]), operand(of)).prop_map(|(sign, operand)| format!("{sign} {operand}"));
        let list = prop::collection::vec(operand(of), 1..4).prop_map(|list| format!("in [{}]", list.join(", ")));
        let between = (operand(of), operand(of)).prop_map(|(from, to)| format!("between {from} and {to}"));
        let part = (one_of(&["starts_with", "ends_with", "contains"]), operand(of))
            .prop_map(|(part, of)| format!("{part} {of}"));
        let member = one_of(&["one_of(user.teams)", "one_of(user.role)", "one_of(thing.tags)"]).prop_map(str::to_owned);
        let day =
            one_of(&["between 02:00 and 03:00 Europe/Berlin", "between 22:00 and 06:00 UTC"]).prop_map(str::to_owned);
        let exists = Just("exists".to_owned());
        let predicate = match of {
            Type::Text => prop_oneof![3 => equal, 2 => list, 2 => part, 2 => member, 1 => exists].boxed(),
            Type::Set => prop_oneof![3 => equal, 1 => list, 1 => part, 2 => member, 1 => exists].boxed(),
            Type::Time => prop_oneof![5 => ordered, 1 => list, 2 => between, 1 => day, 1 => exists].boxed(),
            Type::Bool => prop_oneof![3 => equal, 1 => exists].boxed(),
            _ => prop_oneof![4 => ordered, 1 => list, 2 => between, 1 => exists].boxed(),
        };
        let negated = (predicate, any::<bool>()).prop_map(|(predicate, negate)| {
            if negate && !predicate.ends_with("UTC") && !predicate.ends_with("Berlin") {
                format!("not({predicate})")
            } else {
                predicate
            }
        });
        let lists = prop::collection::vec(negated, 1..3);
        (name, lists).prop_map(|(name, mut list)| {
            let json = if list.len() == 1 { json!(list.remove(0)) } else { json!(list) };
            (name, json)
        })
    })
}

pub fn a_policy() -> impl Strategy<Value = Json> {
    let alternative =
        prop::collection::vec(condition(), 1..3).prop_map(|list| Json::Object(list.into_iter().collect()));
    let target = prop_oneof![4 => Just(("thing", "read")), 1 => Just(("thing", "*"))];
    (
        one_of(&["allow", "allow", "deny"]),
        prop_oneof![1 => Just(Vec::new()), 15 => prop::collection::vec(alternative, 1..4)],
        target,
    )
        .prop_map(|(effect, conditions, (resource, action))| {
            json!({"name": "p", "target": {"resource": resource, "action": action},
                "rules": {"effect": effect, "conditions": conditions}})
        })
}

/// Who asks, and from where; some of it is not known.
pub fn a_caller(schema: &Schema) -> impl Strategy<Value = Facts> + use<> {
    let slot = |name: &str| schema.slot(name).unwrap();
    let slots = ["user.id", "client.id", "user.role", "user.teams", "env.time", "env.auth_time"].map(slot);
    let text = || or_null(one_of(TEXTS).prop_map(Value::text));
    let set = || or_null(prop::collection::vec(one_of(TEXTS), 0..4).prop_map(Value::set));
    let time = || or_null(one_of(TIMES).prop_map(|text| Value::Time(text.parse().unwrap())));
    (text(), text(), set(), set(), time(), time()).prop_map(move |values| {
        let mut facts = Facts::at(NOW.parse().unwrap());
        let values = [values.0, values.1, values.2, values.3, values.4, values.5];
        for (slot, value) in slots.into_iter().zip(values) {
            if let Some(value) = value {
                facts.set(slot, value);
            }
        }
        facts
    })
}
