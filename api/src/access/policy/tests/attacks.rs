//! What somebody might try against the policies of a tenant.

use super::*;

const READ: (&str, &str) = ("booking", "read");

fn decided(set: &PolicySet, values: &[(&str, Value)]) -> &'static str {
    match set.decide("booking", "read", &facts(values)) {
        Verdict::Denied(_) => "denied",
        Verdict::Allowed(_) => "allowed",
        Verdict::Silent => "silent",
    }
}

fn alone(effect: &str, conditions: &Json) -> PolicySet {
    PolicySet::new(vec![rule("p", effect, READ, 0, conditions)])
}

#[test]
fn what_is_not_there_never_allows_and_always_forbids() {
    for (attribute, condition) in [
        ("user.id", json!("ada")),
        ("user.id", json!("!= 'ada'")),
        ("user.id", json!(["ada", "bob"])),
        ("user.id", json!("in ['ada', 'bob']")),
        ("user.id", json!("starts_with 'a'")),
        ("user.id", json!("ends_with ''")),
        ("user.id", json!("contains ''")),
        ("user.id", json!("one_of(user.teams)")),
        ("user.id", json!("== booking.owner")),
        ("user.role", json!("Agent")),
        ("user.role", json!("!= 'Agent'")),
        ("user.role", json!("contains 'Agent'")),
        ("user.role", json!("one_of(user.teams)")),
        ("booking.guests", json!(1)),
        ("booking.guests", json!("!= 1")),
        ("booking.guests", json!("< 1")),
        ("booking.guests", json!("<= 1")),
        ("booking.guests", json!("> 1")),
        ("booking.guests", json!(">= 1")),
        ("booking.guests", json!("between 0 and 9")),
        ("booking.guests", json!("== booking.guests")),
        ("booking.guests", json!("== booking.guests * 0")),
        ("booking.amount", json!("<= 1 EUR")),
        ("booking.scheduled_time", json!("> now() - 1h")),
        ("booking.scheduled_time", json!("between 00:00 and 24:00 UTC")),
        ("env.ip", json!("in 0.0.0.0/0")),
        ("env.ip", json!("10.0.0.1")),
        ("env.device_trusted", json!(false)),
        ("env.device_trusted", json!("!= true")),
    ] {
        let mut forms = vec![condition.clone()];
        if let Some(text) = condition.as_str() {
            forms.extend(parse_expression(text).is_ok().then(|| json!(format!("not({text})"))));
        }
        for form in forms {
            let conditions = json!([{attribute: form}]);
            assert_eq!(decided(&alone("allow", &conditions), &[]), "silent", "{conditions}");
            assert_eq!(decided(&alone("deny", &conditions), &[]), "denied", "{conditions}");
        }
    }
    // Only this asks whether it is there.
    assert_eq!(decided(&alone("deny", &json!([{"user.id": "exists"}])), &[]), "silent");
    assert_eq!(decided(&alone("allow", &json!([{"user.id": "not(exists)"}])), &[]), "allowed");
}

#[test]
fn what_looks_alike_is_not_the_same() {
    let agents = alone("allow", &json!([{"user.role": "Agent"}]));
    for look_alike in [
        "agent",
        "AGENT",
        "Agent ",
        " Agent",
        "Agent\0",
        "A\u{0261}ent",
        "\u{0391}gent",
        "\u{ff21}gent",
        "Agent\u{200b}",
        "Agen\u{0442}",
    ] {
        assert_eq!(decided(&agents, &[("user.role", Value::set([look_alike]))]), "silent", "{look_alike:?}");
    }
    // Composed and decomposed letters are two texts, and a policy can name both.
    let cafe = alone("allow", &json!([{"booking.owner": "caf\u{e9}"}]));
    assert_eq!(decided(&cafe, &[("booking.owner", Value::text("cafe\u{301}"))]), "silent");
    // Numbers are numbers however they are written, and never texts.
    for one in [json!(4.5), json!("== 4.50"), json!("== 9 / 2"), json!("in [4.500000]")] {
        let set = alone("allow", &json!([{"booking.guests": one}]));
        assert_eq!(decided(&set, &[("booking.guests", Value::Number(4_500_000))]), "allowed", "{one}");
        assert_eq!(decided(&set, &[("booking.guests", Value::text("4.5"))]), "silent", "{one}");
    }
    let zero = alone("allow", &json!([{"booking.guests": -0.0}]));
    assert_eq!(decided(&zero, &[("booking.guests", Value::Number(0))]), "allowed");
    for digits in ["== \u{0664}", "== \u{ff14}", "== 0x4", "== 4e0", "== +4", "== 4_0", "== NaN", "== inf"] {
        assert!(parse_expression(digits).is_err(), "{digits}");
    }
}

#[test]
fn a_calculation_without_a_value_never_allows_and_always_forbids() {
    let euro = |minor| Value::Money(Money { minor, currency: Currency::parse("EUR").unwrap() });
    let guests = |millionths| ("booking.guests", Value::Number(millionths));
    for (conditions, values) in [
        (json!([{"booking.guests": "< 1 / booking.guests"}]), vec![guests(0)]),
        (json!([{"booking.guests": "> booking.guests + 9000000000000"}]), vec![guests(i64::MAX)]),
        (json!([{"booking.guests": "> booking.guests * booking.guests"}]), vec![guests(i64::MIN)]),
        (json!([{"booking.amount": "< 5 USD"}]), vec![("booking.amount", euro(1))]),
        (json!([{"booking.amount": "< booking.amount + 5 USD"}]), vec![("booking.amount", euro(1))]),
        (
            json!([{"booking.scheduled_time": "< booking.scheduled_time - 3000000w"}]),
            vec![("booking.scheduled_time", in_hours(1))],
        ),
        (json!([{"booking.scheduled_time": "< now() + 10000000d"}]), vec![("booking.scheduled_time", in_hours(1))]),
        // The other condition holds, and does not help.
        (
            json!([{"booking.guests": "< 1 / (booking.guests - booking.guests)", "booking.owner": "exists"}]),
            vec![guests(1), ("booking.owner", Value::text("ada"))],
        ),
    ] {
        assert_eq!(decided(&alone("allow", &conditions), &values), "silent", "{conditions}");
        assert_eq!(decided(&alone("deny", &conditions), &values), "denied", "{conditions}");
    }
}

#[test]
fn no_priority_and_no_target_makes_an_allow_beat_a_deny() {
    let deny = |target| rule("0", "deny", target, -1_000_000, &json!([{"user.id": "ada"}]));
    for denied in [("*", "*"), ("booking", "*"), READ] {
        for allowed in [("*", "*"), ("booking", "*"), READ] {
            let loud = (0..20).map(|at| rule(&format!("allow {at}"), "allow", allowed, 1_000_000, &json!([])));
            let set = PolicySet::new(loud.chain([deny(denied)]).collect());
            assert_eq!(decided(&set, &[("user.id", Value::text("ada"))]), "denied", "{denied:?} and {allowed:?}");
            assert_eq!(decided(&set, &[]), "denied", "who asks is not known");
            assert_eq!(decided(&set, &[("user.id", Value::text("bob"))]), "allowed");
        }
    }
}

#[test]
fn clocks_that_are_changed_open_no_door() {
    let holds = |zone: &str, from: &str, to: &str, at: &str| {
        let set = alone("allow", &json!([{"booking.scheduled_time": format!("between {from} and {to} {zone}")}]));
        decided(&set, &[("booking.scheduled_time", Value::Time(at.parse().unwrap()))]) == "allowed"
    };
    // The hour that does not happen in spring: nothing is within it, and nothing is lost around it.
    for (at, within) in [
        ("2026-03-29T00:59:59.999999Z", [true, false, false]),
        ("2026-03-29T01:00:00Z", [false, false, true]),
        ("2026-03-29T01:59:59Z", [false, false, true]),
        ("2026-03-29T02:00:00Z", [false, false, false]),
    ] {
        let found = [("01:00", "02:00"), ("02:00", "03:00"), ("03:00", "04:00")]
            .map(|(from, to)| holds("Europe/Berlin", from, to, at));
        assert_eq!(found, within, "{at}");
    }
    // The hour that happens twice in autumn is within both times.
    for (at, within) in [
        ("2026-10-24T23:59:59Z", false),
        ("2026-10-25T00:00:00Z", true),
        ("2026-10-25T00:59:59.999999Z", true),
        ("2026-10-25T01:00:00Z", true),
        ("2026-10-25T01:59:59Z", true),
        ("2026-10-25T02:00:00Z", false),
    ] {
        assert_eq!(holds("Europe/Berlin", "02:00", "03:00", at), within, "{at}");
    }
    // Half an hour on Lord Howe Island, and a whole day that Samoa left out.
    assert!(!holds("Australia/Lord_Howe", "02:00", "02:30", "2026-10-03T15:30:00Z"));
    assert!(holds("Australia/Lord_Howe", "02:30", "03:00", "2026-10-03T15:30:00Z"));
    assert!(holds("Pacific/Apia", "23:59", "24:00", "2011-12-30T09:59:59Z"));
    assert!(holds("Pacific/Apia", "00:00", "00:01", "2011-12-30T10:00:00Z"));
    // From a time to the same is the whole day.
    assert!(holds("UTC", "09:00", "09:00", "2026-01-31T03:00:00Z"));
}

#[test]
fn what_is_too_much_is_refused() {
    let parse = |conditions: &Json| {
        let json = json!({"name": "p", "target": {"resource": "booking", "action": "read"},
            "rules": {"effect": "allow", "conditions": conditions}});
        Policy::parse(&catalogue(), json).map_err(|errors| errors[0].code.to_string())
    };
    let one = json!({"booking.guests": 1});
    assert!(parse(&json!(vec![&one; 50])).is_ok());
    assert_eq!(parse(&json!(vec![&one; 51])).unwrap_err(), "limit");
    assert!(parse(&json!([{"booking.guests": vec![1; 200]}])).is_ok());
    assert_eq!(parse(&json!([{"booking.guests": vec![1; 201]}])).unwrap_err(), "limit");
    let many: serde_json::Map<_, _> = (0..51).map(|at| (format!("a{at}"), json!(1))).collect();
    assert_eq!(parse(&json!([many])).unwrap_err(), "limit");
    assert!(parse(&json!([{"booking.owner": "x".repeat(1_000)}])).is_ok());
    assert_eq!(parse(&json!([{"booking.owner": "x".repeat(1_001)}])).unwrap_err(), "limit");
    assert_eq!(parse(&json!([{"booking.guests": format!("== 1{}", " + 1".repeat(300))}])).unwrap_err(), "syntax");
    assert_eq!(parse(&json!([{"x".repeat(1_000_000): 1}])).unwrap_err(), "unknown_attribute");
    let nested =
        |depth: usize| json!([{"booking.guests": format!("{}exists{}", "not(".repeat(depth), ")".repeat(depth))}]);
    assert!(parse(&nested(16)).is_ok());
    assert_eq!(parse(&nested(17)).unwrap_err(), "syntax");
    assert_eq!(parse(&json!([{"booking.guests": [[1]]}])).unwrap_err(), "type");
    // The largest policy there can be is still decided on.
    let list = vec!["not(between 1 and booking.guests * booking.guests)"; 200];
    let largest = parse(&json!(vec![json!({"booking.guests": list}); 50])).unwrap();
    assert_eq!(decided(&PolicySet::new(vec![largest]), &[("booking.guests", Value::Number(2_000_000))]), "silent");
}
