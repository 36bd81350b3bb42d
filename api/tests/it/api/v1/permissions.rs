//! `/api/v1/permissions`.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, problem};

const PERMISSIONS: &str = "/api/v1/permissions";

fn example() -> Value {
    json!({"name": "invoice.cancel", "resource": "invoice", "action": "cancel", "description": "Cancel an invoice"})
}

#[actix_web::test]
async fn a_tenant_adds_permissions_of_its_own() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let made = api.done_as(&token, Method::POST, PERMISSIONS, &example()).await;
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(
        (&made["name"], &made["resource"], &made["action"]),
        (&json!("invoice.cancel"), &json!("invoice"), &json!("cancel"))
    );
    let one = format!("{PERMISSIONS}/{id}");
    assert_eq!(api.done_as(&token, Method::GET, &one, &Value::Null).await, made);
    let again = problem(api.send_as(&token, Method::POST, PERMISSIONS, &example()).await, StatusCode::CONFLICT).await;
    assert_eq!(again["errors"][0]["pointer"], "/name");
    let built_in = json!({"name": "role.read"});
    problem(api.send_as(&token, Method::POST, PERMISSIONS, &built_in).await, StatusCode::CONFLICT).await;

    // Another tenant neither sees nor removes it.
    api.idp.add_tenant("other");
    let other = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    problem(api.get_as(&one, &other).await, StatusCode::NOT_FOUND).await;
    problem(api.send_as(&other, Method::DELETE, &one, &Value::Null).await, StatusCode::NOT_FOUND).await;

    let role = json!({"name": "Clerk", "role_family": "Internal", "permissions": ["invoice.cancel"]});
    let role = api.done_as(&token, Method::POST, "/api/v1/roles", &role).await;
    problem(api.send_as(&token, Method::DELETE, &one, &Value::Null).await, StatusCode::CONFLICT).await;
    let role = format!("/api/v1/roles/{}", role["id"].as_str().unwrap());
    api.done_as(&token, Method::DELETE, &role, &Value::Null).await;
    api.done_as(&token, Method::DELETE, &one, &Value::Null).await;
    problem(api.get_as(&one, &token).await, StatusCode::NOT_FOUND).await;
    let actions =
        api.texts("SELECT action AS value FROM audit_entries WHERE target_kind = 'permission' ORDER BY action").await;
    assert_eq!(actions, ["permission.create", "permission.delete"]);
}

#[actix_web::test]
async fn what_is_built_in_and_what_is_added_is_one_list() {
    let api = TestApi::start().await;
    let token = api.administrator();
    for name in ["aaa.first", "zzz.last"] {
        api.done_as(&token, Method::POST, PERMISSIONS, &json!({ "name": name })).await;
    }
    let (mut names, mut path) = (Vec::new(), format!("{PERMISSIONS}?limit=3"));
    loop {
        let response = api.get_as(&path, &token).await;
        let link = response.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        let page: Value = response.json().await.unwrap();
        let found = page["data"].as_array().unwrap();
        assert!((1..=3).contains(&found.len()));
        names.extend(found.iter().map(|permission| permission["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["page"]["next"].as_str() else { break };
        path = format!("{PERMISSIONS}?limit=3&cursor={next}");
        assert_eq!(link.unwrap(), format!("<{path}>; rel=\"next\""));
    }
    assert!(names.is_sorted() && names.len() > 10, "{names:?}");
    assert_eq!((names[0].as_str(), names.last().unwrap().as_str()), ("aaa.first", "zzz.last"));
    let only: Value = api.get_as(&format!("{PERMISSIONS}?resource=role"), &token).await.json().await.unwrap();
    assert!(only["data"].as_array().unwrap().iter().all(|permission| permission["resource"] == "role"));
}

#[actix_web::test]
async fn what_is_not_a_permission_is_refused() {
    let api = TestApi::start().await;
    let token = api.administrator();
    for (body, expected) in [
        (json!({}), vec!["/name"]),
        (json!({"name": "invoice.*"}), vec!["/name"]),
        (json!({"name": "Invoice.cancel", "colour": 1}), vec!["/name", "/colour"]),
        (json!({"name": "a.b", "resource": "c", "action": "d"}), vec!["/resource", "/action"]),
        (json!({"name": "\u{430}.b"}), vec!["/name"]),
        (json!(["x"]), vec!["", "/name"]),
    ] {
        let response = api.send_as(&token, Method::POST, PERMISSIONS, &body).await;
        let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
        let pointers: Vec<_> =
            problem["errors"].as_array().unwrap().iter().map(|e| e["pointer"].as_str().unwrap()).collect();
        assert_eq!(pointers, expected, "{body}");
    }
    for query in ["limit=0", "limit=201", "limit=x", "cursor=x", "colour=red", "resource=a&resource=b"] {
        let response = api.get_as(&format!("{PERMISSIONS}?{query}"), &token).await;
        let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(problem["errors"][0]["pointer"], query.split('=').next().unwrap());
    }
    problem(api.get_as(&format!("{PERMISSIONS}/nonsense"), &token).await, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn keys_count_once_everywhere() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let role = |name: &str| json!({"name": name, "role_family": "Customer"});
    for (path, first, other) in [
        (PERMISSIONS, example(), json!({"name": "x.y"})),
        ("/api/v1/roles", role("One"), role("Two")),
        ("/api/v1/groups", json!({"name": "One"}), json!({"name": "Two"})),
    ] {
        let send = |body: Value| {
            let request = api.request(Method::POST, path).bearer_auth(&token).header("Idempotency-Key", path);
            request.json(&body).send()
        };
        let made = send(first.clone()).await.unwrap();
        assert_eq!(made.status(), StatusCode::CREATED, "{path}");
        let (location, made) = (made.headers()["location"].clone(), made.json::<Value>().await.unwrap());
        let repeat = send(first).await.unwrap();
        assert_eq!((repeat.status(), &repeat.headers()["location"]), (StatusCode::CREATED, &location));
        assert_eq!(repeat.json::<Value>().await.unwrap(), made);
        problem(send(other).await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}
