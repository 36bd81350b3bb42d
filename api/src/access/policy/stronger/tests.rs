#![allow(clippy::unwrap_used)]
use serde_json::{Value as Json, json};

use super::*;
use crate::access::policy::{Attribute, Catalogue, Policy, Resource, Schema, Type};

fn told(policies: &[(&str, Json)], base: bool, known: &[(&str, Value)]) -> Option<(Vec<String>, Option<u64>)> {
    let schema = Schema::with([Attribute::new("invoice.amount", Type::Number, "")]);
    let resource = Resource { schema: schema.clone(), actions: vec!["pay".into()] };
    let catalogue = Catalogue::new([("invoice".into(), resource)]);
    let policy = |(at, (effect, conditions)): (usize, &(&str, Json))| {
        let rules = json!({"effect": effect, "conditions": conditions});
        let target = json!({"resource": "invoice", "action": "pay"});
        Policy::parse(&catalogue, json!({"name": at.to_string(), "target": target, "rules": rules})).unwrap()
    };
    let set = PolicySet::new(policies.iter().enumerate().map(policy).collect());
    let now = "2026-01-31T12:00:00Z".parse().unwrap();
    let mut facts = Facts::at(now);
    facts.set(schema.slot("env.time").unwrap(), Value::Time(now));
    for (name, value) in known {
        facts.set(schema.slot(name).unwrap(), value.clone());
    }
    let at = SignIn { acr: schema.slot("env.acr").unwrap(), auth_time: schema.slot("env.auth_time").unwrap() };
    let may = |facts: &Facts| set.decide("invoice", "pay", facts).allows(base);
    assert!(!may(&facts), "it may be done as it is");
    let told = set.stronger("invoice", "pay", &facts, at, may)?;
    Some((told.acr_values.iter().map(ToString::to_string).collect(), told.max_age))
}

fn signed_in(acr: &str, time: &str) -> [(&'static str, Value); 2] {
    [("env.acr", Value::text(acr)), ("env.auth_time", Value::Time(time.parse().unwrap()))]
}

#[test]
fn what_would_do_is_told_and_nothing_else() {
    let known = signed_in("1", "2026-01-31T11:00:00Z");
    let strong = |ways: &[&str]| Some((ways.iter().map(|way| (*way).to_owned()).collect(), None));
    let recent = |seconds: u64| Some((Vec::new(), Some(seconds)));
    // Denied for the way, allowed by one that another way would satisfy.
    assert_eq!(told(&[("deny", json!([{"env.acr": "!= '2'"}]))], true, &known), strong(&["2"]));
    assert_eq!(told(&[("deny", json!([{"env.acr": "not(in ['2', '3'])"}]))], true, &known), strong(&["2", "3"]));
    assert_eq!(
        told(&[("allow", json!([{"env.acr": ["2", "3"], "env.time": "exists"}]))], false, &known),
        strong(&["2", "3"])
    );
    // Of one who was never asked how.
    assert_eq!(told(&[("deny", json!([{"env.acr": "!= '2'"}]))], true, &[]), strong(&["2"]));
    // Whatever else is in the way stays in the way.
    assert_eq!(told(&[("deny", json!([{"env.acr": "!= '2'"}]))], false, &known), None);
    let both = [("deny", json!([{"env.acr": "!= '2'"}])), ("deny", json!([]))];
    assert_eq!(told(&both, true, &known), None);
    let other = [("allow", json!([{"env.acr": "2", "invoice.amount": "< 5"}]))];
    assert_eq!(told(&other, false, &known), None, "the amount is not known");
    // Two rules at once: only what satisfies both.
    let two = [("deny", json!([{"env.acr": "not(in ['2', '3'])"}])), ("deny", json!([{"env.acr": "in ['1', '3']"}]))];
    assert_eq!(told(&two, true, &known), strong(&["2"]));
    // Names that would break out of a challenge are not told.
    assert_eq!(told(&[("deny", json!([{"env.acr": "!= 'a b\\\"c'"}]))], true, &known), None);

    // A sign-in that was long ago: the most that would do.
    let old = [("deny", json!([{"env.auth_time": "< now() - 5m"}]))];
    assert_eq!(told(&old, true, &known), recent(300));
    assert_eq!(told(&[("deny", json!([{"env.auth_time": "<= now() - 5m"}]))], true, &known), recent(299));
    assert_eq!(told(&[("allow", json!([{"env.time": "< env.auth_time + 10m"}]))], false, &known), recent(599));
    // Both.
    let both = [("allow", json!([{"env.acr": "2", "env.auth_time": ">= now() - 1h"}]))];
    assert_eq!(told(&both, false, &signed_in("1", "2026-01-31T10:00:00Z")), Some((vec!["2".to_owned()], Some(3_600))));
}
