//! What the index finds is what looking at every policy finds.

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::access::policy::{Attribute, Catalogue, PolicySet, Resource, Schema, Type, Verdict};

const NAMES: &[&str] = &["ada", "Agent", "Manager", "north", "app"];

fn catalogue() -> Catalogue {
    let schema = || Schema::with([Attribute::new("thing.owner", Type::Text, "")]);
    let actions = || vec!["read".into(), "change".into()];
    Catalogue::new(["booking", "invoice"].map(|name| (name.into(), Resource { schema: schema(), actions: actions() })))
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(NAMES)
}

fn a_condition() -> impl Strategy<Value = (String, Json)> {
    let attribute = prop::sample::select(vec!["user.id", "user.role", "user.teams", "client.id"]);
    let value = prop_oneof![
        4 => name().prop_map(Json::from),
        1 => prop::collection::vec(name(), 1..3).prop_map(Json::from),
        1 => name().prop_map(|name| json!(format!("not(in ['{name}'])"))),
        1 => name().prop_map(|name| json!(format!("!= '{name}'"))),
        1 => Just(json!("exists")),
        1 => (name(), name()).prop_map(|(one, other)| json!([format!("in ['{one}', '{other}']"), "exists"])),
    ];
    prop_oneof![
        5 => (attribute, value).prop_map(|(attribute, value)| (attribute.to_owned(), value)),
        1 => Just(("env.acr".to_owned(), json!("strong"))),
    ]
}

fn an_assignment() -> impl Strategy<Value = Assignment> {
    prop_oneof![
        Just(Assignment::Everyone),
        name().prop_map(|name| Assignment::User(name.into())),
        name().prop_map(|name| Assignment::Role(name.into())),
        name().prop_map(|name| Assignment::Group(name.into())),
    ]
}

fn a_policy() -> impl Strategy<Value = (Json, Vec<Assignment>)> {
    let alternative =
        prop::collection::vec(a_condition(), 1..3).prop_map(|list| Json::Object(list.into_iter().collect()));
    let target =
        (prop::sample::select(vec!["booking", "invoice", "*"]), prop::sample::select(vec!["read", "change", "*"]));
    let target =
        target.prop_filter("an action of every resource is *", |(resource, action)| *resource != "*" || *action == "*");
    let assignments =
        prop_oneof![2 => Just(vec![Assignment::Everyone]), 1 => prop::collection::vec(an_assignment(), 0..3)];
    let effect = prop::sample::select(vec!["allow", "deny"]);
    (effect, target, prop::collection::vec(alternative, 0..3), -2..3_i32, assignments).prop_map(
        |(effect, (resource, action), conditions, priority, assignments)| {
            let json = json!({"name": "", "priority": priority, "target": {"resource": resource, "action": action},
                "rules": {"effect": effect, "conditions": conditions}});
            (json, assignments)
        },
    )
}

fn a_caller() -> impl Strategy<Value = [Option<Vec<&'static str>>; 4]> {
    let names = || prop::option::of(prop::collection::vec(name(), 0..3));
    [names(), names(), names(), names()]
}

fn facts(caller: &[Option<Vec<&'static str>>; 4]) -> Facts {
    let mut facts = Facts::at("2026-01-31T12:00:00Z".parse().unwrap());
    for (kind, names) in Kind::ALL.into_iter().zip(caller) {
        let Some(names) = names else { continue };
        let value = match kind {
            Kind::Role | Kind::Group => Some(Value::set(names)),
            Kind::User | Kind::Client => names.first().map(|name| Value::text(name)),
        };
        if let Some(value) = value {
            facts.set(kind.slot(), value);
        }
    }
    facts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tenantry_testing::cases(256), ..ProptestConfig::default() })]

    #[test]
    fn the_index_hides_no_policy_that_says_something(
        policies in prop::collection::vec(a_policy(), 0..12), callers in prop::collection::vec(a_caller(), 8)
    ) {
        let catalogue = catalogue();
        let set = PolicySet::assigned(policies.into_iter().enumerate().map(|(at, (mut json, assignments))| {
            json["name"] = json!(format!("policy {at:02}"));
            (Policy::parse(&catalogue, json).unwrap(), assignments)
        }));
        for facts in callers.iter().map(facts) {
            for (resource, action) in [("booking", "read"), ("booking", "change"), ("invoice", "read"), ("none", "none")] {
                let counts = |effect| set.policies().find(|(policy, assignments)| {
                    policy.effect == effect && policy.target.covers(resource, action)
                        && assignments.iter().any(|assignment| assignment.includes(&facts)) && policy.applies(&facts)
                }).map(|(policy, _)| Arc::clone(&policy.name));
                let (denied, allowed) = (counts(Effect::Deny), counts(Effect::Allow));
                let (decided, named) = match set.decide(resource, action, &facts) {
                    Verdict::Denied(policy) => (Some(Effect::Deny), Some(Arc::clone(&policy.name))),
                    Verdict::Allowed(policy) => (Some(Effect::Allow), Some(Arc::clone(&policy.name))),
                    Verdict::Silent => (None, None),
                };
                prop_assert_eq!(decided, if denied.is_some() { Some(Effect::Deny) } else { allowed.as_ref().map(|_| Effect::Allow) });
                prop_assert_eq!(named.clone(), denied.or(allowed));
                // And the explanation says the same.
                let explained = set.explain(resource, action, &facts);
                let first = explained.iter().find(|one| one.applies && Some(one.policy.effect) == decided);
                prop_assert_eq!(first.map(|one| Arc::clone(&one.policy.name)), named);
            }
        }
    }
}
