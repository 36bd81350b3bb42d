use crate::client::{get, raw, send};
use crate::server::{Doors, http, setup, start, start_with};

#[actix_web::test]
async fn every_answer_is_secured() {
    let server = start();
    for path in ["/whoami", "/nowhere", "/fail", "/bare", "/livez", "/items/x"] {
        let answer = get(server.address(), path, &[]).await;
        for (name, value) in [
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        assert!(answer.header("permissions-policy").unwrap().contains("camera=()"));
        assert_eq!(answer.header("strict-transport-security"), None, "not over plain HTTP");
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("x-powered-by"), None);
    }
}

#[actix_web::test]
async fn a_handler_may_say_otherwise() {
    let server = start();
    let answer = get(server.address(), "/page", &[]).await;
    assert_eq!(answer.header("content-security-policy"), Some("default-src 'self'"));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
}

#[actix_web::test]
async fn https_stays_https() {
    let mut http = http();
    http.public_url = "https://id.example.com".parse().unwrap();
    let server = start_with(setup(http), Doors::new());
    let answer = get(server.address(), "/whoami", &[]).await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
}

#[actix_web::test]
async fn a_request_id_comes_back_only_if_it_is_harmless() {
    let server = start();
    let answer = get(server.address(), "/whoami", &[("X-Request-Id", "abc-1.2_Z")]).await;
    assert_eq!(answer.header("x-request-id"), Some("abc-1.2_Z"));
    assert_eq!(answer.json()["id"], "abc-1.2_Z");
    for bad in ["", "a b", "a;b", "<b>", "%0d%0aSet-Cookie: x=1", "é", &"a".repeat(65), "a\tb", "\"a\""] {
        let answer = get(server.address(), "/whoami", &[("X-Request-Id", bad)]).await;
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id} for {bad:?}");
    }
    let twice = get(server.address(), "/whoami", &[("X-Request-Id", "a"), ("X-Request-Id", "b")]).await;
    assert_eq!(twice.header("x-request-id").unwrap().len(), 32);
    let split =
        "GET /whoami HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Request-Id: a\rSet-Cookie: x=1\r\n\r\n";
    let answer = raw(server.address(), split).await;
    assert_eq!((answer.status, answer.header("set-cookie")), (400, None));
}

#[actix_web::test]
async fn requests_have_different_ids_and_traces() {
    let server = start();
    let first = get(server.address(), "/whoami", &[]).await.json();
    let second = get(server.address(), "/whoami", &[]).await.json();
    assert_ne!(first["id"], second["id"]);
    assert_ne!(first["trace"], second["trace"]);
    let parent = ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let joined = get(server.address(), "/whoami", &[parent]).await.json();
    assert_eq!(joined["trace"], "4bf92f3577b34da6a3ce929d0e0e4736");
    let outgoing = joined["outgoing"][0][1].as_str().unwrap();
    assert!(outgoing.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && outgoing.ends_with("-01"));
    assert!(!outgoing.contains("00f067aa0ba902b7"), "the span is ours");
}

#[actix_web::test]
async fn head_is_get_without_a_body() {
    let server = start();
    let answer = send(server.address(), "HEAD", "/whoami", &[], "").await;
    assert_eq!((answer.status, answer.body.as_str()), (200, ""));
    assert!(answer.header("content-length").unwrap().parse::<u32>().unwrap() > 0);
}
