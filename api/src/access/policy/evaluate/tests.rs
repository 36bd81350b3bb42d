//! Every operator, every zone, every limit.

use super::*;
use crate::access::policy::compile::compile;
use crate::access::policy::schema::{Attribute, Schema};
use crate::access::policy::value::{Currency, Type};
use serde_json::json;

fn schema() -> Schema {
    Schema::with([
        Attribute::new("booking.scheduled_time", Type::Time, ""),
        Attribute::new("booking.amount", Type::Money, ""),
        Attribute::new("booking.guests", Type::Number, ""),
        Attribute::new("booking.city", Type::Text, ""),
        Attribute::new("booking.is_paid", Type::Bool, ""),
        Attribute::new("booking.length", Type::Duration, ""),
        Attribute::new("tenant.limit", Type::Money, ""),
    ])
}

fn facts(schema: &Schema, values: &[(&str, Value)]) -> Facts {
    let mut facts = Facts::at("2026-03-29T00:30:00Z".parse().unwrap());
    for (name, value) in values {
        facts.set(schema.slot(name).unwrap(), value.clone());
    }
    facts
}

fn money(minor: i64, currency: &str) -> Value {
    Value::Money(Money { minor, currency: Currency::parse(currency).unwrap() })
}

fn time(text: &str) -> Value {
    Value::Time(text.parse().unwrap())
}

#[test]
fn every_operator_is_true_false_or_unknown() {
    use Truth::{False, True, Unknown};
    let schema = schema();
    let day = 86_400_000_000;
    for (name, condition, value, expected) in [
        ("user.role", json!("Premium"), Value::set(["Premium", "Member"]), True),
        ("user.role", json!("premium"), Value::set(["Premium"]), False),
        ("user.role", json!("!= 'Premium'"), Value::set(["Premium"]), False),
        ("user.role", json!(["A", "B"]), Value::set(["B"]), True),
        ("user.role", json!("in ['A', 'B']"), Value::set(["C"]), False),
        ("user.role", json!("contains 'A'"), Value::set(["A"]), True),
        ("user.role", json!("A"), Value::set::<&str>([]), False),
        ("booking.guests", json!("> 2.5"), Value::Number(2_500_001), True),
        ("booking.guests", json!("between 1 and 3"), Value::Number(3_000_000), True),
        ("booking.guests", json!("between 1 and 3"), Value::Number(3_000_001), False),
        ("booking.guests", json!("== 1 / 3 * 3"), Value::Number(999_999), True),
        ("booking.guests", json!(4), Value::Number(4_000_000), True),
        ("booking.guests", json!("not(in [1, 2])"), Value::Number(3_000_000), True),
        ("booking.amount", json!("<= 100 INR"), money(10_000, "INR"), True),
        ("booking.amount", json!("<= 100 INR"), money(10_000, "EUR"), Unknown),
        ("booking.amount", json!("100.00 INR"), money(10_000, "INR"), True),
        ("booking.amount", json!("== 100 INR"), money(10_000, "EUR"), False),
        ("booking.amount", json!("<= tenant.limit"), money(1, "INR"), Unknown),
        ("booking.city", json!("starts_with 'Mum'"), Value::text("Mumbai"), True),
        ("booking.city", json!("ends_with 'bai'"), Value::text("Mumbai"), True),
        ("booking.city", json!("contains 'umb'"), Value::text("mumBai"), False),
        // Cyrillic letters that look like Latin ones are others.
        ("booking.city", json!("Mumbai"), Value::text("Mumb\u{430}i"), False),
        ("booking.is_paid", json!(true), Value::Bool(true), True),
        ("booking.is_paid", json!("!= true"), Value::Bool(false), True),
        ("booking.length", json!("> 1d - 1h"), Value::Duration(day), True),
        ("env.ip", json!("in 10.0.0.0/8"), Value::address("::ffff:10.1.2.3".parse().unwrap()), True),
        ("env.ip", json!("in 10.0.0.0/8"), Value::address("11.0.0.1".parse().unwrap()), False),
        ("env.ip", json!("not(in 10.0.0.0/8)"), Value::address("11.0.0.1".parse().unwrap()), True),
        ("env.ip", json!("not(in 10.0.0.0/8)"), Value::address("10.0.0.1".parse().unwrap()), False),
        ("env.ip", json!("10.0.0.1"), Value::address("10.0.0.1".parse().unwrap()), True),
        ("booking.scheduled_time", json!("> now() + 24h"), time("2026-03-30T00:30:00.000001Z"), True),
        ("booking.scheduled_time", json!("> now() + 24h"), time("2026-03-30T00:30:00Z"), False),
        ("booking.scheduled_time", json!("2026-03-30"), time("2026-03-30T00:00:00Z"), True),
    ] {
        let test = compile(&schema, name, &condition).unwrap_or_else(|error| panic!("{name} {condition}: {error}"));
        assert_eq!(test.holds(&facts(&schema, &[(name, value.clone())])), expected, "{name} {condition} {value}");
        assert_eq!(test.holds(&facts(&schema, &[])), Unknown, "{name} {condition} of nothing");
    }
    let exists = compile(&schema, "booking.city", &json!("exists")).unwrap();
    assert_eq!(exists.holds(&facts(&schema, &[])), False);
    let absent = compile(&schema, "booking.city", &json!("not(exists)")).unwrap();
    assert_eq!(absent.holds(&facts(&schema, &[])), True);
    let team = compile(&schema, "booking.city", &json!("one_of(user.teams)")).unwrap();
    let both = [("booking.city", Value::text("Pune")), ("user.teams", Value::set(["Pune"]))];
    assert_eq!(team.holds(&facts(&schema, &both)), True);
    assert_eq!(team.holds(&facts(&schema, &both[..1])), Unknown);
}

#[test]
fn times_of_day_follow_the_zone_over_its_changes() {
    let schema = schema();
    let holds = |expression: &str, at: &str| {
        let test = compile(&schema, "env.time", &json!(expression)).unwrap();
        test.holds(&facts(&schema, &[("env.time", time(at))]))
    };
    let office = "between 09:00 and 18:00 Asia/Kolkata";
    assert_eq!(holds(office, "2026-01-31T03:29:59Z"), Truth::False);
    assert_eq!(holds(office, "2026-01-31T03:30:00Z"), Truth::True);
    assert_eq!(holds(office, "2026-01-31T12:30:00Z"), Truth::False);
    // Berlin goes from 02:00 to 03:00 at 01:00 UTC: the hour between does not happen.
    let night = "between 02:00 and 03:00 Europe/Berlin";
    for at in ["2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"] {
        assert_eq!(holds(night, at), Truth::False, "{at}");
    }
    // In autumn it happens twice.
    for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
        assert_eq!(holds(night, at), Truth::True, "{at}");
    }
    let over_midnight = "between 22:00 and 06:00 UTC";
    for (at, expected) in [("2026-01-31T23:00:00Z", Truth::True), ("2026-01-31T06:00:00Z", Truth::False)] {
        assert_eq!(holds(over_midnight, at), expected, "{at}");
    }
    assert_eq!(holds("between 00:00 and 24:00 UTC", "2026-01-31T23:59:59Z"), Truth::True);
}

#[test]
fn calculations_are_exact_or_have_no_value() {
    let number = |millionths| Value::Number(millionths);
    for (arithmetic, left, right, expected) in [
        (Arithmetic::Add, number(i64::MAX), number(1), None),
        (Arithmetic::Divide, number(ONE), number(0), None),
        (Arithmetic::Divide, number(ONE), number(3 * ONE), Some(number(333_333))),
        (Arithmetic::Divide, number(-ONE), number(3 * ONE), Some(number(-333_333))),
        (Arithmetic::Divide, number(2 * ONE), number(3 * ONE), Some(number(666_667))),
        // Halves to the even one.
        (Arithmetic::Multiply, number(1), number(ONE / 2), Some(number(0))),
        (Arithmetic::Multiply, number(3), number(ONE / 2), Some(number(2))),
        (Arithmetic::Multiply, number(-1), number(ONE / 2), Some(number(0))),
        (Arithmetic::Multiply, money(999, "EUR"), number(ONE / 2), Some(money(500, "EUR"))),
        (Arithmetic::Multiply, number(2 * ONE), money(5, "EUR"), Some(money(10, "EUR"))),
        (Arithmetic::Add, money(1, "EUR"), money(1, "USD"), None),
        (Arithmetic::Subtract, time("1970-01-01T00:00:00Z"), Value::Duration(1), None),
        (Arithmetic::Add, Value::Duration(1_000_000), time("1970-01-01T00:00:00Z"), Some(time("1970-01-01T00:00:01Z"))),
        (
            Arithmetic::Subtract,
            time("1970-01-01T00:00:00Z"),
            time("1970-01-01T00:00:01Z"),
            Some(Value::Duration(-1_000_000)),
        ),
    ] {
        assert_eq!(calculate(arithmetic, &left, &right), expected, "{left} {arithmetic} {right}");
    }
}

#[test]
fn what_has_no_meaning_is_refused_when_it_is_compiled() {
    let schema = schema();
    for (name, condition, code, part) in [
        ("booking.schedule_time", json!("exists"), "unknown_attribute", "booking.scheduled_time"),
        ("booking.guests", json!("> now()"), "type", "number"),
        ("booking.guests", json!("4"), "type", "without quotes"),
        ("booking.guests", json!(1e300), "range", "decimals"),
        ("booking.guests", json!("== 1 / 0"), "range", "no value"),
        ("booking.guests", json!("> guests"), "syntax", "quotes"),
        ("booking.guests", json!("> booking.gests"), "unknown_attribute", "booking.guests"),
        ("booking.city", json!("> 'A'"), "type", "cannot be asked"),
        ("booking.city", json!("in 10.0.0.0/8"), "type", "network"),
        ("booking.city", json!("one_of(env.ip)"), "type", "no set"),
        ("booking.city", json!({}), "type", "must be"),
        ("booking.city", json!(null), "type", "must be"),
        ("booking.city", json!([]), "limit", "1 to"),
        ("booking.city", json!([["x"]]), "type", "must be"),
        ("user.role", json!("== user.teams"), "type", "one_of"),
        ("booking.amount", json!("10"), "type", "19.99 EUR"),
        ("booking.amount", json!("> now() + now()"), "type", "no meaning"),
        ("booking.scheduled_time", json!("tomorrow"), "type", "2026-01-31"),
        ("booking.guests", json!("between 09:00 and 10:00 UTC"), "type", "time of day"),
    ] {
        let error = compile(&schema, name, &condition).unwrap_err();
        assert!(error.code == code && error.detail.contains(part), "{name} {condition}: {error:?}");
    }
}
