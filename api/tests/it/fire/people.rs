//! What is done with a person, and who they are afterwards.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Caller;
use super::random::Dice;
use super::work::Tenants;

/// The roles that are given and taken.
pub const ROLES: [&str; 3] = ["member", "provider", "auditor"];

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Create,
    Rename,
    Move,
    SetStatus(&'static str),
    GiveRole(&'static str),
    TakeRole(&'static str),
    /// Into another tenant.
    Invite,
    GiveRoleToGuest(&'static str),
    Dismiss,
    Delete,
}

/// Somebody with everything that is to be done with them.
#[derive(Debug, Clone)]
pub struct Script {
    pub number: usize,
    /// Where they live, and where they are a guest.
    pub home: usize,
    pub abroad: usize,
    pub steps: Vec<Step>,
}

impl Script {
    /// Steps that are possible one after the other.
    pub fn new(number: usize, length: usize, tenants: usize, dice: &mut Dice) -> Self {
        let home = dice.index(tenants);
        let abroad = (home + 1 + dice.index(tenants - 1)) % tenants;
        let (mut steps, mut roles, mut is_guest) = (vec![Step::Create], BTreeSet::new(), false);
        while steps.len() < length {
            let role = dice.pick(&ROLES);
            let step = match dice.below(10) {
                0..2 => Step::Rename,
                2 => Step::Move,
                3..5 => Step::SetStatus(dice.pick(&["active", "suspended", "inactive", "hold"])),
                5 if roles.contains(role) => Step::TakeRole(role),
                5..7 => Step::GiveRole(role),
                _ if !is_guest => Step::Invite,
                7..9 => Step::GiveRoleToGuest(role),
                _ => Step::Dismiss,
            };
            match &step {
                Step::GiveRole(role) => drop(roles.insert(*role)),
                Step::TakeRole(role) => drop(roles.remove(role)),
                Step::Invite => is_guest = true,
                Step::Dismiss => is_guest = false,
                _ => {}
            }
            steps.push(step);
        }
        if dice.below(4) == 0 {
            *steps.last_mut().unwrap() = Step::Delete;
        }
        Self { number, home, abroad, steps }
    }
}

/// Somebody as they have to be, by what was acknowledged.
#[derive(Debug, Clone, Default)]
pub struct Person {
    pub home: usize,
    pub abroad: usize,
    pub id: String,
    pub email: String,
    pub first_name: String,
    pub status: &'static str,
    pub roles: BTreeSet<&'static str>,
    pub guest: Option<BTreeSet<&'static str>>,
    pub is_gone: bool,
    /// How many entries of the audit trail whoever asked has to have: in which tenant, and what for.
    pub entries: BTreeMap<(usize, &'static str), usize>,
    /// Their names and addresses, each of which an entry of the audit trail tells once.
    pub values: Vec<String>,
}

impl Person {
    /// Has one step done.
    pub async fn take(&mut self, caller: &Caller<'_>, tenants: &Tenants, script: &Script, at: usize) {
        let (home, abroad) = (&tenants.list[self.home], &tenants.list[self.abroad]);
        let key = format!("person-{}-{at}", script.number);
        let path = format!("/api/v1/users/{}", self.id);
        let ask = async |tenant: &super::work::Tenant, method, path: &str, body: Value| {
            caller.acknowledged(&tenant.token, method, path, &key, &body).await
        };
        let entry = match &script.steps[at] {
            Step::Create => Some((self.home, "account.create")),
            Step::Invite => Some((self.abroad, "account.create")),
            Step::Dismiss => Some((self.abroad, "account.delete")),
            Step::Delete => Some((self.home, "account.delete")),
            Step::GiveRole(role) if !self.roles.contains(role) => Some((self.home, "role.assign")),
            Step::TakeRole(_) => Some((self.home, "role.assign")),
            Step::GiveRoleToGuest(role) if self.guest.as_ref().is_some_and(|roles| !roles.contains(role)) => {
                Some((self.abroad, "role.assign"))
            }
            _ => None,
        };
        if let Some(entry) = entry {
            *self.entries.entry(entry).or_default() += 1;
        }
        match &script.steps[at] {
            Step::Create => {
                self.email = format!("person-{}-{at}@people.example", script.number);
                self.first_name = format!("Name {} {at}", script.number);
                self.status = "active";
                let body = json!({"email": self.email, "first_name": self.first_name, "status": "active",
                    "password": "correct horse battery"});
                let made = ask(home, Method::POST, "/api/v1/users", body).await;
                made["data"]["id"].as_str().unwrap().clone_into(&mut self.id);
                self.values.extend([self.email.clone(), self.first_name.clone()]);
            }
            Step::Rename => {
                self.first_name = format!("Name {} {at}", script.number);
                let shown = ask(home, Method::PATCH, &path, json!({"first_name": self.first_name})).await;
                assert_eq!(shown["data"]["first_name"], self.first_name);
                self.values.push(self.first_name.clone());
            }
            Step::Move => {
                self.email = format!("person-{}-{at}@people.example", script.number);
                let shown = ask(home, Method::PATCH, &path, json!({"email": self.email})).await;
                assert_eq!(shown["data"]["email"], self.email);
                self.values.push(self.email.clone());
            }
            Step::SetStatus(status) => {
                self.status = status;
                let shown = ask(home, Method::PATCH, &path, json!({"status": status})).await;
                assert_eq!(shown["data"]["status"], *status);
            }
            Step::GiveRole(role) => {
                self.roles.insert(role);
                ask(home, Method::POST, &format!("{path}/roles"), json!({"role_id": home.role(role)})).await;
            }
            Step::TakeRole(role) => {
                self.roles.remove(role);
                ask(home, Method::DELETE, &format!("{path}/roles/{}", home.role(role)), Value::Null).await;
            }
            Step::Invite => {
                self.guest = Some(BTreeSet::new());
                ask(abroad, Method::PUT, &format!("{path}/membership"), Value::Null).await;
            }
            Step::GiveRoleToGuest(role) => {
                self.guest.as_mut().unwrap().insert(role);
                ask(abroad, Method::POST, &format!("{path}/roles"), json!({"role_id": abroad.role(role)})).await;
            }
            Step::Dismiss => {
                self.guest = None;
                ask(abroad, Method::DELETE, &format!("{path}/membership"), Value::Null).await;
            }
            Step::Delete => {
                (self.is_gone, self.guest) = (true, None);
                ask(home, Method::DELETE, &path, Value::Null).await;
            }
        }
    }
}
