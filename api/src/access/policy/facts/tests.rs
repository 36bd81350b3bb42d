//! What is written is read as the same, and what is not a value is refused by its name.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const TYPES: [Type; 8] =
    [Type::Bool, Type::Number, Type::Text, Type::Time, Type::Duration, Type::Money, Type::Address, Type::Set];

fn schema() -> Schema {
    Schema::with(TYPES.map(|of| Attribute::new(&format!("thing.{of}"), of, "")))
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Number),
        Just(Value::Number(i64::MIN)),
        Just(Value::Number(-10_529_956_895_356_901)),
        (-10_000_000..10_000_000_i64).prop_map(Value::Number),
        ".{0,8}".prop_map(|text| Value::text(&text)),
        (0..253_402_300_799_000_000_i64).prop_map(|micros| Value::Time(UtcTime::from_unix_micros(micros).unwrap())),
        any::<i64>().prop_map(Value::Duration),
        Just(Value::Duration(i64::MIN)),
        (any::<i64>(), prop::sample::select(vec!["EUR", "JPY", "KWD", "CLF"])).prop_map(|(minor, currency)| {
            Value::Money(Money { minor, currency: Currency::parse(currency).unwrap() })
        }),
        any::<std::net::IpAddr>().prop_map(Value::address),
        prop::collection::vec(".{0,4}", 0..4).prop_map(Value::set),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_the_same(values in prop::collection::vec(any_value(), 0..10)) {
        let schema = schema();
        let now = "2026-01-31T12:00:00Z".parse().unwrap();
        let mut facts = Facts::at(now);
        for value in values {
            facts.set(schema.slot(&format!("thing.{}", value.type_of())).unwrap(), value);
        }
        let text = facts.to_json_text(&schema);
        let read = Facts::from_json(&schema, now, serde_json::from_str(&text).unwrap(), "").unwrap();
        for attribute in schema.attributes() {
            let slot = schema.slot(&attribute.name).unwrap();
            prop_assert_eq!(read.get(slot), facts.get(slot), "{}", text);
        }
    }
}

#[test]
fn what_is_no_value_is_refused_by_its_name() {
    let schema = schema();
    let read = |json| Facts::from_json(&schema, "2026-01-31T12:00:00Z".parse().unwrap(), json, "/context");
    for (name, value) in [
        ("thing.bool", json!("true")),
        ("thing.bool", json!(1)),
        ("thing.number", json!(1e300)),
        ("thing.number", json!(0.000_000_1)),
        ("thing.number", json!("+1")),
        ("thing.number", json!("\u{663}")),
        ("thing.number", json!(true)),
        ("thing.text", json!(5)),
        ("thing.text", json!(["a"])),
        ("thing.time", json!("2026-02-30T00:00:00Z")),
        ("thing.time", json!("1969-12-31T23:59:59Z")),
        ("thing.time", json!(1_700_000_000)),
        ("thing.duration", json!("24")),
        ("thing.duration", json!("1.5h")),
        ("thing.duration", json!("h")),
        ("thing.duration", json!("999999999999w")),
        ("thing.money", json!("19.999 EUR")),
        ("thing.money", json!("19.99")),
        ("thing.money", json!("19.99 eur")),
        ("thing.address", json!("10.0.0.256")),
        ("thing.set", json!("a")),
        ("thing.set", json!([1])),
        ("thing.set", json!(vec!["a"; MOST_MEMBERS + 1])),
    ] {
        let errors = read(json!({name: value})).unwrap_err();
        let [error] = &errors[..] else { panic!("{name}: {errors:?}") };
        assert!(error.pointer == format!("/context/{name}") && error.code == "type", "{name}: {error:?}");
        assert!(error.detail.contains(name), "{error:?}");
    }
    let errors = read(json!({"thing.txt": "a", "a/b": 1})).unwrap_err();
    let mut found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
    found.sort_unstable();
    assert_eq!(found, [("/context/a~1b", "unknown_attribute"), ("/context/thing.txt", "unknown_attribute")]);
    assert!(errors.iter().any(|error| error.detail.contains("did you mean thing.text?")));
    assert!(read(json!({"thing.text": null})).unwrap().get(schema.slot("thing.text").unwrap()).is_none());
    assert!(read(json!([])).is_err());
}
