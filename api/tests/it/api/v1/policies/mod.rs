//! `/api/v1/policies` and below.

mod assignments;
mod editing;
mod escalation;
mod left;
mod lists;
mod names;
mod questions;
mod sizes;
mod things;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::TestApi;

pub const POLICIES: &str = "/api/v1/policies";
pub const NOTHING: &Value = &Value::Null;

/// The policy of the plan.
pub fn premium() -> Value {
    json!({
        "name": "PremiumCustomerBookingPolicy",
        "description": "Allows premium customers to cancel bookings up to 24 hours before",
        "target": {"resource": "booking", "action": "cancel"},
        "rules": {
            "effect": "allow",
            "conditions": [{"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}]
        }
    })
}

/// A policy without conditions.
pub fn always(name: &str, effect: &str, resource: &str, action: &str) -> Value {
    json!({"name": name, "target": {"resource": resource, "action": action}, "rules": {"effect": effect}})
}

/// Makes a policy and gives its path.
pub async fn made(api: &TestApi, token: &str, policy: &Value) -> String {
    let made = api.done_as(token, Method::POST, POLICIES, policy).await;
    format!("{POLICIES}/{}", made["id"].as_str().unwrap())
}

/// What came of trying.
pub async fn tried(api: &TestApi, token: &str, method: Method, path: &str, body: &Value) -> StatusCode {
    api.send_as(token, method, path, body).await.status()
}

/// Makes a role of these permissions and gives its id.
pub async fn role(api: &TestApi, token: &str, name: &str, permissions: &[&str]) -> String {
    let body = json!({"name": name, "role_family": "Internal", "permissions": permissions});
    api.done_as(token, Method::POST, "/api/v1/roles", &body).await["id"].as_str().unwrap().to_owned()
}
