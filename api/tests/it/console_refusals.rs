//! `/console`: who is turned away at the door is told why, by a page.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_testing::markup::Markup;
use tenantry_web::rate_limit::{LimitConfig, RateLimitsConfig};

use crate::browser::{Browser, location, page};
use crate::support::{TestApi, problem};

const TOO_MANY: StatusCode = StatusCode::TOO_MANY_REQUESTS;

fn code(page: &Markup) -> String {
    page.all("code").next().unwrap().text.clone()
}

#[actix_web::test]
async fn a_browser_that_comes_too_often_gets_a_page() {
    let api = TestApi::start_with(|config| {
        let one = LimitConfig::per_minute(1);
        let off = LimitConfig { requests: 0, ..one };
        config.rate_limits = RateLimitsConfig { enabled: true, address: one, tenant: off, client: off, user: off };
    })
    .await;
    let browser = Browser::new();
    let at = |path: &str| format!("{}{path}", api.url);
    location(&browser.get(&at("/console/sign-in")).await);
    for path in ["/console/sign-in", "/console/sign-in?tenant=demo", "/console/callback?code=x&state=y"] {
        let refused = browser.get(&at(path)).await;
        let header = |name: &str| refused.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((header("retry-after"), header("ratelimit")), ("60".to_owned(), r#""address";r=0;t=60"#.to_owned()));
        assert_eq!(header("ratelimit-policy"), r#""address";q=1;w=60"#);
        let id = header("x-request-id");
        let shown = page(refused, TOO_MANY).await;
        assert_eq!((code(&shown), &shown.by_id("request-id").unwrap().text), ("too_many_requests".to_owned(), &id));
    }
    let head = browser.ask(Method::HEAD, &at("/console/sign-in"), &[], None).await;
    assert_eq!(
        (head.status(), &head.headers()["content-type"]),
        (TOO_MANY, &"text/html; charset=utf-8".parse().unwrap())
    );
    // Programs get what they can read, and what is not counted is answered.
    problem(api.get("/api/v1/me").await, TOO_MANY).await;
    page(browser.get(&at("/console")).await, StatusCode::OK).await;
    api.clock.advance(Duration::from_secs(60));
    location(&browser.get(&at("/console/sign-in")).await);
}

#[actix_web::test]
async fn people_of_a_tenant_that_is_not_in_use_are_told_so() {
    let api = TestApi::start().await;
    let (early, late) = (Browser::new(), Browser::new());
    api.id_of(&api.administrator()).await;
    early.sign_in(&api).await;
    // Begun before, and back after.
    let callback = late.sign_in_up_to_callback(&api).await;
    let demo = format!("/api/v1/tenants/{}", api.idp.tenant("demo").id);
    let switch = async |to: &str| {
        api.done_as(&api.platform(), Method::POST, &format!("{demo}/{to}"), &json!({})).await;
        // What is issued from here on is not what was revoked.
        api.clock.advance(Duration::from_secs(1));
    };
    let sign_in = |tenant: &str| format!("{}/console/sign-in?tenant={tenant}", api.url);
    for (to, expected) in [("suspend", "tenant_suspended"), ("deactivate", "tenant_inactive")] {
        switch(to).await;
        let stranger = Browser::new();
        let told = page(stranger.get(&sign_in("demo")).await, StatusCode::FORBIDDEN).await;
        assert_eq!(code(&told), expected);
        assert_eq!(stranger.cookies(), Vec::<String>::new(), "nothing has begun");
        // Others are as they were, and nobody learns of tenants that are not there.
        location(&stranger.get(&sign_in("platform")).await);
        let nobodys = page(stranger.get(&sign_in("missing")).await, StatusCode::NOT_FOUND).await;
        assert!(nobodys.by_id("tenant-error").is_some());
    }
    let told = page(early.get(&format!("{}/console", api.url)).await, StatusCode::FORBIDDEN).await;
    assert_eq!(code(&told), "tenant_inactive");
    let told = page(late.get(&callback).await, StatusCode::FORBIDDEN).await;
    assert_eq!((code(&told), late.cookies()), ("tenant_inactive".to_owned(), Vec::new()));
    switch("activate").await;
    Browser::new().sign_in(&api).await;
    assert_eq!(api.done_as(&api.administrator(), Method::GET, &demo, &Value::Null).await["status"], "active");
}
