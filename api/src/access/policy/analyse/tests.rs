//! What is found in policies is so, whatever the facts.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::access::policy::{Attribute, Catalogue, Resource, Type};

const NOW: &str = "2026-01-31T12:00:00Z";

fn catalogue() -> Catalogue {
    let schema = Schema::with([
        Attribute::new("thing.guests", Type::Number, ""),
        Attribute::new("thing.city", Type::Text, ""),
        Attribute::new("thing.paid", Type::Bool, ""),
    ]);
    Catalogue::new([("thing".into(), Resource { schema, actions: vec!["read".into(), "change".into()] })])
}

fn policy(name: &str, effect: &str, action: &str, conditions: &Json) -> Policy {
    let json = json!({"name": name, "target": {"resource": "thing", "action": action},
        "rules": {"effect": effect, "conditions": conditions}});
    Policy::parse(&catalogue(), json).unwrap_or_else(|errors| panic!("{conditions}: {errors:?}"))
}

fn everyone() -> Vec<Assignment> {
    vec![Assignment::Everyone]
}

fn found(
    others: Vec<(Policy, Vec<Assignment>)>,
    policy: &Policy,
    assignments: &[Assignment],
) -> Vec<(&'static str, String)> {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("thing")).unwrap();
    let findings = analyse(&PolicySet::assigned(others), schema, policy, assignments, NOW.parse().unwrap());
    findings.into_iter().map(|finding| (finding.code.as_str(), finding.pointer)).collect()
}

#[test]
fn mistakes_within_a_policy_are_found_where_they_stand() {
    let of = |conditions| found(Vec::new(), &policy("p", "allow", "read", &conditions), &everyone());
    let at = |code: &'static str, pointer: &str| vec![(code, pointer.to_owned())];
    for contradiction in [
        json!([{"thing.guests": "between 5 and 3"}]),
        json!([{"thing.guests": ["between 5 and 3", "between 9 and 7"]}]),
        json!([{"env.time": "between 2030-01-01 and 2029-01-01"}]),
    ] {
        assert_eq!(of(contradiction.clone()), at("never_true", "/rules/conditions/0"), "{contradiction}");
    }
    assert_eq!(of(json!([{"thing.guests": "between 3 and 3", "thing.city": ["Pune", "Agra"]}])), []);
    assert_eq!(of(json!([{"thing.guests": ["< 3", ">= 3"]}])), at("always_true", "/rules/conditions/0/thing.guests"));
    assert_eq!(of(json!([{"thing.paid": [true, false]}])), at("always_true", "/rules/conditions/0/thing.paid"));
    assert_eq!(of(json!([{"env.time": "< 2020-01-01"}])), at("over", "/rules/conditions/0/env.time"));
    assert_eq!(of(json!([{"env.time": "< 2030-01-01"}])), []);
    assert_eq!(
        of(json!([{"thing.guests": "> 5"}, {"thing.guests": "> 7", "thing.city": "Pune"}])),
        at("redundant_alternative", "/rules/conditions/1")
    );
    // Of two that are the same, the later one is.
    assert_eq!(
        of(json!([{"thing.city": "Pune"}, {"thing.city": "Pune"}])),
        at("redundant_alternative", "/rules/conditions/1")
    );
    let deny = policy("p", "deny", "read", &json!([{"user.role": "Guest"}]));
    assert_eq!(found(Vec::new(), &deny, &everyone()), at("denies_unknown", "/rules/conditions"));
    let guarded = policy("p", "deny", "read", &json!([{"thing.city": "exists"}]));
    assert_eq!(found(Vec::new(), &guarded, &everyone()), []);
}

#[test]
fn policies_that_change_nothing_are_found_with_the_one_that_makes_it_so() {
    let small = policy("small", "allow", "read", &json!([{"thing.guests": "<= 4", "thing.city": "Pune"}]));
    let code = |other: Policy, others: &[Assignment], own: &[Assignment]| {
        found(vec![(other, others.to_vec())], &small, own).into_iter().map(|(code, _)| code).collect::<Vec<_>>()
    };
    let (agents, all) = ([Assignment::Role("Agent".into())], everyone());
    let wider = json!([{"thing.guests": "< 10"}]);
    let narrower = json!([{"thing.guests": "< 3"}]);
    assert_eq!(code(policy("other", "deny", "read", &wider), &all, &all), ["shadowed"]);
    assert_eq!(code(policy("other", "deny", "*", &wider), &all, &agents), ["shadowed"]);
    assert_eq!(code(policy("other", "allow", "read", &wider), &all, &all), ["redundant"]);
    assert_eq!(code(policy("other", "allow", "read", &json!([])), &all, &all), ["redundant"]);
    assert_eq!(code(policy("other", "deny", "read", &wider), &agents, &agents), ["shadowed"]);
    assert!(code(policy("other", "deny", "read", &wider), &agents, &all).is_empty(), "only agents are denied");
    assert!(code(policy("other", "deny", "change", &wider), &all, &all).is_empty(), "another action");
    assert!(code(policy("other", "deny", "read", &narrower), &all, &all).is_empty(), "fewer guests");
    assert!(code(policy("small", "deny", "read", &wider), &all, &all).is_empty(), "an earlier version of itself");
}

#[test]
fn what_is_too_much_to_compare_is_said_not_to_be() {
    let large = |name: &str, shift: usize| {
        let values = |at: usize| (0..200).map(|value| json!(shift + at * 1_000 + value)).collect::<Vec<_>>();
        let texts = |at: usize| (0..200).map(|value| json!(format!("{shift} {at} {value}"))).collect::<Vec<_>>();
        let alternatives: Vec<Json> =
            (0..50).map(|at| json!({"thing.guests": values(at), "thing.city": texts(at)})).collect();
        policy(name, "allow", "read", &json!(alternatives))
    };
    let codes = |found: Vec<(&'static str, String)>| found.into_iter().map(|(code, _)| code).collect::<Vec<_>>();
    let others = vec![(large("other", 500_000), everyone()), (large("third", 900_000), everyone())];
    assert_eq!(codes(found(others, &large("p", 0), &everyone())), ["not_looked_at"]);
    // What is large but alone is looked at.
    let one = policy("p", "allow", "read", &json!([{"thing.guests": (0..200).collect::<Vec<_>>()}]));
    assert_eq!(
        codes(found(vec![(policy("q", "allow", "read", &json!([])), everyone())], &one, &everyone())),
        ["redundant"]
    );
}

fn a_condition() -> impl Strategy<Value = (String, Json)> {
    let number = || 0..4_i32;
    let comparison = || prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let city = || prop::sample::select(vec!["a", "b"]);
    let guests = prop_oneof![
        (comparison(), number()).prop_map(|(sign, number)| format!("{sign} {number}")),
        (number(), number()).prop_map(|(from, to)| format!("between {from} and {to}")),
        (number(), number()).prop_map(|(one, other)| format!("not(in [{one}, {other}])")),
        Just("exists".to_owned()),
        Just("not(exists)".to_owned()),
    ];
    let cities = prop_oneof![
        city().prop_map(|city| format!("== '{city}'")),
        city().prop_map(|city| format!("!= '{city}'")),
        city().prop_map(|city| format!("starts_with '{city}'")),
        city().prop_map(|city| format!("not(starts_with '{city}')")),
        Just("== user.id".to_owned()),
    ];
    let time = comparison().prop_map(|sign| format!("{sign} {NOW}"));
    let role = prop_oneof![city().prop_map(str::to_owned), city().prop_map(|city| format!("!= '{city}'"))];
    let list = |of: BoxedStrategy<String>| prop_oneof![3 => of.clone().prop_map(Json::from), 1 => prop::collection::vec(of, 1..3).prop_map(Json::from)];
    prop_oneof![
        4 => list(guests.boxed()).prop_map(|json| ("thing.guests".to_owned(), json)),
        3 => list(cities.boxed()).prop_map(|json| ("thing.city".to_owned(), json)),
        1 => prop::sample::select(vec![json!(true), json!([true, false]), json!("!= true")])
            .prop_map(|json| ("thing.paid".to_owned(), json)),
        1 => time.prop_map(|text| ("env.time".to_owned(), json!(text))),
        1 => list(role.boxed()).prop_map(|json| ("user.role".to_owned(), json)),
    ]
}

fn conditions() -> impl Strategy<Value = Json> {
    let alternative =
        prop::collection::vec(a_condition(), 1..4).prop_map(|list| Json::Object(list.into_iter().collect()));
    prop::collection::vec(alternative, 0..4).prop_map(Json::from)
}

fn some_facts() -> impl Strategy<Value = Json> {
    let maybe = |values: Vec<Json>| prop::option::of(prop::sample::select(values)).prop_map(Json::from);
    let city = || maybe(vec![json!("a"), json!("b"), json!("ab"), json!("c")]);
    let guests = maybe(vec![json!(-1), json!(0), json!(1), json!(1.5), json!(2), json!(3), json!(4)]);
    let time = maybe(vec![json!(NOW), json!("2026-01-31T12:00:00.000001Z"), json!("2030-01-01T00:00:00Z")]);
    let role = maybe(vec![json!([]), json!(["a"]), json!(["a", "b"])]);
    (guests, city(), city(), maybe(vec![json!(true), json!(false)]), time, role).prop_map(
        |(guests, city, id, paid, time, role)| {
            json!({"thing.guests": guests, "thing.city": city, "user.id": id, "thing.paid": paid, "env.time": time,
                "user.role": role})
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tenantry_testing::cases(512), ..ProptestConfig::default() })]

    #[test]
    fn what_is_found_is_so(
        own in conditions(), effect in prop::sample::select(vec!["allow", "deny"]),
        others in prop::collection::vec((conditions(), prop::sample::select(vec!["allow", "deny"])), 0..4),
        facts in prop::collection::vec(some_facts(), 24)
    ) {
        let catalogue = catalogue();
        let schema = catalogue.schema(Some("thing")).unwrap();
        let now = NOW.parse().unwrap();
        let rule = policy;
        let policy = rule("own", effect, "read", &own);
        let named = others.iter().enumerate().map(|(at, (conditions, effect))| {
            (rule(&format!("other {at}"), effect, "read", conditions), everyone())
        });
        let set = PolicySet::assigned(named);
        let findings = analyse(&set, schema, &policy, &everyone(), now);
        for json in facts {
            let facts = Facts::from_json(schema, now, json.clone(), "").unwrap();
            let alternative = |at: usize| {
                Truth::all(&policy.alternatives[at].0, |condition| condition.test.holds(&facts))
            };
            for finding in &findings {
                let mut steps = finding.pointer.split('/').skip(3);
                let at = steps.next().and_then(|step| step.parse::<usize>().ok());
                let condition = || {
                    let name = finding.pointer.rsplit('/').next().unwrap();
                    let condition = policy.alternatives[at.unwrap()].0.iter().find(|one| &*one.attribute == name).unwrap();
                    (condition.test.holds(&facts), facts.get(schema.slot(name).unwrap()).is_some())
                };
                let other = || set.policies().find(|(other, _)| Some(&other.name) == finding.other.as_ref()).unwrap().0;
                let is_so = match finding.code {
                    Code::NeverTrue => alternative(at.unwrap()) != Truth::True,
                    Code::AlwaysTrue => condition().0 == if condition().1 { Truth::True } else { Truth::Unknown },
                    Code::Over => condition().0 != Truth::True,
                    Code::RedundantAlternative => {
                        let mut rest = policy.clone();
                        rest.alternatives.remove(at.unwrap());
                        rest.applies(&facts) == policy.applies(&facts)
                    }
                    Code::Redundant | Code::Shadowed => !policy.applies(&facts) || other().applies(&facts),
                    Code::DeniesUnknown => policy.applies(&Facts::at(now)),
                    // So little is always looked at.
                    Code::NotLookedAt => false,
                };
                prop_assert!(is_so, "{finding:?}\n{own}\n{json}");
            }
        }
    }
}
