//! How many requests somebody may make.

use std::net::TcpListener;
use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tenantry_api::Config;
use tenantry_types::Clock as _;
use tenantry_web::rate_limit::{LimitConfig, RateLimitsConfig};

use crate::support::{TestApi, client, problem};

const ME: &str = "/api/v1/me";

/// Limits a minute for the address, the tenant, the client and the user.
fn limits(limits: [u32; 4]) -> impl Fn(&mut Config) {
    move |config| {
        let [address, tenant, client, user] = limits.map(LimitConfig::per_minute);
        config.rate_limits = RateLimitsConfig { enabled: true, address, tenant, client, user };
        config.http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    }
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
}

async fn from(request: RequestBuilder, address: &str) -> Response {
    request.header("X-Forwarded-For", address).send().await.unwrap()
}

impl TestApi {
    fn me(&self, token: &str) -> RequestBuilder {
        self.request(Method::GET, ME).bearer_auth(token)
    }
}

#[actix_web::test]
async fn every_answer_says_where_the_caller_stands() {
    let api = TestApi::start_with(limits([9, 8, 7, 6])).await;
    let token = api.administrator();
    let all = r#""address";q=9;w=60, "tenant";q=8;w=60, "client";q=7;w=60, "user";q=6;w=60"#;
    let good = api.get_as(ME, &token).await;
    assert_eq!(good.status(), StatusCode::OK);
    assert_eq!((header(&good, "ratelimit"), header(&good, "ratelimit-policy")), (r#""user";r=5;t=10"#, all));
    let head = api.request(Method::HEAD, ME).bearer_auth(&token).send().await.unwrap();
    assert_eq!((header(&head, "ratelimit"), header(&head, "ratelimit-policy")), (r#""user";r=4;t=20"#, all));
    let forbidden = api.get_as("/api/v1/tenant/settings", &api.user(&[], "openid")).await;
    assert_eq!(forbidden.status(), StatusCode::FORBIDDEN);
    // The client has been used by another person as well.
    assert_eq!(header(&forbidden, "ratelimit"), r#""client";r=4;t=26"#);
    let of_machines = api.get_as(ME, &api.machine("tenant_settings.read")).await;
    let policy = header(&of_machines, "ratelimit-policy").to_owned();
    assert_eq!(policy, r#""address";q=9;w=60, "tenant";q=8;w=60, "client";q=7;w=60"#);

    let mut remaining = 5;
    for (method, path, status) in [
        (Method::GET, ME, 401),
        (Method::GET, "/api/v1/openapi.json", 200),
        (Method::GET, "/api/v1/missing", 404),
        (Method::DELETE, ME, 405),
        (Method::OPTIONS, ME, 204),
    ] {
        remaining -= 1;
        let answer = api.request(method.clone(), path).send().await.unwrap();
        assert_eq!(answer.status(), status, "{method} {path}");
        assert_eq!(header(&answer, "ratelimit-policy"), r#""address";q=9;w=60"#, "{method} {path}");
        assert!(header(&answer, "ratelimit").starts_with(&format!(r#""address";r={remaining};"#)), "{method} {path}");
    }
    let refused = api.get(ME).await;
    assert_eq!(header(&refused, "ratelimit"), r#""address";r=0;t=7"#);
    assert_eq!(header(&refused, "retry-after"), "7");
    let problem = problem(refused, StatusCode::TOO_MANY_REQUESTS).await;
    assert!(problem["type"].as_str().unwrap().ends_with("/problems/too-many-requests"), "{problem}");
    assert_eq!(problem["detail"], "the limit for each address is reached: 9 requests in 60 seconds");

    // What is not below /api is not counted.
    for path in ["/livez", "/readyz", "/console", "/docs"] {
        let answer = api.get(path).await;
        assert_eq!((answer.status(), header(&answer, "ratelimit")), (StatusCode::OK, ""), "{path}");
    }
    // But what asks the identity provider for strangers is.
    let sign_in = api.get("/console/sign-in").await;
    assert_eq!(sign_in.status(), StatusCode::TOO_MANY_REQUESTS);
    api.clock.advance(Duration::from_secs(7));
    assert_eq!(api.get("/console/sign-in").await.status(), StatusCode::SEE_OTHER);
}

#[actix_web::test]
async fn each_limit_is_for_what_it_is_called() {
    // A token outlives the minute.
    for (limit, kind) in [
        ([2, 99, 99, 99], "address"),
        ([99, 2, 99, 99], "tenant"),
        ([99, 99, 2, 99], "client"),
        ([99, 99, 99, 2], "user"),
    ] {
        let api = TestApi::start_with(limits(limit)).await;
        api.idp.add_tenant("other");
        let (ada, grace) = (api.administrator(), api.administrator());
        let machine = api.machine("api");
        let elsewhere = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
        for _ in 0..2 {
            assert_eq!(from(api.me(&ada), "192.0.2.1").await.status(), StatusCode::OK, "{kind}");
        }
        let refused = from(api.me(&ada), "192.0.2.1").await;
        assert_eq!(header(&refused, "ratelimit"), format!(r#""{kind}";r=0;t=30"#));
        let problem = problem(refused, StatusCode::TOO_MANY_REQUESTS).await;
        let detail = format!("the limit for each {kind} is reached: 2 requests in 60 seconds");
        assert_eq!(problem["detail"], detail);
        // Who still gets through: the same from elsewhere, another person with the same client, another client of the
        // tenant, another tenant.
        let others = [(&ada, "192.0.2.2"), (&grace, "192.0.2.3"), (&machine, "192.0.2.4"), (&elsewhere, "192.0.2.5")];
        let expected = match kind {
            "address" => [true; 4],
            "user" => [false, true, true, true],
            "client" => [false, false, true, true],
            _ => [false, false, false, true],
        };
        for ((token, address), is_let_through) in others.into_iter().zip(expected) {
            let status = from(api.me(token), address).await.status();
            assert_eq!(status == StatusCode::OK, is_let_through, "{kind} {address}: {status}");
        }
        api.clock.advance(Duration::from_secs(30));
        assert_eq!(from(api.me(&ada), "192.0.2.1").await.status(), StatusCode::OK, "{kind}");
        assert_eq!(from(api.me(&ada), "192.0.2.1").await.status(), StatusCode::TOO_MANY_REQUESTS, "{kind}");
    }
}

#[actix_web::test]
async fn the_address_is_the_one_that_the_trusted_proxy_names() {
    let api = TestApi::start_with(limits([2, 99, 99, 99])).await;
    let status = |address: &'static str| async { from(api.request(Method::GET, ME), address).await.status() };
    for address in ["198.51.100.1", "2001:db8::1", "2001:db8:0:0:ffff::2"] {
        assert_eq!(status(address).await, StatusCode::UNAUTHORIZED, "{address}");
    }
    assert_eq!(status("2001:db8::3").await, StatusCode::TOO_MANY_REQUESTS, "one customer, whatever the last 64 bits");
    assert_eq!(status("2001:db8:0:1::3").await, StatusCode::UNAUTHORIZED, "another network");
    // What a client claims itself stands to the left of what the proxy saw.
    assert_eq!(status("203.0.113.7, 198.51.100.1").await, StatusCode::UNAUTHORIZED);
    assert_eq!(status("203.0.113.8, 198.51.100.1").await, StatusCode::TOO_MANY_REQUESTS);

    let direct = TestApi::start_with(|config| {
        limits([2, 99, 99, 99])(config);
        config.http.trusted_proxies = Vec::new();
    })
    .await;
    for (claimed, expected) in [("192.0.2.1", 401), ("192.0.2.2", 401), ("192.0.2.3", 429)] {
        let answer = from(direct.request(Method::GET, ME), claimed).await;
        assert_eq!(answer.status(), expected, "nobody is believed who is not a proxy of ours");
    }
}

#[actix_web::test]
async fn who_is_refused_a_lot_gets_less_until_time_has_passed() {
    let api = TestApi::start_with(limits([1_200, 60_000, 6_000, 120])).await;
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["exp"] = (api.clock.now().unix_seconds() + 3_600).into();
    let token = api.idp.sign("demo", &claims);
    let quota = |response: &Response, kind: &str| {
        let policy = header(response, "ratelimit-policy").to_owned();
        let of_kind = policy.split(", ").find_map(|item| item.strip_prefix(&format!("\"{kind}\";q="))).unwrap();
        of_kind.split(';').next().unwrap().parse::<u32>().unwrap()
    };
    // At 120 a minute a refusal costs 6 seconds of trust at most: ten of them are a minute.
    let put = || api.request(Method::PUT, "/api/v1/tenant/settings").bearer_auth(&token).header("If-Match", "*");
    for _ in 0..10 {
        let invalid = put().json(&json!({"nonsense": true})).send().await.unwrap();
        assert_eq!(invalid.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }
    let halved = api.get_as(ME, &token).await;
    assert_eq!((halved.status(), quota(&halved, "user")), (StatusCode::OK, 60));
    assert_eq!(quota(&halved, "address"), 1_200, "it is known who it was");
    api.clock.advance(Duration::from_secs(60));
    assert_eq!(quota(&api.get_as(ME, &token).await, "user"), 120);

    // Strangers are known by their address only.
    for _ in 0..60 {
        assert_eq!(api.get(ME).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(quota(&api.get(ME).await, "address"), 600);
    let known = api.get_as(ME, &token).await;
    assert_eq!((quota(&known, "address"), quota(&known, "user")), (600, 120));
    api.clock.advance(Duration::from_secs(62));
    assert_eq!(quota(&api.get_as(ME, &token).await, "address"), 1_200);
    // What is asked for in vain by a path that has no ids counts for nothing.
    for _ in 0..70 {
        assert_eq!(api.get("/api/v1/missing").await.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(quota(&api.get_as(ME, &token).await, "address"), 1_200);
}

#[actix_web::test]
async fn names_of_callers_never_become_headers() {
    let api = TestApi::start_with(limits([3, 99, 99, 99])).await;
    let mut claims = api.idp.client_claims("demo", &api.url, "api");
    let name = "a\"\r\nX-Injected: 1\r\n\";q=9";
    (claims["client_id"], claims["sub"]) = (name.into(), name.into());
    let token = api.idp.sign("demo", &claims);
    let policies = [r#""address";q=3;w=60, "tenant";q=99;w=60, "client";q=99;w=60"#, r#""address";q=3;w=60"#];
    for (policy, status) in [(policies[0], 200), (policies[0], 200), (policies[0], 200), (policies[1], 429)] {
        let answer = api.get_as(ME, &token).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "ratelimit-policy")), (status, policy));
        assert!(header(&answer, "ratelimit").starts_with(r#""address";r="#), "{answer:?}");
        assert!(!answer.headers().contains_key("x-injected"), "{answer:?}");
    }
}

#[actix_web::test]
async fn replicas_count_together_through_redis() {
    let Ok(redis) = std::env::var("TEST_REDIS_URL") else { return };
    let api = TestApi::start_with(|config| {
        limits([99, 99, 99, 4])(config);
        config.redis.url = Some(redis.as_str().into());
        config.redis.timeout_ms = 10_000;
    })
    .await;
    let other = api.replica(api.config.clone()).await;
    let token = api.administrator();
    for (url, remaining) in [(&api.url, 3), (&other, 2), (&api.url, 1), (&other, 0)] {
        let answer = client().get(format!("{url}{ME}")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(header(&answer, "ratelimit").starts_with(&format!(r#""user";r={remaining};"#)), "{answer:?}");
    }
    for url in [&api.url, &other] {
        let answer = client().get(format!("{url}{ME}")).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    }
}

#[actix_web::test]
async fn without_redis_each_replica_goes_on_by_itself() {
    // One that refuses connections, and one that takes them and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let api = TestApi::start_with(|config| {
            limits([99, 99, 99, 2])(config);
            config.redis.url = Some(format!("redis://{address}").as_str().into());
            config.redis.timeout_ms = 50;
        })
        .await;
        let token = api.administrator();
        for expected in [200, 200, 429] {
            assert_eq!(api.get_as(ME, &token).await.status(), expected);
        }
        let ready = api.get("/readyz").await;
        assert_eq!(ready.status(), StatusCode::OK, "it can do without");
        let report: Value = ready.json().await.unwrap();
        assert_eq!(report["status"], "degraded");
        assert_eq!(report["checks"]["redis"]["status"], "degraded");
    }
}

#[actix_web::test]
async fn refusals_are_counted_by_kind() {
    let api = TestApi::start_with(|config| {
        limits([99, 99, 99, 1])(config);
        config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    })
    .await;
    let token = api.administrator();
    for expected in [200, 429, 429] {
        assert_eq!(api.get_as(ME, &token).await.status(), expected);
    }
    let metrics = format!("http://{}/metrics", api.handle.metrics_address().unwrap());
    let text = client().get(metrics).send().await.unwrap().text().await.unwrap();
    assert!(text.contains(r#"rate_limit_refusals_total{limit="user"} 2"#), "{text}");
    assert!(text.contains(r#"rate_limit_refusals_total{limit="tenant"} 0"#), "{text}");
}

#[actix_web::test]
async fn a_script_can_read_how_long_it_has_to_wait() {
    const APP: &str = "https://app.example.com";
    let api = TestApi::start_with(|config| {
        limits([1, 99, 99, 99])(config);
        config.resource.allowed_origins = vec![APP.parse().unwrap()];
    })
    .await;
    let ask = || async { api.request(Method::GET, ME).header("Origin", APP).send().await.unwrap() };
    ask().await;
    let refused = ask().await;
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(header(&refused, "access-control-allow-origin"), APP);
    let exposed = header(&refused, "access-control-expose-headers").to_ascii_lowercase();
    assert!(["ratelimit", "ratelimit-policy", "retry-after"].iter().all(|name| exposed.contains(name)), "{exposed}");
    // A browser asks beforehand whether it may: that does not count.
    let preflight = api
        .request(Method::OPTIONS, ME)
        .header("Origin", APP)
        .header("Access-Control-Request-Method", "GET")
        .header("Access-Control-Request-Headers", "authorization");
    assert_eq!(preflight.send().await.unwrap().status(), StatusCode::OK);
}

#[actix_web::test]
async fn events_of_the_provider_wait_for_nobody() {
    let api = TestApi::start_with(limits([3, 0, 0, 0])).await;
    let token = api.administrator();
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::OK);
    // Strangers from the same address, who are refused over and over.
    for _ in 0..20 {
        drop(api.request(Method::GET, ME).send().await.unwrap());
    }
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::TOO_MANY_REQUESTS);
    let push = async |token: &str| {
        let request = api.request(Method::POST, "/api/v1/security-events").body(token.to_owned());
        request.header("Content-Type", "application/secevent+jwt").send().await.unwrap()
    };
    let mut left = Vec::new();
    for number in 0..5 {
        let person = tenantry_jose::peek(&token).unwrap().claims["sub"].clone();
        let (issuer, now) = (api.idp.issuer("demo"), api.clock.now().unix_seconds());
        let claims = json!({"iss": issuer, "aud": api.url, "iat": now, "jti": format!("event-{number}"),
            "tenant_id": api.idp.tenant("demo").id, "sub_id": {"format": "iss_sub", "iss": issuer, "sub": person},
            "events": {"https://schemas.openid.net/secevent/caep/event-type/session-revoked": {}}});
        let response = push(&api.idp.tenant("demo").key.sign_jwt("secevent+jwt", &claims).unwrap()).await;
        assert_eq!(response.status(), StatusCode::ACCEPTED);
        left.push(header(&response, "ratelimit").to_owned());
    }
    assert!(left.iter().all(|left| left.contains("r=60000")), "none of them counts: {left:?}");
    let refused = push("nonsense").await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert!(header(&refused, "ratelimit").contains("r=59999"), "what proves nothing does");
}
