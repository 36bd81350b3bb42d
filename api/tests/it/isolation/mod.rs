//! No tenant sees, changes or learns anything of another. What is tried here is not written by hand: every operation of the
//! OpenAPI document is called with the ids, names, tokens, cursors, entity tags and keys of somebody else's things, and is
//! to answer as it does of things that nobody has.

mod caches;
mod ids;
mod kept;
mod logs;
mod operations;
mod platform;
mod residence;

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};
use tenantry_types::{SessionId, SystemClock, SystemRandom};

use self::operations::Operation;
use crate::support::TestApi;

/// A tenant with one of everything that a tenant can have, and another of what is listed.
pub struct Tenant {
    pub slug: &'static str,
    pub id: String,
    /// Of an administrator.
    pub token: String,
    /// In the name of everything that it has.
    pub marker: String,
    /// What it has, by the parameters that name it in paths: `role_id`, or `users/id` where the parameter says too little.
    pub things: BTreeMap<String, String>,
}

impl Tenant {
    /// `slug` with things that this or another process at `url` keeps.
    pub async fn furnish(api: &TestApi, slug: &'static str) -> Self {
        let id = api.idp.add_tenant(slug).id.to_string();
        let token = api.idp.sign(slug, &api.idp.user_claims(slug, &api.url));
        api.id_of(&token).await;
        let mut tenant = Self { slug, id, token, marker: format!("known-to-{slug}-only"), things: BTreeMap::new() };
        tenant.things = tenant.make_everything(api).await;
        tenant
    }

    /// How a permission is called that only this tenant has.
    pub fn permission(&self) -> String {
        format!("{}_only.read", self.slug)
    }

    pub fn email(&self) -> String {
        format!("{}@example.com", self.marker)
    }

    pub fn domain(&self) -> String {
        format!("{}.example", self.marker)
    }

    async fn make(&self, api: &TestApi, path: &str, body: Value) -> String {
        let made = api.done_as(&self.token, Method::POST, path, &body).await;
        made["id"].as_str().unwrap_or_default().to_owned()
    }

    async fn make_everything(&self, api: &TestApi) -> BTreeMap<String, String> {
        let Self { marker, token, id, .. } = self;
        let (mut things, mut roles) = (BTreeMap::new(), Vec::new());
        // Two of each, so that a page of one has another after it. What the paths name is the second.
        for name in [format!("{marker}-2"), marker.clone()] {
            let email = format!("{name}@example.com");
            let person = json!({"email": email, "first_name": name, "status": "active"});
            let person = self.make(api, "/api/v1/users", person).await;
            let role = json!({"name": name, "role_family": "Internal", "description": name});
            let role = self.make(api, "/api/v1/roles", role).await;
            roles.push(role.clone());
            let group = self.make(api, "/api/v1/groups", json!({"name": name})).await;
            let resource = self.permission().replace(".read", if name == *marker { "" } else { "_2" });
            let permission = json!({"name": format!("{resource}.read"), "description": name});
            let permission = self.make(api, "/api/v1/permissions", permission).await;
            let policy = json!({"name": name, "target": {"resource": "booking", "action": "read"},
                "rules": {"effect": "allow", "conditions": [{"user.id": person}]}});
            let policy = self.make(api, "/api/v1/policies", policy).await;
            let domain = json!({"domain": format!("{name}.example")});
            self.make(api, &format!("/api/v1/tenants/{id}/domains"), domain).await;
            things.extend([
                ("user_id", person.clone()),
                ("users/id", person),
                ("role_id", role),
                ("group_id", group),
                ("permission_id", permission),
                ("policy_id", policy),
            ]);
        }
        let (policy, group) = (&things["policy_id"], &things["group_id"]);
        let mut assignment = String::new();
        for (kind, of) in [("role", "role_id"), ("user", "user_id")] {
            let assigned = json!({"assignee_type": kind, "assignee_id": things[of]});
            assignment = self.make(api, &format!("/api/v1/policies/{policy}/assignments"), assigned).await;
        }
        let renamed = json!({"description": marker});
        api.done_as(token, Method::PATCH, &format!("/api/v1/policies/{policy}"), &renamed).await;
        let settings = json!({"branding": {"display_name": marker}});
        api.done_as(token, Method::PUT, "/api/v1/tenant/settings", &settings).await;
        let caller = api.id_of(token).await;
        let members = [&things["user_id"], &caller].map(|id| format!("members/{id}"));
        for path in members.into_iter().chain(roles.iter().map(|id| format!("roles/{id}"))) {
            api.done_as(token, Method::PUT, &format!("/api/v1/groups/{group}/{path}"), &Value::Null).await;
        }
        for role in roles {
            let given = json!({"role_id": role});
            api.done_as(token, Method::POST, &format!("/api/v1/users/{}/roles", things["user_id"]), &given).await;
        }
        let mut session = String::new();
        for _ in 0..2 {
            session = SessionId::new(&SystemClock, &SystemRandom).to_string();
            api.idp.add_session(self.slug, &caller, &session, &json!({"user_agent": marker}));
        }
        let trail = api.done_as(token, Method::GET, "/api/v1/audit/entries", &Value::Null).await;
        things.extend([
            ("assignment_id", assignment),
            ("entries/id", trail[0]["id"].as_str().unwrap().to_owned()),
            ("sessions/id", session),
            ("tenants/id", id.clone()),
            ("domain", self.domain()),
            // Every tenant has the modules of the service, and a first version.
            ("name", "bookings".to_owned()),
            ("version", "1".to_owned()),
        ]);
        things.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// The ids of its things, and its own.
    pub fn ids(&self) -> impl Iterator<Item = &String> {
        self.things.values().filter(|value| value.parse::<tenantry_types::TenantId>().is_ok())
    }

    /// All that it sees of itself but for what grows with every look.
    async fn picture(&self, api: &TestApi, operations: &[Operation]) -> Vec<String> {
        let mut seen = Vec::new();
        for operation in operations {
            let grows = operation.path.contains("/audit/") || operation.path.contains("/access/");
            if operation.method == Method::GET && !grows {
                let path = operation.path_to(&self.things);
                let response = api.get_as(&path, &self.token).await;
                let status = response.status();
                // A problem names its own request.
                let text = if status.is_success() { response.text().await.unwrap() } else { String::new() };
                seen.push(format!("{path} {status} {text}"));
            }
        }
        seen
    }
}
