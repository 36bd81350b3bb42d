//! Tokens with which one acts in the name of another (RFC 8693 §4.1).

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, challenge, problem};

const ROLES: &str = "/api/v1/roles";
const SETTINGS: &str = "/api/v1/tenant/settings";

/// A token of the same person, with which `act` acts in their name.
fn acting(api: &TestApi, subject: &str, act: &Value) -> String {
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["sub"] = subject.into();
    claims["act"] = act.clone();
    api.idp.sign("demo", &claims)
}

#[actix_web::test]
async fn whoever_acts_for_another_is_named_and_gives_nothing_away() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let (admin_id, helper) = (api.id_of(&admin).await, api.user(&["member"], "api"));
    let helper_id = api.id_of(&helper).await;
    let token = acting(&api, &admin_id, &json!({"sub": helper_id, "act": {"sub": "some-broker"}}));

    let me = api.done_as(&token, Method::GET, "/api/v1/me", &Value::Null).await;
    assert_eq!(me["subject"], json!({"kind": "user", "id": admin_id}));
    assert_eq!(me["actor"], json!({"kind": "user", "id": helper_id}));

    // What they do is the person's, and says through whom.
    let settings = json!({"branding": {"display_name": "By another"}});
    api.done_as(&token, Method::PUT, SETTINGS, &settings).await;
    let path = "/api/v1/audit/entries?action=tenant_settings.update";
    let entries = api.done_as(&admin, Method::GET, path, &Value::Null).await;
    assert_eq!(entries[0]["actor"]["id"], admin_id.as_str());
    assert_eq!(entries[0]["actor"]["acting_party"], json!({"kind": "user", "id": helper_id}));

    // The person holds everything, and none of it is given to whoever acts for them, or made into a role or a policy.
    let all = api.done_as(&admin, Method::GET, ROLES, &Value::Null).await;
    let administrator = all.as_array().unwrap().iter().find(|role| role["name"] == "administrator").unwrap();
    let role = json!({"name": "Mine", "role_family": "Internal", "permissions": ["account.*"]});
    let allow = json!({"name": "Mine", "target": {"resource": "account", "action": "*"}, "rules": {"effect": "allow"}});
    for (path, body) in [
        (format!("/api/v1/users/{helper_id}/roles"), json!({"role_id": administrator["id"]})),
        (ROLES.to_owned(), role),
        ("/api/v1/policies".to_owned(), allow),
    ] {
        let refused = problem(api.send_as(&token, Method::POST, &path, &body).await, StatusCode::FORBIDDEN).await;
        assert!(refused["type"].as_str().unwrap().ends_with("/not-held"), "{refused}");
        assert!(api.send_as(&admin, Method::POST, &path, &body).await.status().is_success(), "{path}");
    }
}

#[actix_web::test]
async fn whoever_acts_for_another_does_not_become_them() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let admin_id = api.id_of(&admin).await;
    api.accounts.add(api.idp.tenant("demo").id, admin_id.parse().unwrap(), "admin@acme.example");
    let token = acting(&api, &admin_id, &json!({"sub": "some-broker"}));
    let before = api.accounts.get(api.idp.tenant("demo").id, &admin_id);
    for (path, change) in [
        (format!("/api/v1/users/{admin_id}"), json!({"email": "broker@evil.example"})),
        (format!("/api/v1/users/{admin_id}"), json!({"password": "chosenByTheBroker1"})),
        (format!("/api/v1/users/{admin_id}"), json!({"status": "inactive"})),
        ("/api/v1/users/me".to_owned(), json!({"email": "broker@evil.example"})),
        ("/api/v1/users/me".to_owned(), json!({"password": "chosenByTheBroker1"})),
    ] {
        let status = api.send_as(&token, Method::PATCH, &path, &change).await.status();
        assert!(status.is_client_error(), "{path} {change}: {status}");
    }
    assert_eq!(api.accounts.get(api.idp.tenant("demo").id, &admin_id), before);
}

#[actix_web::test]
async fn policies_know_who_acts() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let admin_id = api.id_of(&admin).await;
    let deny = json!({"name": "Nobody for another", "target": {"resource": "tenant_settings", "action": "*"},
        "rules": {"effect": "deny", "conditions": [{"env.actor": "exists"}]}});
    api.done_as(&admin, Method::POST, "/api/v1/policies", &deny).await;
    assert_eq!(api.get_as(SETTINGS, &admin).await.status(), StatusCode::OK);
    let token = acting(&api, &admin_id, &json!({"sub": "some-broker"}));
    problem(api.get_as(SETTINGS, &token).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn nobody_acts_who_may_not() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let (admin_id, helper) = (api.id_of(&admin).await, api.user(&["member"], "api"));
    let helper_id = api.id_of(&helper).await;
    let token = acting(&api, &admin_id, &json!({ "sub": helper_id }));
    assert_eq!(api.get_as(SETTINGS, &token).await.status(), StatusCode::OK);
    let off = json!({"status": "suspended"});
    let path = format!("/api/v1/users/{helper_id}");
    api.accounts.add(api.idp.tenant("demo").id, helper_id.parse().unwrap(), "helper@acme.example");
    api.done_as(&admin, Method::PATCH, &path, &off).await;
    let stranger = acting(&api, &admin_id, &json!({"sub": "0190b2c4-0000-7000-8000-000000000009"}));
    for token in [token, stranger] {
        let response = api.get_as(SETTINGS, &token).await;
        assert!(challenge(&response).contains("invalid_token"));
        problem(response, StatusCode::UNAUTHORIZED).await;
    }
}

#[actix_web::test]
async fn a_chain_that_is_none_is_refused() {
    let api = TestApi::start().await;
    let admin_id = api.id_of(&api.administrator()).await;
    let mut endless = json!({"sub": "a"});
    for _ in 0..5 {
        endless = json!({"sub": "a", "act": endless});
    }
    let elsewhere = json!({"sub": "a", "iss": "https://elsewhere.example"});
    for act in [
        json!("a"),
        json!([]),
        json!(null),
        json!({}),
        json!({"sub": ""}),
        json!({"sub": 1}),
        json!({"sub": "a".repeat(255)}),
        json!({"sub": "a", "act": "b"}),
        json!({"sub": "a", "act": {}}),
        endless,
        elsewhere,
    ] {
        let response = api.get_as(SETTINGS, &acting(&api, &admin_id, &act)).await;
        problem(response, StatusCode::UNAUTHORIZED).await;
    }
}
