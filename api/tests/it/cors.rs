//! Scripts of other origins.

use reqwest::{Method, StatusCode};

use crate::support::TestApi;

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
