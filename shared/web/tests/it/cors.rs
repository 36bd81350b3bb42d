use crate::client::{Answer, send};
use crate::server::start;

const ORIGIN: (&str, &str) = ("Origin", "https://app.example.com");

async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let server = start();
    send(server.address(), method, path, headers, "").await
}

#[actix_web::test]
async fn registered_origins_are_answered() {
    let preflight = [
        ORIGIN,
        ("Access-Control-Request-Method", "POST"),
        ("Access-Control-Request-Headers", "authorization, content-type, dpop, if-match"),
    ];
    let answer = ask("OPTIONS", "/shared/tokens", &preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"));
    assert!(answer.header("access-control-allow-headers").unwrap().contains("authorization"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert!(answer.header("vary").unwrap().contains("Origin"));

    let answer = ask("GET", "/shared/tokens", &[ORIGIN]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some(ORIGIN.1));
    assert!(answer.header("access-control-expose-headers").unwrap().contains("x-request-id"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    let refused = ask("DELETE", "/shared/tokens", &[ORIGIN]).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (405, Some(ORIGIN.1)));
}

#[actix_web::test]
async fn other_origins_are_not() {
    for origin in ["https://evil.example", "null", "https://app.example.com.evil.example", "http://app.example.com"] {
        let headers = [("Origin", origin), ("Access-Control-Request-Method", "POST")];
        let preflight = ask("OPTIONS", "/shared/tokens", &headers).await;
        assert_eq!(preflight.header("content-type"), Some("application/problem+json"));
        assert_eq!((preflight.status, preflight.header("access-control-allow-origin")), (400, None), "{origin}");
        let answer = ask("GET", "/shared/tokens", &[("Origin", origin)]).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None));
        assert!(answer.header("vary").unwrap().contains("Origin"), "caches keep the two apart");
    }
    let other_host = ask("GET", "/shared/tokens", &[ORIGIN, ("Host", "other.example")]).await;
    assert_eq!(other_host.header("access-control-allow-origin"), None, "the predicate sees the host");
}

#[actix_web::test]
async fn public_documents_are_for_everybody_and_the_rest_for_nobody() {
    let answer = ask("GET", "/public/jwks", &[ORIGIN]).await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-credentials"), None);
    assert_eq!(ask("GET", "/whoami", &[ORIGIN]).await.header("access-control-allow-origin"), None);
}
