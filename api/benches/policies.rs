//! What a decision over policies costs: `cargo bench -p tenantry-api`.
//!
//! Tenants of 10 to 5,000 policies: twenty kinds of resources with five actions each, so that most policies speak of
//! something else; and the worst case, all of them about the same action. Each decision is timed by itself in batches of a
//! hundred; shown are the median and the 99th percentile of one decision.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_api::access::policy::{Attribute, Catalogue, Facts, Policy, PolicySet, Resource, Schema, Type, Value};
use tenantry_types::{Clock as _, SystemClock};

const RESOURCES: usize = 20;
const ACTIONS: [&str; 5] = ["read", "create", "update", "cancel", "refund"];
const BATCH: u32 = 100;

fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let batches = if std::env::args().any(|argument| argument == "--bench") { 20_000 } else { 10 };
    let catalogue = catalogue();
    println!("{:<34} {:>10} {:>10}", "policies", "median", "99 %");
    for count in [10, 50, 500, 5_000] {
        let spread = (0..count).map(|at| policy(&catalogue, at, at % RESOURCES, ACTIONS[(at / RESOURCES) % 5]));
        report(&format!("{count}, about all there is"), &PolicySet::new(spread.collect()), &catalogue, batches);
        let same = (0..count).map(|at| policy(&catalogue, at, 0, "read"));
        report(
            &format!("{count}, all about this action"),
            &PolicySet::new(same.collect()),
            &catalogue,
            batches / 10 + 1,
        );
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

/// One in ten denies; none of the first conditions holds, so that each policy is looked at to its end.
fn policy(catalogue: &Catalogue, at: usize, resource: usize, action: &str) -> Policy {
    let effect = if at % 10 == 9 { "deny" } else { "allow" };
    let json = json!({
        "name": format!("policy {at}"),
        "target": {"resource": format!("resource_{resource}"), "action": action},
        "rules": {"effect": effect, "conditions": [
            {"user.role": format!("Role{at}"), "resource.scheduled_time": "> now() + 24h"},
            {"resource.owner": "== user.id", "resource.guests": format!("> {}", 100 + at)}
        ]}
    });
    Policy::parse(catalogue, json).unwrap()
}

fn report(name: &str, set: &PolicySet, catalogue: &Catalogue, batches: usize) {
    let schema = catalogue.schema(Some("resource_0")).unwrap();
    let now = SystemClock.now();
    let mut facts = Facts::at(now);
    for (attribute, value) in [
        ("user.id", Value::text("0190b2c4-0000-7000-8000-000000000001")),
        ("user.role", Value::set(["Customer", "PremiumCustomer", "Member"])),
        ("resource.scheduled_time", Value::Time(now + Duration::from_secs(48 * 3_600))),
        ("resource.guests", Value::Number(2_000_000)),
        ("resource.owner", Value::text("0190b2c4-0000-7000-8000-000000000001")),
    ] {
        facts.set(schema.slot(attribute).unwrap(), value);
    }
    let mut times: Vec<Duration> = (0..batches)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..BATCH {
                black_box(set.decide(black_box("resource_0"), black_box("read"), black_box(&facts)));
            }
            started.elapsed() / BATCH
        })
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    println!("{name:<34} {:>7} ns {:>7} ns", at(50).as_nanos(), at(99).as_nanos());
}
