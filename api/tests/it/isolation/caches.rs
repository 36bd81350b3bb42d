//! What is remembered of one tenant, and what tells of changes to it, is that tenant's alone: also for people who have one
//! id in two tenants, and for things that are called the same.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SystemClock, SystemRandom, UserId};

use super::Tenant;
use super::operations::{Operation, operations};
use crate::support::{TestApi, client, within};

/// The tokens of one person in two tenants, with their roles in each.
fn in_both(api: &TestApi, roles: [&str; 2]) -> [String; 2] {
    let id = UserId::new(&SystemClock, &SystemRandom);
    let token = |slug: &str, role: &str| {
        let mut claims = api.idp.user_claims(slug, &api.url);
        claims["sub"] = json!(id);
        claims["roles"] = json!([role]);
        api.idp.sign(slug, &claims)
    };
    [token("amber", roles[0]), token("birch", roles[1])]
}

async fn status(url: &str, path: &str, token: &str) -> StatusCode {
    client().get(format!("{url}{path}")).bearer_auth(token).send().await.unwrap().status()
}

/// What somebody is answered to everything that can be read, at one replica.
async fn answers(url: &str, operations: &[Operation], of: &Tenant, token: &str) -> Vec<(String, StatusCode, String)> {
    let mut answers = Vec::new();
    let reads = operations.iter().filter(|operation| operation.method == Method::GET);
    for operation in reads.filter(|operation| !operation.path.contains("/access/logs")) {
        let path = operation.path_to(&of.things);
        let response = client().get(format!("{url}{path}")).bearer_auth(token).send().await.unwrap();
        let status = response.status();
        let text = if status.is_success() { response.text().await.unwrap() } else { String::new() };
        answers.push((path, status, text));
    }
    answers
}

#[actix_web::test]
async fn what_is_remembered_of_somebody_in_one_tenant_does_not_count_in_another() {
    let api = TestApi::start().await;
    let (amber, birch) = (Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await);
    let operations = operations(&api).await;
    let [administrator, member] = in_both(&api, ["administrator", "member"]);
    let cold = api.replica(api.config.clone()).await;
    // Both are known from here on, so that looking changes nothing.
    for token in [&administrator, &member] {
        assert_eq!(status(&cold, "/api/v1/me", token).await, StatusCode::OK);
    }
    let cold = api.replica(api.config.clone()).await;
    let expected = answers(&cold, &operations, &birch, &member).await;
    let refused = expected.iter().filter(|(_, status, _)| *status == StatusCode::FORBIDDEN).count();
    assert!(refused >= 10, "{refused}");
    let warming = answers(&api.url, &operations, &amber, &administrator).await;
    assert!(warming.iter().filter(|(_, status, _)| *status == StatusCode::OK).count() >= 20);
    assert_eq!(answers(&api.url, &operations, &birch, &member).await, expected);
    // And the other way round: being a member there takes nothing away here.
    assert_eq!(answers(&api.url, &operations, &amber, &administrator).await.len(), warming.len());
    for (path, status, text) in answers(&api.url, &operations, &birch, &administrator).await {
        // The token says where it counts.
        assert!(!status.is_success() || !text.contains(&birch.marker), "{path}: {text}");
    }
}

#[actix_web::test]
async fn things_that_are_called_the_same_are_not_the_same() {
    let api = TestApi::start().await;
    let tenants = [Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await];
    let may = ["role.read", "group.read"];
    let mut roles = Vec::new();
    for (tenant, permission) in tenants.iter().zip(may) {
        let role = json!({"name": "Desk", "role_family": "Internal", "permissions": [permission]});
        let made = api.done_as(&tenant.token, Method::POST, "/api/v1/roles", &role).await;
        roles.push(made["id"].as_str().unwrap().to_owned());
        let person = json!({"email": "desk@example.com", "status": "active"});
        api.done_as(&tenant.token, Method::POST, "/api/v1/users", &person).await;
    }
    let replica = api.replica(api.config.clone()).await;
    let [amber, birch] = in_both(&api, ["Desk", "Desk"]);
    let paths = ["/api/v1/roles", "/api/v1/groups"];
    for url in [&api.url, &replica] {
        for (token, allowed) in [(&amber, paths[0]), (&birch, paths[1])] {
            for path in paths {
                let expected = if path == allowed { StatusCode::OK } else { StatusCode::FORBIDDEN };
                assert_eq!(status(url, path, token).await, expected, "{path}");
            }
        }
    }
    // A policy of the one, and then its role, is changed: every replica learns it, and nothing becomes of the other's.
    let nobody = json!({"name": "Desk", "target": {"resource": "role", "action": "read"}, "rules": {"effect": "deny",
        "conditions": [{"user.role": "Desk"}]}});
    let policy = api.done_as(&tenants[0].token, Method::POST, "/api/v1/policies", &nobody).await;
    let everybody = json!({"name": "Desk", "target": {"resource": "role", "action": "read"}, "rules": {"effect": "allow",
        "conditions": [{"user.role": "Desk"}]}});
    api.done_as(&tenants[1].token, Method::POST, "/api/v1/policies", &everybody).await;
    for url in [&api.url, &replica] {
        let is_so = || async {
            status(url, paths[0], &amber).await == StatusCode::FORBIDDEN
                && status(url, paths[0], &birch).await == StatusCode::OK
        };
        within(Duration::from_secs(10), is_so).await;
    }
    let path = format!("/api/v1/policies/{}", policy["id"].as_str().unwrap());
    api.done_as(&tenants[0].token, Method::DELETE, &path, &Value::Null).await;
    let path = format!("/api/v1/roles/{}", roles[1]);
    api.done_as(&tenants[1].token, Method::PATCH, &path, &json!({"permissions": []})).await;
    for url in [&api.url, &replica] {
        let is_so = || async {
            status(url, paths[0], &amber).await == StatusCode::OK
                && status(url, paths[1], &birch).await == StatusCode::FORBIDDEN
        };
        within(Duration::from_secs(10), is_so).await;
    }
}

#[actix_web::test]
async fn who_is_gone_from_one_tenant_stays_in_another() {
    let api = TestApi::start().await;
    let tenants = [Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await];
    let replica = api.replica(api.config.clone()).await;
    let [amber, birch] = in_both(&api, ["administrator", "member"]);
    let me = "/api/v1/me";
    for url in [&api.url, &replica] {
        for token in [&amber, &birch] {
            assert_eq!(status(url, me, token).await, StatusCode::OK);
        }
    }
    let id = api.id_of(&amber).await;
    assert_eq!(id, api.id_of(&birch).await);
    api.done_as(&tenants[0].token, Method::DELETE, &format!("/api/v1/users/{id}"), &Value::Null).await;
    for url in [&api.url, &replica] {
        within(Duration::from_secs(10), || async { status(url, me, &amber).await == StatusCode::UNAUTHORIZED }).await;
        assert_eq!(status(url, me, &birch).await, StatusCode::OK);
    }
    // The whole tenant, likewise.
    let path = format!("/api/v1/tenants/{}/suspend", tenants[0].id);
    api.done_as(&api.platform(), Method::POST, &path, &Value::Null).await;
    for url in [&api.url, &replica] {
        let is_so = || async { status(url, me, &tenants[0].token).await == StatusCode::UNAUTHORIZED };
        within(Duration::from_secs(10), is_so).await;
        for token in [&birch, &tenants[1].token] {
            assert_eq!(status(url, me, token).await, StatusCode::OK);
        }
    }
}
