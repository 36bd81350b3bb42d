//! Policies as tenants write them.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tenantry_types::UtcTime;

use super::*;

mod arbitrary;
mod attacks;

const NOW: &str = "2026-01-31T12:00:00Z";

fn catalogue() -> Catalogue {
    let booking = Resource {
        schema: Schema::with([
            Attribute::new("booking.scheduled_time", Type::Time, "when it begins"),
            Attribute::new("booking.amount", Type::Money, "what it costs"),
            Attribute::new("booking.owner", Type::Text, "whose it is"),
            Attribute::new("booking.guests", Type::Number, "how many come"),
        ]),
        actions: ["read", "cancel", "refund"].map(Arc::from).to_vec(),
    };
    Catalogue::new([("booking".into(), booking)])
}

fn policy(json: Json) -> Policy {
    Policy::parse(&catalogue(), json).unwrap_or_else(|errors| panic!("{errors:?}"))
}

/// The policy of the plan.
fn premium() -> Json {
    json!({
        "name": "PremiumCustomerBookingPolicy",
        "description": "Allows premium customers to cancel bookings up to 24 hours before",
        "target": {"resource": "booking", "action": "cancel"},
        "rules": {
            "effect": "allow",
            "conditions": [{"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}]
        }
    })
}

fn facts(values: &[(&str, Value)]) -> Facts {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("booking")).unwrap();
    let mut facts = Facts::at(NOW.parse().unwrap());
    for (name, value) in values {
        facts.set(schema.slot(name).unwrap(), value.clone());
    }
    facts
}

fn in_hours(hours: u64) -> Value {
    let now: UtcTime = NOW.parse().unwrap();
    Value::Time(now + Duration::from_secs(hours * 3_600))
}

#[test]
fn premium_customers_may_cancel_up_to_a_day_before() {
    let set = PolicySet::new(vec![policy(premium())]);
    let booking =
        |role: &str, hours| facts(&[("user.role", Value::set([role])), ("booking.scheduled_time", in_hours(hours))]);
    let allowed = |facts: &Facts| matches!(set.decide("booking", "cancel", facts), Verdict::Allowed(_));
    assert!(allowed(&booking("PremiumCustomer", 25)));
    assert!(!allowed(&booking("PremiumCustomer", 24)));
    assert!(!allowed(&booking("PremiumCustomer", 23)));
    assert!(!allowed(&booking("premiumcustomer", 25)));
    assert!(!allowed(&facts(&[("user.role", Value::set(["PremiumCustomer"]))])), "when it begins is not known");
    assert!(matches!(set.decide("booking", "refund", &booking("PremiumCustomer", 25)), Verdict::Silent));
    assert!(matches!(set.decide("invoice", "cancel", &booking("PremiumCustomer", 25)), Verdict::Silent));

    let words = |hours| set.explain("booking", "cancel", &booking("PremiumCustomer", hours))[0].in_words();
    assert_eq!(
        words(25),
        "PremiumCustomerBookingPolicy decides: allow, because it holds that booking.scheduled_time > now() + 24h; \
         user.role PremiumCustomer"
    );
    assert_eq!(
        words(24),
        "PremiumCustomerBookingPolicy does not allow: it does not hold that booking.scheduled_time > now() + 24h"
    );
}

fn rule(name: &str, effect: &str, target: (&str, &str), priority: i64, conditions: &Json) -> Policy {
    policy(json!({
        "name": name, "priority": priority, "target": {"resource": target.0, "action": target.1},
        "rules": {"effect": effect, "conditions": conditions}
    }))
}

#[test]
fn deny_beats_allow_whatever_their_priorities() {
    let everything = ("*", "*");
    let set = PolicySet::new(vec![
        rule("loud allow", "allow", ("booking", "cancel"), 1_000_000, &json!([])),
        rule("quiet deny", "deny", everything, -1_000_000, &json!([{"env.ip": "in 10.0.0.0/8"}])),
    ]);
    let from = |address: &str| facts(&[("env.ip", Value::address(address.parse().unwrap()))]);
    assert!(matches!(set.decide("booking", "cancel", &from("192.0.2.1")), Verdict::Allowed(_)));
    let Verdict::Denied(by) = set.decide("booking", "cancel", &from("10.0.0.1")) else { panic!() };
    assert_eq!(&*by.name, "quiet deny");
    // Where the request came from is not known: the deny counts.
    let nowhere = facts(&[]);
    assert!(matches!(set.decide("booking", "cancel", &nowhere), Verdict::Denied(_)));
    assert!(set.explain("booking", "cancel", &nowhere)[1].in_words().contains("it cannot be said whether env.ip"));
    // And an allow whose conditions cannot be said does not.
    let set = PolicySet::new(vec![rule("inside", "allow", everything, 0, &json!([{"env.ip": "in 10.0.0.0/8"}]))]);
    assert!(matches!(set.decide("booking", "cancel", &nowhere), Verdict::Silent));
}

#[test]
fn what_is_outside_of_a_network_or_of_a_time_can_be_said() {
    let outside = json!([{"env.ip": "not(in 10.0.0.0/8)"}, {"env.ip": "not(not(not(in 2001:db8::/32)))"}]);
    let night = json!([{"booking.scheduled_time": "not(between 09:00 and 18:00 Asia/Kolkata)"}]);
    let set = PolicySet::new(vec![
        rule("everybody", "allow", ("booking", "*"), 0, &json!([])),
        rule("from outside", "deny", ("booking", "cancel"), 0, &json!([outside[0]])),
        rule("by day", "deny", ("booking", "refund"), 0, &night),
    ]);
    let ip = |address: &str| facts(&[("env.ip", Value::address(address.parse().unwrap()))]);
    let denied = |action: &str, facts: &Facts| matches!(set.decide("booking", action, facts), Verdict::Denied(_));
    for (address, is_outside) in
        [("10.255.0.1", false), ("::ffff:10.1.2.3", false), ("11.0.0.1", true), ("2001:db8::1", true)]
    {
        assert_eq!(denied("cancel", &ip(address)), is_outside, "{address}");
    }
    // It cannot be said where somebody is whose address is not known: the deny counts, and the same allow would not.
    assert!(denied("cancel", &facts(&[])));
    let silent = PolicySet::new(vec![rule("outside", "allow", ("booking", "read"), 0, &outside)]);
    assert!(matches!(silent.decide("booking", "read", &facts(&[])), Verdict::Silent));
    assert!(matches!(silent.decide("booking", "read", &ip("10.0.0.1")), Verdict::Allowed(_)), "it is not IPv6");
    let at = |time: &str| facts(&[("booking.scheduled_time", Value::Time(time.parse().unwrap()))]);
    assert!(!denied("refund", &at("2026-01-31T03:30:00Z")), "it is nine in Kolkata");
    assert!(denied("refund", &at("2026-01-31T12:30:00Z")), "it is six in the evening");
}

#[test]
fn the_highest_priority_is_named_among_equals() {
    let allow = |name: &str, target, priority| rule(name, "allow", target, priority, &json!([]));
    let set = PolicySet::new(vec![
        allow("b exact", ("booking", "cancel"), 1),
        allow("any action", ("booking", "*"), 3),
        allow("any resource", ("*", "cancel"), 5),
        allow("a exact", ("booking", "cancel"), 1),
    ]);
    let named = |resource, action| match set.decide(resource, action, &facts(&[])) {
        Verdict::Allowed(policy) => policy.name.to_string(),
        other => panic!("{other:?}"),
    };
    assert_eq!(named("booking", "cancel"), "any resource");
    assert_eq!(named("booking", "read"), "any action");
    assert_eq!(named("invoice", "cancel"), "any resource");
    let order: Vec<_> = set.explain("booking", "cancel", &facts(&[])).iter().map(|e| e.policy.name.clone()).collect();
    assert_eq!(
        order.iter().map(|name| &**name).collect::<Vec<_>>(),
        ["any resource", "any action", "a exact", "b exact"]
    );
}

#[test]
fn a_simulation_tells_what_would_change_and_why() {
    let read = ("booking", "read");
    let before = PolicySet::new(vec![
        rule("gone", "allow", read, 0, &json!([{"user.role": "Agent"}])),
        rule("stays", "deny", read, 0, &json!([{"user.role": "Guest"}])),
    ]);
    let after = PolicySet::new(vec![
        rule("stays", "deny", read, 0, &json!([{"user.role": "Guest"}])),
        rule("new deny", "deny", read, 0, &json!([{"booking.guests": "> 10"}])),
        rule("new allow", "allow", read, 0, &json!([{"user.role": "Manager"}])),
    ]);
    let of = |role: &str, guests: i64, base: bool| Recorded {
        may: true,
        resource: "booking".to_owned(),
        action: "read".to_owned(),
        facts: facts(&[("user.role", Value::set([role])), ("booking.guests", Value::count(guests).unwrap())]),
        base,
    };
    let requests = [
        of("Agent", 1, false),
        of("Agent", 1, true),
        of("Guest", 99, true),
        of("Manager", 1, false),
        of("Manager", 11, false),
        of("Manager", 11, true),
    ];
    let found: Vec<_> =
        simulate(&before, &after, &requests).map(|one| (one.request, one.allowed, &*one.because.name)).collect();
    assert_eq!(found, [(0, false, "gone"), (3, true, "new allow"), (5, false, "new deny")]);
}

#[test]
fn a_tenant_has_limits_of_its_own() {
    let limit = Limit::new("auto_approve", Type::Money).unwrap();
    let catalogue = catalogue().with_limits(&[limit]);
    let json = json!({"name": "small", "target": {"resource": "booking", "action": "refund"},
        "rules": {"effect": "allow", "conditions": [{"booking.amount": "<= tenant.limits.auto_approve"}]}});
    assert_eq!(Policy::parse(&self::catalogue(), json.clone()).unwrap_err()[0].code, "unknown_attribute");
    let set = PolicySet::new(vec![Policy::parse(&catalogue, json).unwrap()]);
    let schema = catalogue.schema(Some("booking")).unwrap();
    let known = json!({"booking.amount": "100 EUR", "tenant.limits.auto_approve": "100.00 EUR"});
    let facts = Facts::from_json(schema, NOW.parse().unwrap(), known, "").unwrap();
    assert!(set.decide("booking", "refund", &facts).allows(false));
}

#[test]
fn an_alternative_needs_all_and_a_policy_one() {
    let set = PolicySet::new(vec![rule(
        "either",
        "allow",
        ("booking", "read"),
        0,
        &json!([{"booking.owner": "== user.id"}, {"user.role": ["Agent", "Manager"], "booking.guests": "<= 10"}]),
    )]);
    let allowed =
        |values: &[(&str, Value)]| matches!(set.decide("booking", "read", &facts(values)), Verdict::Allowed(_));
    let (ada, ten) = (Value::text("ada"), Value::Number(10_000_000));
    assert!(allowed(&[("booking.owner", ada.clone()), ("user.id", ada.clone())]));
    assert!(
        !allowed(&[("booking.owner", ada.clone())]),
        "a client has no user.id, and nothing equals what is not there"
    );
    assert!(allowed(&[("user.role", Value::set(["Manager"])), ("booking.guests", ten.clone())]));
    assert!(!allowed(&[("user.role", Value::set(["Manager"]))]));
    assert!(!allowed(&[("user.role", Value::set(["Guest"])), ("booking.guests", ten)]));
}

#[test]
fn everything_wrong_is_told_at_once_with_its_place() {
    let errors = Policy::parse(
        &catalogue(),
        json!({
            "name": "", "priority": 1.5, "colour": 1,
            "target": {"resource": "booking", "action": "cancle"},
            "rules": {"effect": "maybe", "conditions": [
                {"user.roles": "x", "booking.guests": "> 'a'"}, {}, 5, {"booking/~": "exists"}
            ]}
        }),
    )
    .unwrap_err();
    let mut found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("/colour", "unknown"),
            ("/name", "invalid"),
            ("/priority", "range"),
            ("/rules/conditions/0/booking.guests", "type"),
            ("/rules/conditions/0/user.roles", "unknown_attribute"),
            ("/rules/conditions/1", "limit"),
            ("/rules/conditions/2", "limit"),
            ("/rules/conditions/2", "type"),
            ("/rules/conditions/3/booking~1~0", "unknown_attribute"),
            ("/rules/effect", "invalid"),
            ("/target/action", "unknown_action"),
        ]
    );
    assert!(errors.iter().any(|error| error.detail.contains("did you mean cancel?")));
    assert!(errors.iter().any(|error| error.detail.contains("did you mean user.role?")));
    let empty = Policy::parse(&catalogue(), json!({})).unwrap_err();
    let pointers: Vec<_> = empty.iter().map(|error| error.pointer.as_str()).collect();
    assert_eq!(pointers, ["/name", "/target/resource", "/target/action", "/rules/effect"]);
    // What belongs to one kind of resource is not known of every kind.
    let everywhere = json!({"name": "x", "target": {"resource": "*", "action": "*"},
        "rules": {"effect": "deny", "conditions": [{"booking.owner": "exists"}]}});
    assert_eq!(Policy::parse(&catalogue(), everywhere).unwrap_err()[0].code, "unknown_attribute");
}

/// Expressions as they may be written, of every form.
fn expression() -> impl Strategy<Value = String> {
    let literal = prop_oneof![
        (0..1_000_000_u32).prop_map(|n| n.to_string()),
        (0..1_000_u32, 0..1_000_u32).prop_map(|(a, b)| format!("{a}.{b}")),
        "[a-z\u{e9}\"'\\\\ ]{0,6}".prop_map(|text| Value::text(&text).to_string()),
        (1..100_u32, prop::sample::select(vec!["w", "d", "h", "m", "s", "ms"]))
            .prop_map(|(n, unit)| format!("{n}{unit}")),
        (0..10_000_u32).prop_map(|n| format!("{}.{:02} EUR", n / 100, n % 100)),
        Just("now()".to_owned()),
        Just("2026-01-31T09:30:00Z".to_owned()),
        Just("booking.amount".to_owned()),
        Just("true".to_owned()),
    ];
    let operand = literal.prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/"]), inner)
            .prop_map(|(left, sign, right)| format!("({left} {sign} {right})"))
    });
    let predicate = prop_oneof![
        (prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]), operand.clone())
            .prop_map(|(sign, operand)| format!("{sign} {operand}")),
        prop::collection::vec(operand.clone(), 1..4).prop_map(|list| format!("in [{}]", list.join(", "))),
        (operand.clone(), operand.clone()).prop_map(|(from, to)| format!("between {from} and {to}")),
        (prop::sample::select(vec!["starts_with", "ends_with", "contains"]), operand)
            .prop_map(|(part, operand)| format!("{part} {operand}")),
        Just("exists".to_owned()),
        Just("one_of(user.teams)".to_owned()),
        prop::sample::select(vec!["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/0", "fe80::/10"])
            .prop_map(|network| format!("in {network}")),
        prop::sample::select(vec!["Europe/Berlin", "UTC", "Etc/GMT-14", "America/Port-au-Prince"])
            .prop_map(|zone| format!("between 22:00 and 06:30 {zone}")),
    ];
    predicate.prop_recursive(3, 3, 1, |inner| inner.prop_map(|inner| format!("not({inner})")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tenantry_testing::cases(512), ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_means_the_same(text in expression()) {
        let parsed = parse_expression(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let printed = parsed.to_string();
        prop_assert_eq!(parse_expression(&printed).unwrap_or_else(|error| panic!("{text} → {printed}: {error}")), parsed);
    }
}
