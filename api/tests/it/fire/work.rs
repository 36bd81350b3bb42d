//! What is to be done, and what was acknowledged.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Caller;
use super::people::{Person, Script};
use super::random::Dice;
use super::services::Services;
use super::{Counts, Size};

/// The tenants whose people are changed.
const HOMES: usize = 4;
/// What a machine of such a tenant does. Nobody gives what they do not hold.
const SCOPE: &str = "account.* role.* tenant_settings.* audit.* access_log.* group.* permission.* policy.* session.*";

/// A tenant with a machine of its own.
pub struct Tenant {
    pub id: String,
    pub token: String,
    roles: HashMap<String, String>,
}

impl Tenant {
    pub fn role(&self, name: &str) -> &str {
        &self.roles[name]
    }
}

/// Those who call.
pub struct Tenants {
    /// Of a machine of the platform.
    pub platform: String,
    pub list: Vec<Tenant>,
}

impl Tenants {
    pub async fn make(services: &Services) -> Self {
        let platform = services.machine("platform", "maker", "tenant.* tenant_domain.* platform.tenants").await;
        let counts = Counts::default();
        let caller = Caller::new(services, &counts);
        let mut list = Vec::new();
        for number in 0..HOMES {
            let slug = format!("home-{number}");
            let made = caller.acknowledged(&platform, Method::POST, "/api/v1/tenants", &slug, &wanted(&slug)).await;
            let token = services.machine(&slug, "machine", SCOPE).await;
            let roles = caller.acknowledged(&token, Method::GET, "/api/v1/roles", "none", &Value::Null).await;
            let pair =
                |role: &Value| (role["name"].as_str().unwrap().to_owned(), role["id"].as_str().unwrap().to_owned());
            let roles = roles["data"].as_array().unwrap().iter().map(pair).collect();
            list.push(Tenant { id: made["data"]["id"].as_str().unwrap().to_owned(), token, roles });
        }
        Self { platform, list }
    }
}

fn wanted(slug: &str) -> Value {
    json!({"name": format!("Tenant {slug}"), "slug": slug, "domain": format!("{slug}.example"),
        "admin_email": format!("admin@{slug}.example"), "admin_password": "long enough to be"})
}

/// A tenant as it has to be, by what was acknowledged.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub slug: String,
    pub name: String,
    pub status: &'static str,
}

/// Something that one worker does from its beginning to its end.
enum Job {
    Tenant { number: usize, new_name: bool, status: &'static str },
    Person(Script),
}

/// What is still to be done, and what has been.
pub struct Ledger {
    waiting: Mutex<Vec<Job>>,
    pub tenants: Mutex<Vec<Made>>,
    pub people: Mutex<Vec<Person>>,
}

impl Ledger {
    pub fn of(size: &Size, dice: &mut Dice) -> Self {
        let mut jobs: Vec<Job> = (0..size.provisionings)
            .map(|number| {
                let status = dice.pick(&["active", "active", "suspended", "inactive"]);
                Job::Tenant { number, new_name: dice.below(3) == 0, status }
            })
            .collect();
        for number in 0..size.people {
            let length = size.changes / size.people + usize::from(number < size.changes % size.people);
            jobs.push(Job::Person(Script::new(number, length, HOMES, dice)));
        }
        for last in (1..jobs.len()).rev() {
            jobs.swap(last, dice.index(last + 1));
        }
        Self { waiting: Mutex::new(jobs), tenants: Mutex::default(), people: Mutex::default() }
    }

    /// Does one thing after the other until nothing is left.
    pub async fn work(&self, services: &Services, tenants: &Tenants, counts: &Counts) {
        let caller = Caller::new(services, counts);
        loop {
            let Some(job) = self.waiting.lock().unwrap().pop() else { return };
            match job {
                Job::Tenant { number, new_name, status } => {
                    let made = tenant(&caller, tenants, number, new_name, status).await;
                    self.tenants.lock().unwrap().push(made);
                }
                Job::Person(script) => {
                    let mut person = Person { home: script.home, abroad: script.abroad, ..Person::default() };
                    for at in 0..script.steps.len() {
                        person.take(&caller, tenants, &script, at).await;
                        counts.changes.fetch_add(1, Ordering::Relaxed);
                    }
                    self.people.lock().unwrap().push(person);
                }
            }
        }
    }
}

async fn tenant(caller: &Caller<'_>, tenants: &Tenants, number: usize, new_name: bool, status: &'static str) -> Made {
    let slug = format!("tenant-{number}");
    let ask = async |method, path: &str, step: &str, body: Value| {
        caller.acknowledged(&tenants.platform, method, path, &format!("{slug}-{step}"), &body).await
    };
    let made = ask(Method::POST, "/api/v1/tenants", "make", wanted(&slug)).await;
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["data"]["status"], "active");
    let path = format!("/api/v1/tenants/{id}");
    let mut name = format!("Tenant {slug}");
    if new_name {
        name = format!("Renamed {slug}");
        ask(Method::PATCH, &path, "rename", json!({"name": name})).await;
    }
    match status {
        "suspended" => drop(ask(Method::POST, &format!("{path}/suspend"), "switch", json!({})).await),
        "inactive" => drop(ask(Method::PATCH, &path, "switch", json!({"status": status})).await),
        _ => {}
    }
    Made { id, slug: slug.clone(), name, status }
}
