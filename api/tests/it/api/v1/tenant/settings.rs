//! `GET` and `PUT /api/v1/tenant/settings`.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, challenge, problem};

const SETTINGS: &str = "/api/v1/tenant/settings";
/// The entries about changes: not those about people who were seen for the first time.
const CHANGES: &str = "audit_entries WHERE action <> 'account.first_seen'";

async fn put(api: &TestApi, token: &str, if_match: &str, body: &Value) -> Response {
    let request = api.request(Method::PUT, SETTINGS).bearer_auth(token).header("If-Match", if_match).json(body);
    request.send().await.unwrap()
}

fn etag(response: &Response) -> String {
    response.headers()["etag"].to_str().unwrap().to_owned()
}

fn defaults() -> Value {
    json!({
        "branding": {}, "feature_flags": {}, "limits": {},
        "security": {"session_idle_minutes": 60, "session_absolute_hours": 12, "mfa": "optional", "password_min_length": 12},
    })
}

fn example() -> Value {
    json!({
        "branding": {"display_name": "Acme <b>Health</b>", "logo_url": "https://acme.example/logo.svg",
                     "primary_color": "#1a6b54", "support_email": "help@acme.example"},
        "security": {"session_idle_minutes": 30, "session_absolute_hours": 8, "mfa": "required", "password_min_length": 14},
        "feature_flags": {"bookings.waiting_list": true, "beta": false},
        "limits": {"auto_approve": "100.00 EUR", "guests": 12},
    })
}

#[actix_web::test]
async fn a_tenant_begins_with_the_defaults() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let response = api.get_as(SETTINGS, &token).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "private, no-cache");
    assert!(response.headers()["vary"].to_str().unwrap().contains("Authorization"));
    let tag = etag(&response);
    assert!(tag.ends_with(".0\""), "{tag}");
    assert_eq!(response.json::<Value>().await.unwrap(), json!({"status": "success", "data": defaults()}));

    let request = api.request(Method::GET, SETTINGS).bearer_auth(&token).header("If-None-Match", &tag);
    let unchanged = request.send().await.unwrap();
    assert_eq!((unchanged.status(), etag(&unchanged)), (StatusCode::NOT_MODIFIED, tag));
    assert_eq!(unchanged.text().await.unwrap(), "");
}

#[actix_web::test]
async fn a_change_is_kept_audited_and_told() {
    let api = TestApi::start().await;
    let claims = api.idp.user_claims("demo", &api.url);
    let token = api.idp.sign("demo", &claims);
    let first = etag(&api.get_as(SETTINGS, &token).await);
    let request = api.request(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", &first);
    let response = request.header("X-Request-Id", "request-1").json(&example()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let second = etag(&response);
    assert!(second.ends_with(".1\""), "{second}");
    assert_eq!(response.json::<Value>().await.unwrap()["data"], example());

    let read = api.get_as(SETTINGS, &token).await;
    assert_eq!(etag(&read), second);
    assert_eq!(read.json::<Value>().await.unwrap()["data"], example());

    // A second change names only what it changed. Ids of different times are in order.
    api.clock.advance(std::time::Duration::from_millis(1));
    let mut other = example();
    other["security"]["mfa"] = json!("optional");
    assert_eq!(put(&api, &token, &second, &other).await.status(), StatusCode::OK);

    assert_eq!(api.texts("SELECT name AS value FROM tenants").await, ["Tenant demo"]);
    let actors =
        api.texts("SELECT CONCAT(actor_kind, ' ', actor_id, ' ', acting_client) AS value FROM audit_entries WHERE action <> 'account.first_seen'").await;
    let actor = format!("user {} some-client", claims["sub"].as_str().unwrap());
    assert_eq!(actors, [actor.clone(), actor]);
    let actions =
        api.texts("SELECT CONCAT(action, ' ', target_kind, ' ', request_id, ' ', address) AS value FROM audit_entries WHERE action <> 'account.first_seen' ORDER BY id").await;
    assert_eq!(actions[0], "tenant_settings.update tenant_settings request-1 127.0.0.1");
    let changes =
        api.texts("SELECT changes AS value FROM audit_entries WHERE action <> 'account.first_seen' ORDER BY id").await;
    let first: Value = serde_json::from_str(&changes[0]).unwrap();
    assert_eq!(first["/security/mfa"], json!({"before": "optional", "after": "required"}));
    assert_eq!(first["/feature_flags/beta"], json!({"after": false}));
    let second: Value = serde_json::from_str(&changes[1]).unwrap();
    assert_eq!(second, json!({"/security/mfa": {"before": "required", "after": "optional"}}));

    let messages =
        api.texts("SELECT payload AS value FROM outbox WHERE kind = 'tenant_settings.changed' ORDER BY id").await;
    let message: Value = serde_json::from_str(&messages[1]).unwrap();
    assert_eq!(message, json!({"tenant_id": claims["tenant_id"], "version": 2, "changed": ["/security/mfa"]}));
}

#[actix_web::test]
async fn what_changes_nothing_leaves_no_trace() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let response = put(&api, &token, "*", &defaults()).await;
    assert!(etag(&response).ends_with(".0\""));
    assert_eq!((api.count(CHANGES).await, api.count("outbox").await), (0, 0));
}

#[actix_web::test]
async fn an_update_names_the_version_it_changes() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let missing = api.request(Method::PUT, SETTINGS).bearer_auth(&token).json(&example()).send().await.unwrap();
    problem(missing, StatusCode::PRECONDITION_REQUIRED).await;
    problem(put(&api, &token, "nonsense", &example()).await, StatusCode::BAD_REQUEST).await;
    let first = etag(&api.get_as(SETTINGS, &token).await);
    for lost in ["\"x\"".to_owned(), format!("W/{first}"), first.replace(".0\"", ".1\"")] {
        problem(put(&api, &token, &lost, &example()).await, StatusCode::PRECONDITION_FAILED).await;
    }
    assert_eq!(put(&api, &token, &format!("\"x\", {first}"), &example()).await.status(), StatusCode::OK);
    problem(put(&api, &token, &first, &defaults()).await, StatusCode::PRECONDITION_FAILED).await;
    assert_eq!(put(&api, &token, "*", &defaults()).await.status(), StatusCode::OK);
    assert_eq!(api.count(CHANGES).await, 2);
}

#[actix_web::test]
async fn of_updates_at_once_one_wins() {
    let api = TestApi::start_with(|config| config.http.workers = 2).await;
    let token = api.administrator();
    for round in 0..4 {
        let tag = etag(&api.get_as(SETTINGS, &token).await);
        let bodies: Vec<Value> =
            (0..16).map(|n| json!({"branding": {"display_name": format!("Name {round} {n}")}})).collect();
        let answers = futures_util::future::join_all(bodies.iter().map(|body| put(&api, &token, &tag, body))).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status() == StatusCode::OK);
        assert_eq!(won.len(), 1);
        assert!(lost.iter().all(|answer| answer.status() == StatusCode::PRECONDITION_FAILED));
    }
    assert_eq!((api.count(CHANGES).await, api.count("outbox").await), (4, 4));
}

#[actix_web::test]
async fn everything_wrong_is_told_at_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let body = json!({
        "branding": {"display_name": "", "primary_color": "red", "theme": "dark"},
        "security": {"session_idle_minutes": 0, "mfa": true},
        "feature_flags": {"Not A Flag": true, "flag": "on"},
        "modules": {},
    });
    let problem = problem(put(&api, &token, "*", &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let found: Vec<(&str, &str)> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| (error["pointer"].as_str().unwrap(), error["code"].as_str().unwrap()))
        .collect();
    assert_eq!(
        found,
        [
            ("/branding/display_name", "invalid"),
            ("/branding/primary_color", "invalid"),
            ("/branding/theme", "unknown"),
            ("/security/session_idle_minutes", "range"),
            ("/security/mfa", "type"),
            ("/feature_flags/Not A Flag", "invalid"),
            ("/feature_flags/flag", "type"),
            ("/modules", "unknown"),
        ]
    );
    assert!(problem["errors"].as_array().unwrap().iter().all(|error| !error["detail"].as_str().unwrap().is_empty()));
    assert_eq!(api.count("tenant_settings").await, 0, "nothing was begun");
}

#[actix_web::test]
async fn malformed_bodies_are_refused_before_anything_is_done() {
    let api = TestApi::start_with(|config| config.http.body_limit = 4096).await;
    let token = api.administrator();
    let put = |content_type: &'static str, body: Vec<u8>| {
        let request = api.request(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", "*");
        request.header("Content-Type", content_type).body(body).send()
    };
    let json = "application/json";
    let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
    for (content_type, body, status) in [
        (json, Vec::new(), StatusCode::BAD_REQUEST),
        (json, b"{".to_vec(), StatusCode::BAD_REQUEST),
        (json, b"{} {}".to_vec(), StatusCode::BAD_REQUEST),
        (json, b"\xff\xfe".to_vec(), StatusCode::BAD_REQUEST),
        (json, deep.into_bytes(), StatusCode::BAD_REQUEST),
        (json, b"[]".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (json, b"null".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (json, br#"{"security":{"session_idle_minutes":1e300}}"#.to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (json, vec![b' '; 4097], StatusCode::PAYLOAD_TOO_LARGE),
        ("text/plain", b"{}".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/x-www-form-urlencoded", b"branding=x".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
        let response = put(content_type, body).await.unwrap();
        assert_eq!(response.status(), status, "{shown:?}");
        problem(response, status).await;
    }
    let encoded = api.request(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", "*").json(&json!({}));
    let response = encoded.header("Content-Encoding", "gzip").send().await.unwrap();
    problem(response, StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    assert_eq!(api.count("tenant_settings").await, 0);
}

#[actix_web::test]
async fn a_person_needs_scope_and_role() {
    let api = TestApi::start().await;
    let admin = &["administrator"][..];
    for (roles, scope) in
        [(admin, "api"), (admin, "openid tenant_settings.*"), (admin, "tenant_settings.read tenant_settings.update")]
    {
        let token = api.user(roles, scope);
        assert_eq!(api.get_as(SETTINGS, &token).await.status(), StatusCode::OK, "{scope}");
        assert_eq!(put(&api, &token, "*", &example()).await.status(), StatusCode::OK, "{scope}");
    }
    let member = api.user(&["guest", "member"], "api");
    assert_eq!(api.get_as(SETTINGS, &member).await.status(), StatusCode::OK);

    for (token, needed) in [
        (api.user(admin, "openid"), true),
        (api.user(admin, ""), true),
        (api.user(admin, "tenant_settings.read"), true),
        (api.user(admin, "tenant.* tenant_settings.updat *"), true),
        (member, false),
        (api.user(&[], "api"), false),
        (api.user(&["Administrator"], "api"), false),
    ] {
        let response = put(&api, &token, "*", &json!({})).await;
        let challenge = challenge(&response).to_owned();
        assert!(challenge.starts_with("Bearer realm=\"tenantry-api\", error=\"insufficient_scope\""), "{challenge}");
        assert_eq!(challenge.contains("scope=\"tenant_settings.update\""), needed, "{challenge}");
        let problem = problem(response, StatusCode::FORBIDDEN).await;
        let kind = if needed { "insufficient-scope" } else { "forbidden" };
        assert_eq!(problem["type"], format!("{}/problems/{kind}", api.url));
    }
}

#[actix_web::test]
async fn a_client_needs_a_scope_that_names_it() {
    let api = TestApi::start().await;
    let claims = api.idp.client_claims("demo", &api.url, "tenant_settings.update tenant_settings.read");
    let token = api.idp.sign("demo", &claims);
    assert_eq!(put(&api, &token, "*", &example()).await.status(), StatusCode::OK);
    assert_eq!(
        api.texts(
            "SELECT CONCAT(actor_kind, ' ', actor_id) AS value FROM audit_entries WHERE action <> 'account.first_seen'"
        )
        .await,
        ["client machine"]
    );
    let api_alone = api.machine("api");
    problem(api.get_as(SETTINGS, &api_alone).await, StatusCode::FORBIDDEN).await;
    // Roles of a client mean nothing.
    let mut with_role = api.idp.client_claims("demo", &api.url, "api");
    with_role["roles"] = json!(["administrator"]);
    problem(api.get_as(SETTINGS, &api.idp.sign("demo", &with_role)).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn tenants_do_not_see_each_other() {
    let api = TestApi::start().await;
    api.idp.add_tenant("other");
    let other = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    let own = put(&api, &api.administrator(), "*", &example()).await;
    let response = api.get_as(SETTINGS, &other).await;
    assert!(etag(&response).ends_with(".0\"") && etag(&response) != etag(&own));
    assert_eq!(response.json::<Value>().await.unwrap()["data"], defaults());
    // The tag of one tenant's version is nothing to the other, whatever its number.
    problem(put(&api, &other, &etag(&own), &example()).await, StatusCode::PRECONDITION_FAILED).await;
    let request = api.request(Method::GET, SETTINGS).bearer_auth(&other).header("If-None-Match", etag(&own));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(put(&api, &other, "*", &json!({})).await.status(), StatusCode::OK);
    assert_eq!(api.get_as(SETTINGS, &api.administrator()).await.json::<Value>().await.unwrap()["data"], example());
}

#[actix_web::test]
async fn a_tenant_that_was_made_anew_begins_anew() {
    let api = TestApi::start().await;
    assert_eq!(put(&api, &api.administrator(), "*", &example()).await.status(), StatusCode::OK);
    // The same short name, another tenant; its keys are others as well.
    api.idp.remove_tenant("demo");
    api.idp.add_tenant("demo");
    api.clock.advance(std::time::Duration::from_secs(301));
    let token = api.administrator();
    let response = api.get_as(SETTINGS, &token).await;
    assert!(etag(&response).ends_with(".0\""));
    assert_eq!(put(&api, &token, "*", &json!({"branding": {"display_name": "New"}})).await.status(), StatusCode::OK);
    assert_eq!(api.count("tenant_settings").await, 2);
}

#[actix_web::test]
async fn head_is_get_without_content() {
    let api = TestApi::start().await;
    let request = api.request(Method::HEAD, SETTINGS).bearer_auth(api.administrator());
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(!etag(&response).is_empty());
    let unknown = api.request(Method::PATCH, SETTINGS).bearer_auth(api.administrator()).send().await.unwrap();
    assert_eq!(unknown.headers()["allow"], "GET, HEAD, PUT, OPTIONS");
    problem(unknown, StatusCode::METHOD_NOT_ALLOWED).await;
}

#[actix_web::test]
async fn a_repeat_under_the_same_key_counts_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let send = |key: &'static str, token: &str, body: Value| {
        let request = api.request(Method::PUT, SETTINGS).bearer_auth(token).header("If-Match", "*");
        request.header("Idempotency-Key", key).json(&body).send()
    };
    let first = send("\"a key\"", &token, example()).await.unwrap();
    problem(first, StatusCode::BAD_REQUEST).await;
    let first = send("\"key-1\"", &token, example()).await.unwrap();
    let (tag, body) = (etag(&first), first.json::<Value>().await.unwrap());
    // Something else happens in between; the repeat is answered as the first was, and does nothing.
    put(&api, &token, "*", &json!({})).await;
    let repeat = send("key-1", &token, example()).await.unwrap();
    assert_eq!((repeat.headers()["idempotent-replayed"].to_str().unwrap(), etag(&repeat)), ("true", tag));
    assert_eq!(repeat.json::<Value>().await.unwrap(), body);
    assert_eq!(api.get_as(SETTINGS, &token).await.json::<Value>().await.unwrap()["data"], defaults());
    let other = problem(send("key-1", &token, json!({})).await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(other["type"], format!("{}/problems/idempotency-key-reused", api.url));
    // The key of another person is another key, and what failed is tried again.
    let another = api.administrator();
    let fails = send("key-2", &another, json!({"colour": 1})).await.unwrap();
    assert_eq!(fails.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let another_first = send("key-1", &another, json!({})).await.unwrap();
    assert!(another_first.status().is_success() && !another_first.headers().contains_key("idempotent-replayed"));
    let succeeds = send("key-2", &another, example()).await.unwrap();
    assert_eq!(succeeds.status(), StatusCode::OK);
    // After a day the key is free again.
    api.clock.advance(std::time::Duration::from_secs(25 * 60 * 60));
    let token = api.idp.sign("demo", &api.idp.user_claims("demo", &api.url));
    let later = send("key-1", &token, example()).await.unwrap();
    assert!(!later.headers().contains_key("idempotent-replayed"));
}

#[actix_web::test]
async fn of_repeats_at_once_one_is_done() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.get_as(SETTINGS, &token).await;
    let send = || {
        let request = api.request(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", "*");
        request.header("Idempotency-Key", "one").json(&example()).send()
    };
    let answers = futures_util::future::join_all((0..8).map(|_| send())).await;
    let replayed = answers.iter().filter(|answer| {
        let answer = answer.as_ref().unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.headers().contains_key("idempotent-replayed")
    });
    assert_eq!(replayed.count(), 7);
    assert_eq!((api.count(CHANGES).await, api.count("outbox").await), (1, 1));
}
