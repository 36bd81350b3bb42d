//! No tenant sees, changes or learns anything of another. What is tried here is not written by hand: every operation of the
//! OpenAPI document is called by a stranger with the ids, cursors, entity tags and keys of somebody else's things.

use std::collections::BTreeMap;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SessionId, SystemClock, SystemRandom};

use crate::support::TestApi;

/// What is in the name of everything that the tenant `demo` makes.
const SECRET: &str = "known-to-demo-only";

struct Operation {
    method: Method,
    path: String,
    parameters: Vec<String>,
    has_list: bool,
    example: Option<Value>,
}

/// The operations that need a token.
async fn operations(api: &TestApi) -> Vec<Operation> {
    let document: Value = api.get("/api/v1/openapi.json").await.json().await.unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let named = |place: &str| {
                let found = parameters.iter().filter(|parameter| parameter["in"] == place);
                found.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
            };
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                parameters: named("path"),
                has_list: named("query").iter().any(|name| name == "cursor"),
                example: operation.pointer("/requestBody/content/application~1json/example").cloned(),
            });
        }
    }
    assert!(operations.len() > 20);
    operations
}

/// One of everything that a tenant can have, by the parameters that name it in paths.
async fn belongings(api: &TestApi, token: &str) -> BTreeMap<String, String> {
    let make = |path: &'static str, body: Value| async move {
        let made = api.done_as(token, Method::POST, path, &body).await;
        made["id"].as_str().unwrap().to_owned()
    };
    let user_id = api.id_of(token).await;
    let role_id = make("/api/v1/roles", json!({"name": SECRET, "role_family": "Internal"})).await;
    make("/api/v1/roles", json!({"name": format!("{SECRET} 2"), "role_family": "Internal"})).await;
    let group_id = make("/api/v1/groups", json!({"name": SECRET})).await;
    make("/api/v1/groups", json!({"name": format!("{SECRET} 2")})).await;
    let permission = json!({"name": "demo_only.read", "description": SECRET});
    let permission_id = make("/api/v1/permissions", permission).await;
    let policy = |name: String| json!({"name": name, "target": {"resource": "booking", "action": "read"}, "rules": {"effect": "deny"}});
    let policy_id = make("/api/v1/policies", policy(SECRET.to_owned())).await;
    make("/api/v1/policies", policy(format!("{SECRET} 2"))).await;
    let assigned = json!({"assignee_type": "user", "assignee_id": user_id});
    let assigned =
        api.done_as(token, Method::POST, &format!("/api/v1/policies/{policy_id}/assignments"), &assigned).await;
    let settings = json!({"branding": {"display_name": SECRET}});
    api.done_as(token, Method::PUT, "/api/v1/tenant/settings", &settings).await;
    for path in [format!("members/{user_id}"), format!("roles/{role_id}")] {
        api.done_as(token, Method::PUT, &format!("/api/v1/groups/{group_id}/{path}"), &Value::Null).await;
    }
    let session_id = SessionId::new(&SystemClock, &SystemRandom).to_string();
    for id in [session_id.as_str(), SessionId::new(&SystemClock, &SystemRandom).as_str()] {
        api.idp.add_session("demo", &user_id, id, &json!({"user_agent": SECRET}));
    }
    let entry = api.texts("SELECT id AS value FROM audit_entries ORDER BY id").await.swap_remove(0);
    BTreeMap::from([
        ("user_id".to_owned(), user_id.clone()),
        ("role_id".to_owned(), role_id),
        ("group_id".to_owned(), group_id),
        ("permission_id".to_owned(), permission_id),
        ("audit/id".to_owned(), entry),
        ("tenants/id".to_owned(), api.idp.tenant("demo").id.to_string()),
        ("sessions/id".to_owned(), session_id),
        ("users/id".to_owned(), user_id),
        ("domain".to_owned(), format!("{SECRET}.example")),
        ("name".to_owned(), "bookings".to_owned()),
        ("policy_id".to_owned(), policy_id),
        ("assignment_id".to_owned(), assigned["id"].as_str().unwrap().to_owned()),
        ("version".to_owned(), "1".to_owned()),
    ])
}

impl Operation {
    fn path_with(&self, ids: &BTreeMap<String, String>) -> String {
        self.parameters.iter().fold(self.path.clone(), |path, name| {
            let kind = self.path.split('/').nth(3).unwrap_or_default();
            let id = ids.get(&format!("{kind}/{name}")).or_else(|| ids.get(name));
            let id = id.unwrap_or_else(|| panic!("say in `belongings` what {name} of {path} is"));
            path.replace(&format!("{{{name}}}"), id)
        })
    }

    async fn call(&self, api: &TestApi, token: &str, path: &str) -> Response {
        let request = api.request(self.method.clone(), path).bearer_auth(token).header("If-Match", "*");
        match &self.example {
            Some(example) => request.json(example).send().await.unwrap(),
            None => request.send().await.unwrap(),
        }
    }
}

/// All that the tenant sees of itself but for what grows with every look.
async fn picture(api: &TestApi, token: &str, operations: &[Operation], ids: &BTreeMap<String, String>) -> Vec<String> {
    let mut seen = Vec::new();
    for operation in operations {
        let grows = operation.path.contains("/audit/") || operation.path.contains("/access/");
        if operation.method == Method::GET && !grows {
            let path = operation.path_with(ids);
            let response = operation.call(api, token, &path).await;
            let status = response.status();
            // A problem names its own request.
            let text = if status.is_success() { response.text().await.unwrap() } else { String::new() };
            seen.push(format!("{path} {status} {text}"));
        }
    }
    seen
}

#[actix_web::test]
async fn a_stranger_gets_nowhere() {
    let api = TestApi::start().await;
    let (own, operations) = (api.administrator(), operations(&api).await);
    let ids = belongings(&api, &own).await;
    api.idp.add_tenant("other");
    let stranger = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    api.id_of(&stranger).await;
    let before = picture(&api, &own, &operations, &ids).await;
    for operation in &operations {
        let path = operation.path_with(&ids);
        let response = operation.call(&api, &stranger, &path).await;
        let (status, etag) = (response.status(), response.headers().get("etag").cloned());
        let text = response.text().await.unwrap();
        let what = format!("{} {path}: {status} {text}", operation.method);
        assert!(!text.contains(SECRET), "{what}");
        let shown = ids.values().filter(|id| id.contains('-') && id.len() > 20 && text.contains(*id)).count();
        assert_eq!(shown, 0, "{what}");
        if !operation.parameters.is_empty() {
            let refusals = [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY];
            assert!(refusals.contains(&status), "{what}");
            assert_eq!(etag, None, "{what}");
        }
        assert!(!status.is_server_error(), "{what}");
    }
    assert_eq!(picture(&api, &own, &operations, &ids).await, before);
}

#[actix_web::test]
async fn cursors_and_entity_tags_of_another_tenant_are_worth_nothing() {
    let api = TestApi::start().await;
    let (own, operations) = (api.administrator(), operations(&api).await);
    let ids = belongings(&api, &own).await;
    api.idp.add_tenant("other");
    let stranger = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    api.id_of(&stranger).await;
    let (mut cursors, mut tags) = (0, 0);
    for operation in operations.iter().filter(|operation| operation.method == Method::GET) {
        let path = operation.path_with(&ids);
        if operation.has_list {
            let page: Value = api.get_as(&format!("{path}?limit=1"), &own).await.json().await.unwrap();
            if let Some(cursor) = page["page"]["next"].as_str() {
                cursors += 1;
                let path = format!("{path}?limit=1&cursor={cursor}");
                assert_eq!(api.get_as(&path, &own).await.status(), StatusCode::OK, "{path}");
                let status = api.get_as(&path, &stranger).await.status();
                let refusals = [StatusCode::UNPROCESSABLE_ENTITY, StatusCode::NOT_FOUND];
                assert!(refusals.contains(&status), "{path}: {status}");
            }
        }
        if let Some(tag) = api.get_as(&path, &own).await.headers().get("etag") {
            tags += 1;
            let request = api.request(Method::GET, &path).bearer_auth(&stranger).header("If-None-Match", tag);
            assert_ne!(request.send().await.unwrap().status(), StatusCode::NOT_MODIFIED, "{path}");
        }
    }
    assert!(cursors >= 3 && tags >= 3, "{cursors} cursors, {tags} tags");
}

#[actix_web::test]
async fn the_same_key_of_two_tenants_is_two_keys() {
    let api = TestApi::start().await;
    let own = api.administrator();
    api.idp.add_tenant("other");
    let stranger = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    api.id_of(&stranger).await;
    let (ids, mut done) = (belongings(&api, &own).await, 0);
    for operation in operations(&api).await {
        if operation.method != Method::POST || !operation.parameters.is_empty() {
            continue;
        }
        let (Some(example), path) = (&operation.example, operation.path_with(&ids)) else { continue };
        let key = path.replace('/', "-");
        for token in [&own, &stranger] {
            let request = api.request(Method::POST, &path).bearer_auth(token).header("Idempotency-Key", &key);
            let response = request.json(example).send().await.unwrap();
            assert!(!response.headers().contains_key("idempotent-replayed"), "{path}");
            done += usize::from(response.status().is_success());
        }
    }
    assert!(done >= 6, "{done}");
}
