//! What has to be so afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::killer;
use super::people::Person;
use super::services::{Service, Services};
use super::work::{Ledger, Tenants};
use crate::support::{client, within};

/// How long what was left over may take.
const SETTLED_WITHIN: Duration = Duration::from_secs(40);

/// What is left of work that is under way, at each service.
const UNDER_WAY_AT_IDP: [&str; 1] = ["security_events WHERE delivered_at IS NULL"];
const UNDER_WAY_AT_API: [&str; 7] = [
    "tenants WHERE status = 'provisioning' OR wanted_status IS NOT NULL",
    "tenant_tasks",
    "account_doubts",
    "idempotency_keys WHERE answer IS NULL",
    "outbox WHERE kind = 'account.roles_changed' AND delivered_at IS NULL",
    "outbox WHERE failed_at IS NOT NULL",
    "audit_unsealed",
];

/// Waits until both are idle and holds them against each other and against what was acknowledged. Gives the number of
/// security events.
pub async fn check(services: &Services, tenants: &Tenants, ledger: &Ledger) -> usize {
    idle(services).await;
    let people = ledger.people.lock().unwrap().clone();
    tenants_agree(services, tenants, ledger).await;
    people_agree(services, tenants, &people).await;
    roles_agree(services, tenants, &people).await;
    the_audit_trail_tells_all(services, tenants, ledger, &people).await;
    events_arrived(services).await
}

async fn idle(services: &Services) {
    // Events that found nobody several times wait for minutes: these are over too.
    killer::forget_waits(services).await;
    let left = async || {
        let mut left = Vec::new();
        for (service, tables) in [(&services.idp, &UNDER_WAY_AT_IDP[..]), (&services.api, &UNDER_WAY_AT_API)] {
            for table in tables {
                match service.count(table).await {
                    0 => {}
                    count => left.push(format!("{count} {table}")),
                }
            }
        }
        left
    };
    let is_idle = tokio::time::timeout(SETTLED_WITHIN, within(SETTLED_WITHIN * 2, async || left().await.is_empty()));
    let is_idle = is_idle.await.is_ok();
    assert!(is_idle, "left over: {:?}\n{}\n{}", left().await, services.idp.log(), services.api.log());
}

/// The rows of a query, each of which is there once.
async fn rows(service: &Service, query: &str) -> BTreeSet<String> {
    let found = service.texts(query).await;
    let set: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!(set.len(), found.len(), "{query}");
    set
}

fn assert_same(what: &str, one: &BTreeSet<String>, other: &BTreeSet<String>) {
    let (more, less): (Vec<_>, Vec<_>) = (one.difference(other).collect(), other.difference(one).collect());
    assert!(more.is_empty() && less.is_empty(), "{what}: only here {more:#?}, only there {less:#?}");
}

async fn tenants_agree(services: &Services, tenants: &Tenants, ledger: &Ledger) {
    let query = "SELECT concat(id, '|', slug, '|', name, '|', status) AS value FROM tenants";
    let (there, here) = (rows(&services.idp, query).await, rows(&services.api, query).await);
    assert_same("tenants", &here, &there);
    let made = ledger.tenants.lock().unwrap().clone();
    let acknowledged: BTreeSet<String> =
        made.iter().map(|made| format!("{}|{}|{}|{}", made.id, made.slug, made.name, made.status)).collect();
    let made_here = here.into_iter().filter(|row| row.contains("|tenant-")).collect();
    assert_same("tenants that were acknowledged", &acknowledged, &made_here);

    // And so say the services themselves.
    let shown = listed(services, "/api/v1/tenants", &tenants.platform).await;
    let shown: BTreeSet<String> = shown.iter().map(|tenant| text(tenant, &["id", "slug", "name", "status"])).collect();
    assert_same("tenants by HTTP", &shown, &there);
}

/// All pages of a list.
async fn listed(services: &Services, path: &str, token: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = format!("{}{path}?limit=200{cursor}", services.api.url);
        let page: Value = client().get(url).bearer_auth(token).send().await.unwrap().json().await.unwrap();
        all.extend(page["data"].as_array().unwrap_or_else(|| panic!("{page}")).iter().cloned());
        let Some(next) = page["page"]["next"].as_str() else { return all };
        cursor = format!("&cursor={next}");
    }
}

fn text(thing: &Value, members: &[&str]) -> String {
    let texts: Vec<&str> = members.iter().map(|member| thing[*member].as_str().unwrap_or_default()).collect();
    texts.join("|")
}

/// Their columns, at both services.
const PERSON: &str = "u.id, '|', u.email, '|', u.username, '|', coalesce(u.given_name, ''), '|', u.status";

/// Of a guest who has not come themselves yet only this is known where they are one.
const GUEST: &str = "u.id, '||||', u.status";

/// Whether a row is of somebody who was made here, or of a guest; others are the administrators that came with their tenants.
fn is_of_people(row: &str) -> bool {
    row.contains("@people.example") || row.contains("||||")
}

async fn people_agree(services: &Services, tenants: &Tenants, people: &[Person]) {
    let there = format!(
        "SELECT concat(u.tenant_id, '|', {PERSON}) AS value FROM users u UNION ALL \
         SELECT concat(m.tenant_id, '|', {GUEST}) FROM memberships m JOIN users u ON u.id = m.user_id"
    );
    let here = format!(
        "SELECT concat(u.tenant_id, '|', {PERSON}) AS value FROM users u WHERE home_tenant_id IS NULL UNION ALL \
         SELECT concat(u.tenant_id, '|', {GUEST}) FROM users u WHERE home_tenant_id IS NOT NULL AND is_withheld = 1"
    );
    let (there, here) = (rows(&services.idp, &there).await, rows(&services.api, &here).await);
    assert_same("people", &here, &there);
    let in_tenant = |person: &Person, at: usize| {
        let Person { id, email, first_name, status, .. } = person;
        format!("{}|{id}|{email}|{email}|{first_name}|{status}", tenants.list[at].id)
    };
    let mut acknowledged = BTreeSet::new();
    for person in people.iter().filter(|person| !person.is_gone) {
        acknowledged.insert(in_tenant(person, person.home));
        let as_guest = || format!("{}|{}||||{}", tenants.list[person.abroad].id, person.id, person.status);
        acknowledged.extend(person.guest.is_some().then(as_guest));
    }
    let known = here.into_iter().filter(|row| is_of_people(row)).collect();
    assert_same("people that were acknowledged", &acknowledged, &known);
    for (at, tenant) in tenants.list.iter().enumerate() {
        let shown = listed(services, "/api/v1/users", &tenant.token).await;
        let shown = shown.iter().map(|person| {
            format!("{}|{}", tenant.id, text(person, &["id", "email", "username", "first_name", "status"]))
        });
        let shown = shown.filter(|row| is_of_people(row)).collect();
        let known = acknowledged.iter().filter(|row| row.starts_with(&tenants.list[at].id)).cloned().collect();
        assert_same("people by HTTP", &shown, &known);
    }
}

async fn roles_agree(services: &Services, tenants: &Tenants, people: &[Person]) {
    let there = "SELECT concat(tenant_id, '|', user_id, '|', role) AS value FROM user_roles UNION ALL \
                 SELECT concat(tenant_id, '|', user_id, '|', role) FROM membership_roles";
    let here = "SELECT concat(u.tenant_id, '|', u.user_id, '|', r.name) AS value FROM user_roles u \
                JOIN roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id";
    let (there, here) = (rows(&services.idp, there).await, rows(&services.api, here).await);
    let mut acknowledged = BTreeSet::new();
    for person in people.iter().filter(|person| !person.is_gone) {
        let row = |at: usize, role: &&str| format!("{}|{}|{role}", tenants.list[at].id, person.id);
        acknowledged.extend(person.roles.iter().map(|role| row(person.home, role)));
        acknowledged.extend(person.guest.iter().flatten().map(|role| row(person.abroad, role)));
    }
    // The first administrators have theirs from the identity provider, which tells of it.
    let given = here.iter().filter(|row| !row.ends_with("|administrator")).cloned().collect();
    assert_same("roles that were acknowledged", &acknowledged, &given);
    assert_same("roles", &here, &there);
}

/// Every change once: what was asked for is in one entry, whoever made it known first.
async fn the_audit_trail_tells_all(services: &Services, tenants: &Tenants, ledger: &Ledger, people: &[Person]) {
    let made: Vec<String> = ledger.tenants.lock().unwrap().iter().map(|made| made.id.clone()).collect();
    let homes = tenants.list.iter().map(|tenant| tenant.id.clone());
    let created: BTreeSet<String> = made.iter().cloned().chain(homes).collect();
    let query = |action: &str| {
        format!("SELECT target_id AS value FROM audit_entries WHERE action = '{action}' AND actor_kind = 'client'")
    };
    assert_same("tenants made", &created, &rows(&services.api, &query("tenant.create")).await);
    let by_whoever_asked = "SELECT concat(tenant_id, '|', target_id, '|', action) AS value FROM audit_entries \
         WHERE target_kind = 'account' AND actor_kind = 'client' AND action <> 'account.update'";
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for row in services.api.texts(by_whoever_asked).await {
        *told.entry(row).or_default() += 1;
    }
    let mut expected = BTreeMap::new();
    for person in people {
        for ((at, action), count) in &person.entries {
            expected.insert(format!("{}|{}|{action}", tenants.list[*at].id, person.id), *count);
        }
    }
    assert_eq!(told, expected);
    // A new name or address is in one entry of whoever asked for it.
    let changes = "SELECT a.changes AS value FROM audit_entries a JOIN users u ON u.id = a.target_id \
         WHERE a.target_kind = 'account' AND a.actor_kind = 'client' AND a.tenant_id = u.tenant_id \
         AND u.home_tenant_id IS NULL";
    let mut told: BTreeMap<String, usize> = BTreeMap::new();
    for changes in services.api.texts(changes).await {
        let changes: Value = serde_json::from_str(&changes).unwrap();
        for member in ["/first_name", "/email"] {
            if let Some(after) = changes[member]["after"].as_str() {
                *told.entry(after.to_owned()).or_default() += 1;
            }
        }
    }
    let people = people.iter().filter(|person| !person.is_gone);
    let expected = people.flat_map(|person| &person.values).map(|value| (value.clone(), 1)).collect();
    assert_eq!(told, expected);
    let report: Value = serde_json::from_str(&services.api.run(&["audit", "verify", "--json"]).await).unwrap();
    assert_eq!((&report["ok"], &report["waiting"]), (&true.into(), &0.into()), "{report}");
}

async fn events_arrived(services: &Services) -> usize {
    assert_eq!(services.idp.count("security_events WHERE failed_at IS NOT NULL").await, 0);
    let told = rows(&services.idp, "SELECT id AS value FROM security_events").await;
    let received = rows(&services.api, "SELECT jti AS value FROM received_events").await;
    assert_same("security events", &told, &received);
    told.len()
}
