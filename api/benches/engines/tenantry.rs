//! The policies of this crate.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use tenantry_api::access::policy::{
    Attribute, Catalogue, Facts, Policy, PolicySet, Resource, Schema, Type, Value, Verdict,
};
use tenantry_types::UtcTime;

use super::{ACTIONS, Engine, NOW, RESOURCES, Request, Rule, When};

pub struct Tenantry {
    set: PolicySet,
    requests: Vec<(String, &'static str, Facts)>,
}

impl Tenantry {
    pub fn new(rules: &[Rule], requests: &[Request]) -> Self {
        let catalogue = catalogue();
        let set = PolicySet::new(rules.iter().map(|rule| policy(&catalogue, rule)).collect());
        let requests = requests.iter().map(|request| {
            let schema = catalogue.schema(Some(&request.resource)).unwrap();
            (request.resource.clone(), request.action, facts(schema, request))
        });
        Self { set, requests: requests.collect() }
    }
}

impl Engine for Tenantry {
    fn name(&self) -> &'static str {
        "tenantry"
    }

    fn allows(&self, request: usize) -> bool {
        let (resource, action, facts) = &self.requests[request];
        matches!(self.set.decide(resource, action, facts), Verdict::Allowed(_))
    }
}

fn catalogue() -> Catalogue {
    Catalogue::new((0..RESOURCES).map(|at| {
        let schema = Schema::with([
            Attribute::new("resource.scheduled_time", Type::Time, ""),
            Attribute::new("resource.guests", Type::Number, ""),
            Attribute::new("resource.owner", Type::Text, ""),
        ]);
        (Arc::from(format!("resource_{at}")), Resource { schema, actions: ACTIONS.map(Arc::from).to_vec() })
    }))
}

fn policy(catalogue: &Catalogue, rule: &Rule) -> Policy {
    let conditions: Json = match &rule.when {
        When::Owner { guests } => {
            json!([{"resource.owner": "== user.id", "resource.guests": format!("< {guests}")}])
        }
        When::Roles { early, small, guests } => json!([
            {"user.role": early, "resource.scheduled_time": "> now() + 24h"},
            {"user.role": small, "resource.guests": format!("<= {guests}")},
        ]),
    };
    let json = json!({
        "name": rule.name,
        "target": {"resource": rule.resource, "action": rule.action},
        "rules": {"effect": if rule.allows { "allow" } else { "deny" }, "conditions": conditions},
    });
    Policy::parse(catalogue, json).unwrap()
}

fn facts(schema: &Schema, request: &Request) -> Facts {
    let time = |seconds| UtcTime::from_unix_seconds(seconds).unwrap();
    let mut facts = Facts::at(time(NOW));
    for (attribute, value) in [
        ("user.id", Value::text(&request.user)),
        ("user.role", Value::set(&request.roles)),
        ("user.teams", Value::set(["north", "late shift"])),
        ("resource.scheduled_time", Value::Time(time(request.scheduled_time))),
        ("resource.guests", Value::count(request.guests).unwrap()),
        ("resource.owner", Value::text(&request.owner)),
    ] {
        facts.set(schema.slot(attribute).unwrap(), value);
    }
    facts
}
