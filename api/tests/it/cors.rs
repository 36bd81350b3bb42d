//! Scripts of other origins.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};

use crate::support::{TestApi, client, within};

const APP: &str = "https://app.example.com";

#[actix_web::test]
async fn only_registered_origins_may_call_the_api() {
    let api = TestApi::start_with(|config| config.resource.allowed_origins = vec![APP.parse().unwrap()]).await;
    let preflight = |origin: &'static str, path: &str| {
        api.request(Method::OPTIONS, path)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "PUT")
            .header("Access-Control-Request-Headers", "authorization,content-type,if-match")
            .send()
    };
    let allowed = preflight(APP, "/api/v1/tenant/settings").await.unwrap();
    assert_eq!(allowed.status(), StatusCode::OK);
    assert_eq!(allowed.headers()["access-control-allow-origin"], APP);
    assert!(!allowed.headers().contains_key("access-control-allow-credentials"));

    for origin in ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"] {
        let refused = preflight(origin, "/api/v1/tenant/settings").await.unwrap();
        assert!(!refused.headers().contains_key("access-control-allow-origin"), "{origin}");
    }
    // The console answers no other origin, not even a registered one.
    let console = preflight(APP, "/console").await.unwrap();
    assert!(!console.headers().contains_key("access-control-allow-origin"));
}

#[actix_web::test]
async fn a_script_sees_why_it_was_refused() {
    let api = TestApi::start_with(|config| config.resource.allowed_origins = vec![APP.parse().unwrap()]).await;
    let response = api.request(Method::GET, "/api/v1/me").header("Origin", APP).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.headers()["access-control-allow-origin"], APP);
    let exposed = response.headers()["access-control-expose-headers"].to_str().unwrap().to_ascii_lowercase();
    assert!(exposed.contains("www-authenticate") && exposed.contains("etag"), "{exposed}");
    assert!(response.headers()["vary"].to_str().unwrap().to_ascii_lowercase().contains("origin"));
}

/// The origin that the answer may be shown to.
fn shown_to(response: &Response) -> Option<&str> {
    response.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap())
}

async fn preflight(api: &TestApi, origin: &str) -> Response {
    preflight_at(&api.url, origin).await
}

async fn preflight_at(url: &str, origin: &str) -> Response {
    client()
        .request(Method::OPTIONS, format!("{url}/api/v1/tenant/settings"))
        .header("Origin", origin)
        .header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "authorization,content-type,if-match")
        .send()
        .await
        .unwrap()
}

async fn call(api: &TestApi, origin: &str, path: &str, token: &str) -> Response {
    api.request(Method::GET, path).header("Origin", origin).bearer_auth(token).send().await.unwrap()
}

#[actix_web::test]
async fn the_origins_of_a_tenant_read_what_is_the_tenants() {
    const OTHER: &str = "https://other.example.com";
    let api = TestApi::start().await;
    api.idp.add_tenant("other");
    api.idp.set_origins("demo", &[APP, "http://localhost:5173"]);
    api.idp.set_origins("other", &[OTHER]);
    let demo = api.administrator();
    let other = api.idp.sign("other", &api.idp.user_claims("other", &api.url));

    // Nothing is known of a tenant before its first token.
    assert_eq!(shown_to(&preflight(&api, APP).await), None);
    for (origin, token) in [(APP, &demo), (OTHER, &other)] {
        let answer = call(&api, origin, "/api/v1/me", token).await;
        assert_eq!((answer.status(), shown_to(&answer)), (StatusCode::OK, None));
        let allowed = preflight(&api, origin).await;
        assert_eq!((allowed.status(), shown_to(&allowed)), (StatusCode::OK, Some(origin)));
        assert_eq!(shown_to(&call(&api, origin, "/api/v1/me", token).await), Some(origin));
    }
    // The token of one tenant in a script of another: whatever the answer is, the script does not see it.
    let weak = api.user(&[], "openid");
    for (origin, path, token, status) in [
        (OTHER, "/api/v1/me", &demo, 200),
        (APP, "/api/v1/me", &other, 200),
        (OTHER, "/api/v1/tenant/settings", &weak, 403),
    ] {
        let answer = call(&api, origin, path, token).await;
        assert_eq!((answer.status().as_u16(), shown_to(&answer)), (status, None), "{origin} {path}");
        assert!(!answer.headers().contains_key("access-control-expose-headers"));
        assert!(answer.headers()["vary"].to_str().unwrap().contains("Origin"), "caches keep the two apart");
    }
    let own = call(&api, APP, "/api/v1/tenant/settings", &weak).await;
    assert_eq!((own.status(), shown_to(&own)), (StatusCode::FORBIDDEN, Some(APP)));
    // Without a tenant there is nothing of a tenant's to see.
    let nobody = api.request(Method::GET, "/api/v1/me").header("Origin", OTHER).send().await.unwrap();
    assert_eq!((nobody.status(), shown_to(&nobody)), (StatusCode::UNAUTHORIZED, Some(OTHER)));
}

#[actix_web::test]
async fn what_looks_like_an_origin_of_a_tenant_is_none() {
    let api = TestApi::start().await;
    api.idp.set_origins("demo", &[APP, "http://localhost:5173"]);
    let token = api.administrator();
    assert_eq!(call(&api, APP, "/api/v1/me", &token).await.status(), StatusCode::OK);
    for origin in [
        "null",
        "*",
        "",
        "http://app.example.com",
        "https://app.example.com:443",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://app.example.com.",
        "https://APP.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com.evil.example",
        "https://evilapp.example.com",
        "https://example.com",
        "https://evil.example?https://app.example.com",
        "https://app.example.com@evil.example",
        "https://app.example.com, https://evil.example",
        "https://app.example.com https://evil.example",
        "https://localhost:5173",
        "http://localhost",
        "http://localhost:5174",
    ] {
        let refused = preflight(&api, origin).await;
        assert_eq!((refused.status(), shown_to(&refused)), (StatusCode::BAD_REQUEST, None), "{origin:?}");
        assert_eq!(shown_to(&call(&api, origin, "/api/v1/me", &token).await), None, "{origin:?}");
    }
    // Two of them are none.
    let request = api.request(Method::GET, "/api/v1/me").header("Origin", "https://evil.example").header("Origin", APP);
    let twice = request.bearer_auth(&token).send().await.unwrap();
    assert_eq!(shown_to(&twice), None);
}

#[actix_web::test]
async fn only_origins_are_taken_over_from_the_provider() {
    let api = TestApi::start().await;
    let nonsense = ["*", "null", "", "https://app.example.com/", "javascript:alert(1)", "HTTPS://B.example", APP];
    api.idp.set_origins("demo", &nonsense);
    let token = api.administrator();
    assert_eq!(call(&api, APP, "/api/v1/me", &token).await.status(), StatusCode::OK);
    for origin in nonsense {
        let expected = (origin == APP).then_some(APP);
        assert_eq!(shown_to(&preflight(&api, origin).await), expected, "{origin:?}");
        assert_eq!(shown_to(&call(&api, origin, "/api/v1/me", &token).await), expected, "{origin:?}");
    }
}

#[actix_web::test]
async fn an_origin_that_a_tenant_gives_up_reads_nothing_more() {
    let api = TestApi::start().await;
    api.idp.set_origins("demo", &[APP]);
    let before = api.administrator();
    assert_eq!(call(&api, APP, "/api/v1/me", &before).await.status(), StatusCode::OK);
    assert_eq!(shown_to(&call(&api, APP, "/api/v1/me", &before).await), Some(APP));
    api.idp.set_origins("demo", &[]);
    // A key that is not known yet makes the service ask again at once.
    api.idp.rotate("demo");
    let after = api.administrator();
    assert_eq!(call(&api, APP, "/api/v1/me", &after).await.status(), StatusCode::OK);
    for token in [&before, &after] {
        assert_eq!(shown_to(&call(&api, APP, "/api/v1/me", token).await), None);
    }
}

#[actix_web::test]
async fn a_process_that_has_just_begun_knows_the_origins_of_tenants() {
    const OTHER: &str = "https://other.example.com";
    let api = TestApi::start().await;
    api.idp.set_origins("demo", &[APP, "http://localhost:5173"]);
    api.idp.add_tenant("other");
    api.idp.set_origins("other", &[OTHER, APP]);
    api.id_of(&api.administrator()).await;
    api.id_of(&api.idp.sign("other", &api.idp.user_claims("other", &api.url))).await;
    let kept =
        async |count: i64| within(Duration::from_secs(20), async || api.count("tenant_origins").await == count).await;
    kept(4).await;
    // Before anybody has come there with a token, and without asking for anything.
    let lookups = || api.idp.state().issuer_lookups.load(Ordering::SeqCst);
    let before = lookups();
    let replica = api.replica(api.config.clone()).await;
    for origin in [APP, OTHER, "http://localhost:5173"] {
        let allowed = preflight_at(&replica, origin).await;
        assert_eq!((allowed.status(), shown_to(&allowed)), (StatusCode::OK, Some(origin)));
    }
    for origin in ["https://evil.example", "http://app.example.com", "https://app.example.com.", "null", "*"] {
        let refused = preflight_at(&replica, origin).await;
        assert_eq!((refused.status(), shown_to(&refused)), (StatusCode::BAD_REQUEST, None), "{origin}");
    }
    assert_eq!(lookups(), before);
    // What a tenant gives up is forgotten, unless another has it.
    api.idp.set_origins("demo", &[]);
    api.idp.rotate("demo");
    let demo = api.administrator();
    api.id_of(&demo).await;
    kept(2).await;
    let replica = api.replica(api.config.clone()).await;
    assert_eq!(shown_to(&preflight_at(&replica, "http://localhost:5173").await), None);
    assert_eq!(shown_to(&preflight_at(&replica, APP).await), Some(APP));
    // Whose token it is still decides what a script is shown.
    let other = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    for (token, expected) in [(&demo, None), (&other, Some(APP))] {
        let request = client().get(format!("{replica}/api/v1/me")).bearer_auth(token).header("Origin", APP);
        let answer = request.send().await.unwrap();
        assert_eq!((answer.status(), shown_to(&answer)), (StatusCode::OK, expected));
    }
}
