//! How much a tenant may say, and that what one has said is read once.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOTHING, POLICIES, always, made};
use crate::support::{TestApi, problem};

/// A policy with so many alternatives of two hundred values.
fn large(name: &str, alternatives: usize) -> Value {
    let mut policy = always(name, "deny", "booking", "cancel");
    let values = |at: usize| (0..200).map(|value| json!(at * 1_000 + value)).collect::<Vec<_>>();
    policy["rules"]["conditions"] =
        (0..alternatives).map(|at| json!({ "booking.guests": values(at) })).collect::<Vec<_>>().into();
    policy
}

#[actix_web::test]
async fn all_policies_together_have_a_size() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let mut paths = Vec::new();
    for number in 0..10 {
        paths.push(made(&api, &token, &large(&format!("p{number}"), 50)).await);
    }
    let one_more = large("one more", 1);
    let response = api.send_as(&token, Method::POST, POLICIES, &one_more).await;
    let refused = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(
        (&refused["errors"][0]["pointer"], &refused["errors"][0]["code"]),
        (&json!("/rules/conditions"), &json!("limit"))
    );
    // What is switched off does not count, what is replaced counts no more, and nothing comes back through a switch.
    let mut off = one_more.clone();
    off["is_enabled"] = json!(false);
    let off = made(&api, &token, &off).await;
    let response = api.send_as(&token, Method::POST, &format!("{off}/enable"), NOTHING).await;
    problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
    api.done_as(&token, Method::PUT, &paths[0], &large("p0", 49)).await;
    api.done_as(&token, Method::POST, &format!("{off}/enable"), NOTHING).await;
    let response = api.send_as(&token, Method::PUT, &paths[0], &large("p0", 50)).await;
    problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[actix_web::test]
async fn what_changes_between_policies_and_groups_counts_at_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let group = api.done_as(&token, Method::POST, "/api/v1/groups", &json!({"name": "night"})).await;
    let group = group["id"].as_str().unwrap().to_owned();
    let deny = made(&api, &token, &always("Closed", "deny", "tenant_settings", "read")).await;
    let to = json!({"assignee_type": "group", "assignee_id": group});
    api.done_as(&token, Method::POST, &format!("{deny}/assignments"), &to).await;
    let member = api.user(&["member"], "api");
    let id = api.id_of(&member).await;
    let settings = || async { api.get_as("/api/v1/tenant/settings", &member).await.status() };
    assert_eq!(settings().await, StatusCode::OK);
    // The policy stays what it was; whom it reaches changes with the group, and with what the group is called.
    let at = format!("/api/v1/groups/{group}/members/{id}");
    api.done_as(&token, Method::PUT, &at, NOTHING).await;
    assert_eq!(settings().await, StatusCode::FORBIDDEN);
    api.done_as(&token, Method::PATCH, &format!("/api/v1/groups/{group}"), &json!({"name": "day"})).await;
    assert_eq!(settings().await, StatusCode::FORBIDDEN);
    api.done_as(&token, Method::POST, &format!("{deny}/disable"), NOTHING).await;
    assert_eq!(settings().await, StatusCode::OK);
    api.done_as(&token, Method::POST, &format!("{deny}/enable"), NOTHING).await;
    assert_eq!(settings().await, StatusCode::FORBIDDEN);
    api.done_as(&token, Method::DELETE, &at, NOTHING).await;
    assert_eq!(settings().await, StatusCode::OK);
    // Of a permission that the tenant adds, policies can speak at once, and those that there were stay.
    api.done_as(&token, Method::POST, "/api/v1/permissions", &json!({"name": "invoice.send"})).await;
    made(&api, &token, &always("Invoices", "deny", "invoice", "send")).await;
    api.done_as(&token, Method::PUT, &at, NOTHING).await;
    assert_eq!(settings().await, StatusCode::FORBIDDEN);
}
