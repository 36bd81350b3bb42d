//! Making, changing, switching and removing policies, and going back.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{NOTHING, POLICIES, always, made, premium, tried};
use crate::support::{TestApi, problem};

#[actix_web::test]
async fn the_policy_of_the_plan_is_made_and_shown() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let response = api.send_as(&token, Method::POST, POLICIES, &premium()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let (location, tag) = (response.headers()["location"].clone(), response.headers()["etag"].clone());
    let made = response.json::<Value>().await.unwrap()["data"].clone();
    for (name, value) in premium().as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    assert_eq!((&made["is_enabled"], &made["priority"], &made["version"]), (&json!(true), &json!(0), &json!(1)));
    assert!(made["id"].is_string() && made["created_at"].is_string() && made["updated_at"] == made["created_at"]);

    let one = location.to_str().unwrap();
    let shown = api.get_as(one, &token).await;
    assert_eq!(shown.headers()["etag"], tag);
    assert_eq!(shown.json::<Value>().await.unwrap()["data"], made);
    let known = api.request(Method::GET, one).bearer_auth(&token).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let listed = api.done_as(&token, Method::GET, POLICIES, NOTHING).await;
    assert_eq!(listed, json!([made]));
    problem(api.send_as(&token, Method::POST, POLICIES, &premium()).await, StatusCode::CONFLICT).await;
    assert_eq!(api.count("audit_entries WHERE action = 'policy.create'").await, 1);
    assert_eq!(api.count("outbox WHERE kind = 'policy.changed'").await, 1);
}

#[actix_web::test]
async fn everything_wrong_with_a_policy_is_told_at_its_place() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let body = json!({
        "name": "", "is_enabled": "yes", "colour": "red", "priority": 1.5,
        "target": {"resource": "booking", "action": "cancell"},
        "rules": {"effect": "perhaps", "conditions": [{"user.roles": "x", "booking.amount": "> 5"}]},
    });
    let problem =
        problem(api.send_as(&token, Method::POST, POLICIES, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let errors = problem["errors"].as_array().unwrap();
    let mut found: Vec<&str> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(
        found,
        [
            "/colour",
            "/is_enabled",
            "/name",
            "/priority",
            "/rules/conditions/0/booking.amount",
            "/rules/conditions/0/user.roles",
            "/rules/effect",
            "/target/action",
        ]
    );
    assert!(errors.iter().any(|error| error["detail"].as_str().unwrap().contains("did you mean user.role?")));
    assert!(errors.iter().any(|error| error["detail"].as_str().unwrap().contains("did you mean cancel?")));
    assert_eq!(api.count("policies").await, 0);
    for (method, path, body) in [
        (Method::GET, format!("{POLICIES}?effect=maybe&colour=red"), Value::Null),
        (Method::POST, POLICIES.to_owned(), json!([])),
    ] {
        assert_eq!(tried(&api, &token, method, &path, &body).await, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
}

#[actix_web::test]
async fn a_change_names_the_version_and_each_is_kept() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let user = api.id_of(&token).await;
    let one = made(&api, &token, &premium()).await;
    let patch = |tag: String, body: Value| {
        let request = api.request(Method::PATCH, &one).bearer_auth(&token).header("If-Match", tag);
        async move { request.json(&body).send().await.unwrap() }
    };
    let tag = api.get_as(&one, &token).await.headers()["etag"].to_str().unwrap().to_owned();
    api.clock.advance(Duration::from_secs(60));
    let changed = patch(tag.clone(), json!({"description": null, "rules": {"conditions": [{"user.id": "x"}]}})).await;
    assert_eq!(changed.status(), StatusCode::OK);
    let data = changed.json::<Value>().await.unwrap()["data"].clone();
    assert_eq!(data["rules"], json!({"effect": "allow", "conditions": [{"user.id": "x"}]}));
    assert_eq!((data.get("description"), &data["version"]), (None, &json!(2)));
    assert_ne!(data["updated_at"], data["created_at"]);
    problem(patch(tag, json!({"priority": 1})).await, StatusCode::PRECONDITION_FAILED).await;
    for method in [Method::PATCH, Method::PUT, Method::DELETE] {
        let without = api.request(method, &one).bearer_auth(&token).json(&premium()).send().await.unwrap();
        problem(without, StatusCode::PRECONDITION_REQUIRED).await;
    }

    // Switched off, replaced, and what nothing says of the switch leaves it off.
    api.done_as(&token, Method::POST, &format!("{one}/disable"), NOTHING).await;
    api.done_as(&token, Method::POST, &format!("{one}/disable"), NOTHING).await;
    let replaced = api.done_as(&token, Method::PUT, &one, &always("Other", "deny", "booking", "*")).await;
    assert_eq!((&replaced["is_enabled"], &replaced["version"]), (&json!(false), &json!(4)));
    let versions = api.done_as(&token, Method::GET, &format!("{one}/versions?limit=3"), NOTHING).await;
    let numbers: Vec<i64> = versions.as_array().unwrap().iter().map(|v| v["version"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [4, 3, 2]);
    assert_eq!(versions[0]["changed_by"], json!({"kind": "user", "id": user}));
    assert_eq!(versions[0]["policy"]["name"], "Other");

    // Back to the first, which is a new version; it stays off.
    let back = api.done_as(&token, Method::POST, &format!("{one}/rollback"), &json!({"version": 1})).await;
    assert_eq!((&back["version"], &back["is_enabled"]), (&json!(5), &json!(false)));
    assert_eq!((&back["rules"], &back["name"]), (&premium()["rules"], &premium()["name"]));
    let first = api.done_as(&token, Method::GET, &format!("{one}/versions/1"), NOTHING).await;
    assert_eq!(first["policy"]["rules"], premium()["rules"]);
    let missing = format!("{one}/versions/9");
    assert_eq!(tried(&api, &token, Method::GET, &missing, NOTHING).await, StatusCode::NOT_FOUND);
    let to = |version: Value| json!({ "version": version });
    let path = format!("{one}/rollback");
    assert_eq!(tried(&api, &token, Method::POST, &path, &to(json!(9))).await, StatusCode::NOT_FOUND);
    assert_eq!(tried(&api, &token, Method::POST, &path, &to(json!("1"))).await, StatusCode::UNPROCESSABLE_ENTITY);

    api.done_as(&token, Method::DELETE, &one, NOTHING).await;
    problem(api.get_as(&one, &token).await, StatusCode::NOT_FOUND).await;
    assert_eq!(api.count("policy_versions").await, 0);
    assert_eq!(api.count("audit_entries WHERE target_kind = 'policy'").await, 6);
}

#[actix_web::test]
async fn of_changes_at_once_one_wins_and_a_repeat_counts_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let one = made(&api, &token, &premium()).await;
    let tag = api.get_as(&one, &token).await.headers()["etag"].to_str().unwrap().to_owned();
    let patches = (1..=8).map(|priority| {
        let request = api.request(Method::PATCH, &one).bearer_auth(&token).header("If-Match", &tag);
        request.json(&json!({ "priority": priority })).send()
    });
    let answers = join_all(patches).await;
    let won = answers.iter().filter(|answer| answer.as_ref().unwrap().status() == StatusCode::OK).count();
    assert_eq!((won, api.count("policy_versions").await), (1, 2));

    let create = || {
        let request = api.request(Method::POST, POLICIES).bearer_auth(&token).header("Idempotency-Key", "k1");
        request.json(&always("Once", "deny", "booking", "read")).send()
    };
    let first = create().await.unwrap().text().await.unwrap();
    assert_eq!(create().await.unwrap().text().await.unwrap(), first);
    assert_eq!(api.count("policies WHERE name = 'Once'").await, 1);
}

#[actix_web::test]
async fn policies_are_found_by_what_they_speak_of() {
    let api = TestApi::start().await;
    let token = api.administrator();
    for (name, effect, resource, action) in [
        ("a_100%", "allow", "booking", "cancel"),
        ("b", "deny", "booking", "*"),
        ("c", "deny", "role", "read"),
        ("A_1", "allow", "*", "*"),
    ] {
        let mut policy = always(name, effect, resource, action);
        policy["rules"]["conditions"] = json!([{"user.id": "nobody"}]);
        made(&api, &token, &policy).await;
    }
    let c = api.done_as(&token, Method::GET, &format!("{POLICIES}?name=c"), NOTHING).await;
    let path = format!("{POLICIES}/{}/disable", c[0]["id"].as_str().unwrap());
    api.done_as(&token, Method::POST, &path, NOTHING).await;
    let names = |query: &'static str| {
        let (api, token) = (&api, &token);
        async move {
            let found = api.done_as(token, Method::GET, &format!("{POLICIES}?{query}"), NOTHING).await;
            let names = found.as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap().to_owned());
            names.collect::<Vec<_>>().join(" ")
        }
    };
    assert_eq!(names("").await, "A_1 a_100% b c");
    assert_eq!(names("resource=booking").await, "a_100% b");
    assert_eq!(names("resource=*").await, "A_1");
    assert_eq!(names("action=*&effect=deny").await, "b");
    assert_eq!(names("enabled=false").await, "c");
    assert_eq!(names("name=a_").await, "a_100%");
    assert_eq!(names("name=0%25").await, "a_100%");
    let first = api.get_as(&format!("{POLICIES}?limit=3"), &token).await.json::<Value>().await.unwrap();
    let next = first["page"]["next"].as_str().unwrap();
    let rest = api.done_as(&token, Method::GET, &format!("{POLICIES}?limit=3&cursor={next}"), NOTHING).await;
    assert_eq!(rest[0]["name"], "c");
}

#[actix_web::test]
async fn policies_about_policies_count_for_each_and_for_lists() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let hidden = made(&api, &token, &always("hidden", "deny", "booking", "read")).await;
    let shown = made(&api, &token, &always("shown", "deny", "booking", "read")).await;
    let mut rule = always("hide", "deny", "policy", "*");
    rule["rules"]["conditions"] = json!([{"policy.name": "hidden", "user.role": "administrator"}]);
    made(&api, &token, &rule).await;
    for (method, body) in [(Method::GET, &Value::Null), (Method::DELETE, NOTHING), (Method::PUT, &premium())] {
        problem(api.send_as(&token, method, &hidden, body).await, StatusCode::NOT_FOUND).await;
    }
    api.done_as(&token, Method::GET, &shown, NOTHING).await;
    let listed = api.done_as(&token, Method::GET, POLICIES, NOTHING).await;
    let names: Vec<&str> = listed.as_array().unwrap().iter().map(|policy| policy["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["hide", "shown"]);

    // What no role gives, a policy gives for some.
    let mut rule = always("auditors read denies", "allow", "policy", "read");
    rule["rules"]["conditions"] = json!([{"policy.effect": "deny", "user.role": "member"}]);
    made(&api, &token, &rule).await;
    let member = api.user(&["member"], "api");
    let listed = api.done_as(&member, Method::GET, POLICIES, NOTHING).await;
    assert_eq!(listed.as_array().unwrap().len(), 3);
    api.done_as(&member, Method::GET, &shown, NOTHING).await;
    assert_eq!(tried(&api, &member, Method::DELETE, &shown, NOTHING).await, StatusCode::FORBIDDEN);
    let provider = api.user(&["provider"], "api");
    assert_eq!(tried(&api, &provider, Method::GET, POLICIES, NOTHING).await, StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn without_a_database_policies_are_not_told_why() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    api.get_as(POLICIES, &token).await;
    api.execute("DROP TABLE policy_versions").await;
    let response = api.send_as(&token, Method::POST, POLICIES, &premium()).await;
    let problem = problem(response, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert_eq!(problem.get("detail"), None);
    assert_eq!(api.count("policies").await, 0);
}
