//! What holds for every answer below `/api`, good or bad.

use std::collections::BTreeMap;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::json;
use tenantry_api::routes;
use tenantry_web::rate_limit::{LimitConfig, RateLimitsConfig};

use crate::support::{TestApi, problem};

const ME: &str = "/api/v1/me";
const SETTINGS: &str = "/api/v1/tenant/settings";

/// The headers of an answer, without what differs from one to the next.
fn lasting(response: &Response) -> BTreeMap<String, String> {
    let headers = response.headers().iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

async fn send(request: RequestBuilder) -> Response {
    request.header("X-Request-Id", "a-request-of-mine").send().await.unwrap()
}

#[actix_web::test]
async fn every_error_is_a_problem_that_nobody_keeps() {
    let api = TestApi::start_with(|config| {
        config.http.header_limit = 8 * 1024;
        config.http.uri_limit = 1024;
        config.http.body_limit = 4 * 1024;
    })
    .await;
    let token = api.administrator();
    let to = |method: Method, path: &str| api.request(method, path);
    let put = || api.request(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", "*");
    let json = ("Content-Type", "application/json");
    let weak = api.user(&["administrator"], "openid");
    let preflight = to(Method::OPTIONS, ME).header("Origin", "https://evil.example");
    let cases = [
        (to(Method::GET, ME), 401, "unauthorized"),
        (to(Method::GET, ME).bearer_auth("a.b.c"), 401, "invalid-token"),
        (to(Method::GET, "/api/v1/me?access_token=x"), 400, "malformed-request"),
        (to(Method::GET, SETTINGS).bearer_auth(weak), 403, "insufficient-scope"),
        (to(Method::GET, SETTINGS).bearer_auth(api.user(&[], "api")), 403, "forbidden"),
        (to(Method::GET, "/api"), 404, "not-found"),
        (to(Method::GET, "/api/"), 404, "not-found"),
        (to(Method::GET, "/api/v1/me/"), 404, "not-found"),
        (to(Method::POST, "/api/v1/%00"), 404, "not-found"),
        (to(Method::DELETE, ME), 405, "method-not-allowed"),
        (to(Method::TRACE, ME), 405, "method-not-allowed"),
        (to("BREW".parse().unwrap(), SETTINGS), 405, "method-not-allowed"),
        (put().header(json.0, json.1).body("{"), 400, "malformed-request"),
        (put().json(&json!({"nonsense": 1})), 422, "invalid-input"),
        (put().header(json.0, "text/plain").body("{}"), 415, "unsupported-media-type"),
        (put().header(json.0, json.1).header("Content-Encoding", "gzip").body("{}"), 415, "unsupported-media-type"),
        (put().header(json.0, json.1).body(" ".repeat(5 * 1024)), 413, "content-too-large"),
        (to(Method::PUT, SETTINGS).bearer_auth(&token).json(&json!({})), 428, "precondition-required"),
        (
            to(Method::PUT, SETTINGS).bearer_auth(&token).header("If-Match", "\"x\"").json(&json!({})),
            412,
            "precondition-failed",
        ),
        (to(Method::GET, &format!("{ME}?{}", "a".repeat(1025))), 414, "uri-too-long"),
        (to(Method::GET, ME).header("X-Large", "a".repeat(9 * 1024)), 431, "header-fields-too-large"),
        (preflight.header("Access-Control-Request-Method", "GET"), 400, "malformed-request"),
    ];
    for (request, status, kind) in cases {
        let response = send(request).await;
        let headers = response.headers();
        assert_eq!(headers["cache-control"], "no-store", "{status} {kind}");
        assert_eq!(headers["x-request-id"], "a-request-of-mine", "{status} {kind}");
        assert_eq!(
            headers.contains_key("www-authenticate"),
            matches!(status, 401 | 403) || response.url().query().is_some_and(|q| q.contains("access_token")),
            "{status} {kind}"
        );
        assert_eq!(headers.contains_key("allow"), status == 405, "{status} {kind}");
        let problem = problem(response, StatusCode::from_u16(status).unwrap()).await;
        assert_eq!(problem["type"], format!("{}/problems/{kind}", api.url), "{problem}");
        assert_eq!(problem["instance"], "a-request-of-mine");
    }
}

#[actix_web::test]
async fn what_cannot_be_done_now_says_when_to_come_again() {
    let api = TestApi::start_with(|config| {
        let one = LimitConfig::per_minute(1);
        let off = LimitConfig { requests: 0, ..one };
        config.rate_limits = RateLimitsConfig { enabled: true, address: one, tenant: off, client: off, user: off };
    })
    .await;
    send(api.request(Method::GET, ME)).await;
    let limited = send(api.request(Method::GET, ME)).await;
    assert_eq!(limited.headers()["retry-after"], "60");
    assert_eq!(limited.headers()["cache-control"], "no-store");
    problem(limited, StatusCode::TOO_MANY_REQUESTS).await;
}

#[actix_web::test]
async fn head_is_get_without_its_body() {
    let api = TestApi::start().await;
    let token = api.administrator();
    for path in [ME, SETTINGS, "/api/v1/openapi.json", "/api/v1/missing"] {
        let ask = |method| send(api.request(method, path).bearer_auth(&token));
        let (get, head) = (ask(Method::GET).await, ask(Method::HEAD).await);
        assert_eq!(get.status(), head.status(), "{path}");
        assert_eq!(lasting(&get), lasting(&head), "{path}");
        assert!(head.bytes().await.unwrap().is_empty(), "{path}");
        assert!(!get.bytes().await.unwrap().is_empty(), "{path}");
    }
}

#[actix_web::test]
async fn every_path_says_which_methods_it_has() {
    let api = TestApi::start().await;
    let mut methods: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let table = routes::table();
    for route in table.iter().filter(|route| route.path.starts_with("/api")) {
        let known = methods.entry(route.path).or_default();
        known.push(route.method.to_string());
        if route.method == actix_web::http::Method::GET {
            known.push("HEAD".to_owned());
        }
    }
    for (path, mut expected) in methods {
        expected.push("OPTIONS".to_owned());
        expected.sort();
        let answer = send(api.request(Method::OPTIONS, path)).await;
        let mut allowed: Vec<_> = answer.headers()["allow"].to_str().unwrap().split(", ").map(str::to_owned).collect();
        allowed.sort();
        assert_eq!((answer.status(), allowed), (StatusCode::NO_CONTENT, expected), "{path}");
    }
}

#[actix_web::test]
async fn what_is_personal_is_kept_by_nobody_else() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let me = api.get_as(ME, &token).await;
    assert_eq!(me.headers()["cache-control"], "no-store");
    let settings = api.get_as(SETTINGS, &token).await;
    assert_eq!(settings.headers()["cache-control"], "private, no-cache");
    let tag = settings.headers()["etag"].clone();
    let request = api.request(Method::GET, SETTINGS).bearer_auth(&token).header("If-None-Match", &tag);
    let unchanged = request.send().await.unwrap();
    assert_eq!(unchanged.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(
        (&unchanged.headers()["etag"], &unchanged.headers()["cache-control"]),
        (&tag, &"private, no-cache".parse().unwrap())
    );
    for answer in [settings, unchanged] {
        let vary = answer.headers()["vary"].to_str().unwrap();
        assert!(["Authorization", "Origin"].iter().all(|name| vary.contains(name)), "{vary}");
    }
}
