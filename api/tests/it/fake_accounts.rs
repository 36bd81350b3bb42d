//! The accounts at an identity provider that does what a test tells it: the contract that the directory relies on.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tenantry_api::directory::{AccountProvider, Answered, ProviderAccount, ProviderError};
use tenantry_types::{Clock as _, InputError, Problem, SystemClock, TenantId, UserId};
use tokio::sync::watch;

type Roles = (i64, Vec<String>);

/// Accounts by tenant and id.
#[derive(Debug, Default)]
pub struct FakeAccounts {
    accounts: Mutex<BTreeMap<(String, String), Value>>,
    members: Mutex<Vec<(String, String)>>,
    /// By tenant and person, as they were set, with their versions.
    roles: Mutex<BTreeMap<(String, String), Roles>>,
    /// Answers nothing, and does nothing.
    pub is_down: AtomicBool,
    /// Does what it is asked to, and its answer is lost.
    pub loses_answers: AtomicBool,
    /// Does what it is asked to, and answers when this is false again.
    pub is_slow: watch::Sender<bool>,
    /// Another program sets the roles of somebody right after each time that they are set.
    pub is_contested: AtomicBool,
    /// How many times it was asked who somebody is.
    pub asked: AtomicUsize,
    /// How many times it was asked to set roles.
    pub roles_set: AtomicUsize,
}

fn key(tenant: TenantId, id: UserId) -> (String, String) {
    (tenant.to_string(), id.to_string())
}

fn refused(problem: Problem) -> ProviderError {
    ProviderError::Refused(Box::new(problem))
}

fn account(value: &Value) -> ProviderAccount {
    serde_json::from_value(value.clone()).unwrap()
}

impl FakeAccounts {
    /// Somebody as they are there; `null` where there is nobody.
    pub fn get(&self, tenant: TenantId, id: &str) -> Value {
        self.accounts.lock().unwrap().get(&(tenant.to_string(), id.to_owned())).cloned().unwrap_or_default()
    }

    /// Somebody who is there, whatever this service knows.
    pub fn add(&self, tenant: TenantId, id: UserId, email: &str) {
        let value = fresh(tenant, id, &json!({ "email": email, "status": "active" }));
        self.accounts.lock().unwrap().insert(key(tenant, id), value);
    }

    /// The roles that somebody has there, in the first tenant where they were set.
    pub fn roles_of(&self, id: &str) -> Option<Roles> {
        let roles = self.roles.lock().unwrap();
        roles.iter().find(|((_, other), _)| other == id).map(|(_, roles)| roles.clone())
    }

    /// The roles that somebody has there in a tenant.
    pub fn roles_in(&self, tenant: TenantId, id: UserId) -> Option<Roles> {
        self.roles.lock().unwrap().get(&key(tenant, id)).cloned()
    }

    /// Another program sets the roles that somebody has in a tenant.
    pub fn put_roles(&self, tenant: TenantId, id: UserId, version: i64, names: &[&str]) {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        self.roles.lock().unwrap().insert(key(tenant, id), (version, names));
    }

    /// Somebody as a tenant sees them: with the roles that they have there, and not where they are at home.
    fn shown(&self, tenant: TenantId, id: UserId, value: &Value) -> ProviderAccount {
        let mut value = value.clone();
        let is_guest = value["tenant_id"] != tenant.as_str();
        let nothing = is_guest.then(Roles::default);
        if let Some((version, names)) = self.roles.lock().unwrap().get(&key(tenant, id)).cloned().or(nothing) {
            (value["roles"], value["roles_version"]) = (json!(names), json!(version));
        }
        account(&value)
    }

    fn answer<T: Send + 'static>(&self, act: impl FnOnce() -> Result<T, ProviderError>) -> Answered<'static, T> {
        let away = |reason: &str| Err(ProviderError::Unavailable(reason.to_owned()));
        let answer = if self.is_down.load(Ordering::SeqCst) {
            away("it is down")
        } else {
            let done = act();
            if self.loses_answers.load(Ordering::SeqCst) { away("the answer was lost") } else { done }
        };
        let mut is_slow = self.is_slow.subscribe();
        Box::pin(async move {
            drop(is_slow.wait_for(|is_slow| !is_slow).await);
            answer
        })
    }
}

fn fresh(tenant: TenantId, id: UserId, wanted: &Value) -> Value {
    let now = SystemClock.now();
    let mut value = json!({
        "id": id, "tenant_id": tenant, "username": wanted["email"], "email": wanted["email"], "email_verified": false,
        "status": "active", "created_at": now, "updated_at": now,
    });
    merge(&mut value, wanted);
    value
}

fn merge(value: &mut Value, changes: &Value) {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value["updated_at"] = json!(SystemClock.now());
}

impl AccountProvider for FakeAccounts {
    fn create(&self, tenant: TenantId, id: UserId, wanted: Value) -> Answered<'_, ProviderAccount> {
        self.answer(|| {
            let mut accounts = self.accounts.lock().unwrap();
            if let Some(there) = accounts.get(&key(tenant, id)) {
                return Ok(self.shown(tenant, id, there));
            }
            if wanted["password"].as_str().is_some_and(|password| password.len() < 8) {
                let errors = vec![InputError::new("/password", "too_short", "at least 8 characters")];
                return Err(refused(Problem::invalid_input().with_errors(errors)));
            }
            let is_taken = |(place, other): (&(String, String), &Value)| {
                place.0 == tenant.as_str() && other["email"] == wanted["email"]
            };
            if accounts.iter().any(is_taken) {
                let errors = vec![InputError::new("/email", "taken", "somebody has it")];
                return Err(refused(Problem::conflict().with_errors(errors)));
            }
            let mut value = fresh(tenant, id, &wanted);
            (value["roles"], value["roles_version"]) = (json!([]), json!(0));
            accounts.insert(key(tenant, id), value.clone());
            Ok(self.shown(tenant, id, &value))
        })
    }

    fn change(&self, tenant: TenantId, id: UserId, changes: Value) -> Answered<'_, ProviderAccount> {
        self.answer(|| {
            let mut accounts = self.accounts.lock().unwrap();
            let value = accounts.get_mut(&key(tenant, id)).ok_or_else(|| refused(Problem::not_found()))?;
            merge(value, &changes);
            Ok(self.shown(tenant, id, value))
        })
    }

    fn remove(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()> {
        self.answer(|| {
            self.accounts.lock().unwrap().remove(&key(tenant, id));
            Ok(())
        })
    }

    fn find(&self, tenant: TenantId, id: UserId) -> Answered<'_, Option<ProviderAccount>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.answer(|| {
            let accounts = self.accounts.lock().unwrap();
            let is_member = self.members.lock().unwrap().contains(&key(tenant, id));
            let of =
                |(place, other): &(String, String)| other == id.as_str() && (is_member || place == tenant.as_str());
            Ok(accounts.iter().find(|(place, _)| of(place)).map(|(_, value)| self.shown(tenant, id, value)))
        })
    }

    fn invite(&self, tenant: TenantId, id: UserId) -> Answered<'_, ProviderAccount> {
        self.answer(|| {
            let accounts = self.accounts.lock().unwrap();
            let home = accounts.iter().find(|((_, other), _)| other == id.as_str());
            let (_, value) = home.ok_or_else(|| refused(Problem::not_found()))?;
            self.members.lock().unwrap().push(key(tenant, id));
            Ok(self.shown(tenant, id, value))
        })
    }

    fn dismiss(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()> {
        self.answer(|| {
            self.members.lock().unwrap().retain(|member| *member != key(tenant, id));
            self.roles.lock().unwrap().remove(&key(tenant, id));
            Ok(())
        })
    }

    fn set_roles(&self, tenant: TenantId, id: UserId, version: i64, names: Vec<String>) -> Answered<'_, i64> {
        self.answer(|| {
            self.roles_set.fetch_add(1, Ordering::SeqCst);
            let mut roles = self.roles.lock().unwrap();
            if roles.get(&key(tenant, id)).is_none_or(|(known, _)| *known <= version) {
                roles.insert(key(tenant, id), (version, names));
            }
            if self.is_contested.load(Ordering::SeqCst) {
                roles.insert(key(tenant, id), (version + 1, vec!["administrator".to_owned()]));
            }
            Ok(roles[&key(tenant, id)].0)
        })
    }
}
