//! Whom policies are for, and when that is known.

use std::time::Instant;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOTHING, POLICIES, always, made, role, tried};
use crate::support::{TestApi, a_second_after, client, problem};

const SETTINGS: &str = "/api/v1/tenant/settings";

async fn assign(api: &TestApi, token: &str, policy: &str, kind: &str, id: &str) -> String {
    let body = json!({"assignee_type": kind, "assignee_id": id});
    let made = api.done_as(token, Method::POST, &format!("{policy}/assignments"), &body).await;
    format!("{policy}/assignments/{}", made["id"].as_str().unwrap())
}

#[actix_web::test]
async fn a_policy_is_for_everyone_until_it_is_for_somebody() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let (one, other) = (api.user(&["member"], "api"), api.user(&["member"], "api"));
    let (one_id, _) = (api.id_of(&one).await, api.id_of(&other).await);
    let mut deny = always("closed", "deny", "tenant_settings", "read");
    deny["rules"]["conditions"] = json!([{"user.role": "member"}]);
    let policy = made(&api, &token, &deny).await;
    let see = |token: String| {
        let api = &api;
        async move { tried(api, &token, Method::GET, SETTINGS, NOTHING).await.as_u16() }
    };
    // The process that made the change knows at once.
    assert_eq!((see(one.clone()).await, see(other.clone()).await), (403, 403));
    let assignment = assign(&api, &token, &policy, "user", &one_id).await;
    assert_eq!((see(one.clone()).await, see(other.clone()).await), (403, 200));
    let listed = api.done_as(&token, Method::GET, &format!("{policy}/assignments"), NOTHING).await;
    assert_eq!((&listed[0]["assignee_type"], &listed[0]["assignee_id"]), (&json!("user"), &json!(one_id)));

    let twice = json!({"assignee_type": "user", "assignee_id": one_id});
    let again = api.send_as(&token, Method::POST, &format!("{policy}/assignments"), &twice).await;
    problem(again, StatusCode::CONFLICT).await;
    api.done_as(&token, Method::DELETE, &assignment, NOTHING).await;
    assert_eq!((see(one.clone()).await, see(other.clone()).await), (403, 403));
    problem(api.send_as(&token, Method::DELETE, &assignment, NOTHING).await, StatusCode::NOT_FOUND).await;

    // To a group, and to a role that is gone later: it comes to be for nobody, not for everyone.
    let group = api.done_as(&token, Method::POST, "/api/v1/groups", &json!({"name": "closed out"})).await;
    let group = group["id"].as_str().unwrap();
    assign(&api, &token, &policy, "group", group).await;
    assert_eq!((see(one.clone()).await, see(other.clone()).await), (200, 200));
    api.done_as(&token, Method::PUT, &format!("/api/v1/groups/{group}/members/{one_id}"), NOTHING).await;
    assert_eq!((see(one.clone()).await, see(other.clone()).await), (403, 200));
    let gone = role(&api, &token, "gone", &[]).await;
    let second = made(&api, &token, &always("for the gone", "deny", "tenant_settings", "read")).await;
    assign(&api, &token, &second, "role", &gone).await;
    api.done_as(&token, Method::DELETE, &format!("/api/v1/roles/{gone}"), NOTHING).await;
    assert_eq!(see(other).await, 200);
}

#[actix_web::test]
async fn an_allow_does_not_come_to_be_for_everyone_by_itself() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let (one, other) = (api.user(&["member"], "api"), api.user(&["member"], "api"));
    let (one_id, _) = (api.id_of(&one).await, api.id_of(&other).await);
    let see = |token: &str| {
        let (api, token) = (&api, token.to_owned());
        async move { tried(api, &token, Method::GET, "/api/v1/roles", NOTHING).await.as_u16() }
    };
    // For somebody from the beginning: nobody else had it for a moment.
    let mut allow = always("for one", "allow", "role", "read");
    allow["assigned_to"] = json!([{"assignee_type": "user", "assignee_id": one_id}]);
    let policy = made(&api, &token, &allow).await;
    assert_eq!((see(&one).await, see(&other).await), (200, 403));
    let entry = "SELECT changes AS value FROM audit_entries WHERE action = 'policy.create'";
    assert!(api.texts(entry).await[0].contains(&one_id));
    let listed = api.done_as(&token, Method::GET, &format!("{policy}/assignments"), NOTHING).await;
    let last = format!("{policy}/assignments/{}", listed[0]["id"].as_str().unwrap());
    // The last assignment of an allow that counts goes with a word only.
    let refused = problem(api.send_as(&token, Method::DELETE, &last, NOTHING).await, StatusCode::CONFLICT).await;
    assert_eq!(refused["type"], format!("{}/problems/last-assignment", api.url));
    let unsaid = format!("{last}?everyone=false");
    assert_eq!(tried(&api, &token, Method::DELETE, &unsaid, NOTHING).await, StatusCode::CONFLICT);
    assert_eq!(see(&other).await, 403);
    api.done_as(&token, Method::DELETE, &format!("{last}?everyone=true"), NOTHING).await;
    assert_eq!((see(&one).await, see(&other).await), (200, 200));
    // One that is switched off gives nothing to anybody.
    let again = assign(&api, &token, &policy, "user", &one_id).await;
    api.done_as(&token, Method::POST, &format!("{policy}/disable"), NOTHING).await;
    api.done_as(&token, Method::DELETE, &again, NOTHING).await;

    let nobody = "0190b2c4-0000-7000-8000-000000000001";
    let user = json!({"assignee_type": "user", "assignee_id": one_id});
    for (assigned_to, pointer) in [
        (json!([user, {"assignee_type": "role", "assignee_id": nobody}]), "/assigned_to/1/assignee_id"),
        (json!([user, user]), "/assigned_to/1"),
        (json!([{"assignee_type": "team", "assignee_id": nobody}]), "/assigned_to/0/assignee_type"),
        (json!([]), "/assigned_to"),
        (json!("everyone"), "/assigned_to"),
    ] {
        let mut policy = always("p", "allow", "role", "read");
        policy["assigned_to"] = assigned_to;
        let response = api.send_as(&token, Method::POST, POLICIES, &policy).await;
        let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{policy}");
    }
    assert_eq!(api.count("policies").await, 1);
    // Whom one may not assign to is not told from whom there is not.
    let reader = api.user(&["auditor"], "api");
    let to = |id: &str| json!({"assignee_type": "user", "assignee_id": id});
    for id in [nobody, &one_id] {
        let path = format!("{policy}/assignments");
        assert_eq!(tried(&api, &reader, Method::POST, &path, &to(id)).await, StatusCode::FORBIDDEN);
    }
}

#[actix_web::test]
async fn assignees_are_of_the_tenant() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let policy = made(&api, &token, &always("p", "deny", "booking", "read")).await;
    api.idp.add_tenant("other");
    let stranger = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    let stranger_id = api.id_of(&stranger).await;
    let path = format!("{policy}/assignments");
    for (body, pointer) in [
        (json!({"assignee_type": "user", "assignee_id": stranger_id}), "/assignee_id"),
        (json!({"assignee_type": "role", "assignee_id": stranger_id}), "/assignee_id"),
        (json!({"assignee_type": "group", "assignee_id": stranger_id}), "/assignee_id"),
        (json!({"assignee_type": "team", "assignee_id": stranger_id}), "/assignee_type"),
        (json!({"assignee_type": "user", "assignee_id": "x"}), "/assignee_id"),
        (json!({"assignee_type": "user"}), "/assignee_id"),
    ] {
        let response = api.send_as(&token, Method::POST, &path, &body).await;
        let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    for method in [Method::GET, Method::DELETE, Method::PATCH] {
        let body = if method == Method::PATCH { json!({"priority": 1}) } else { Value::Null };
        assert_eq!(tried(&api, &stranger, method, &policy, &body).await, StatusCode::NOT_FOUND);
    }
}

#[actix_web::test]
async fn another_replica_knows_within_a_second() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let member = api.user(&["member"], "api");
    let replica = api.replica(api.config.clone()).await;
    let at_replica = || async {
        let request = client().get(format!("{replica}{SETTINGS}")).bearer_auth(&member);
        request.send().await.unwrap().status()
    };
    assert_eq!(at_replica().await, StatusCode::OK);
    let mut deny = always("closed", "deny", "tenant_settings", "read");
    deny["rules"]["conditions"] = json!([{"user.role": "member"}]);
    let policy = made(&api, &token, &deny).await;
    a_second_after(Instant::now(), || async { at_replica().await == StatusCode::FORBIDDEN }).await;
    api.done_as(&token, Method::POST, &format!("{policy}/disable"), NOTHING).await;
    let changed = Instant::now();
    assert_eq!(api.get_as(SETTINGS, &member).await.status(), StatusCode::OK);
    a_second_after(changed, || async { at_replica().await == StatusCode::OK }).await;
    assert_eq!(api.done_as(&token, Method::GET, POLICIES, NOTHING).await[0]["is_enabled"], false);
}
