//! Requests that no HTTP client would send.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use actix_web::rt::task::spawn_blocking;

use crate::support::TestApi;

/// Sends bytes and reads the answer to its end.
async fn raw(api: &TestApi, request: String) -> String {
    let address = api.handle.address();
    let answer = spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A refused request may end in a reset.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    });
    answer.await.unwrap()
}

fn get(path: &str, host: &str, more: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n")
}

#[actix_web::test]
async fn what_comes_in_does_not_go_out_as_a_header() {
    let api = TestApi::start().await;
    for (path, more) in [
        ("/console/sign-in?tenant=demo%0d%0aX-Injected:%201", ""),
        ("/console/callback?state=a%0d%0aX-Injected:%201&error=b%0d%0aX-Injected:%201", ""),
        ("/api/v1/me", "X-Request-Id: a%0d%0aX-Injected: 1\r\n"),
        ("/api/v1/me", "Authorization: Bearer a\u{0b}X-Injected: 1\r\n"),
        ("/docs/a%0d%0aX-Injected:%201", ""),
        ("/problems/a%0d%0aX-Injected:%201", ""),
    ] {
        let answer = raw(&api, get(path, "localhost", more)).await;
        let (head, _) = answer.split_once("\r\n\r\n").unwrap();
        assert!(!head.to_ascii_lowercase().contains("x-injected"), "{path}: {head}");
        assert!(head.starts_with("HTTP/1.1 4"), "{path}: {head}");
    }
}

#[actix_web::test]
async fn the_host_header_decides_nothing() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let more =
        format!("Authorization: Bearer {token}\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n");
    for host in ["evil.example", "localhost:1", "127.0.0.1"] {
        let me = raw(&api, get("/api/v1/me", host, &more)).await;
        assert!(me.starts_with("HTTP/1.1 200"), "{me}");
        for path in ["/console", "/console/sign-in", "/api/v1/missing", "/api/v1/openapi.json", "/docs"] {
            let answer = raw(&api, get(path, host, &more)).await;
            assert!(!answer.contains("evil.example"), "{path}: {answer}");
        }
        let sign_in = raw(&api, get("/console/sign-in", host, &more)).await;
        let callback: String =
            url::form_urlencoded::byte_serialize(format!("{}/console/callback", api.url).as_bytes()).collect();
        assert!(sign_in.contains(&callback), "the public URL is configured: {sign_in}");
    }
    for malformed in ["evil.example/path", "a b", "user@localhost", "localhost\r\nHost: evil.example", "<script>"] {
        let answer = raw(&api, get("/console", malformed, "")).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{malformed}: {answer}");
    }
}

#[actix_web::test]
async fn what_is_too_large_is_refused() {
    let api = TestApi::start_with(|config| {
        config.http.header_limit = 8 * 1024;
        config.http.uri_limit = 1024;
    })
    .await;
    let header = raw(&api, get("/livez", "localhost", &format!("X-Large: {}\r\n", "a".repeat(9 * 1024)))).await;
    assert!(header.starts_with("HTTP/1.1 431"), "{header}");
    let uri = raw(&api, get(&format!("/livez?{}", "a".repeat(1025)), "localhost", "")).await;
    assert!(uri.starts_with("HTTP/1.1 414"), "{uri}");
}

#[actix_web::test]
async fn every_answer_has_the_security_headers() {
    let api = TestApi::start().await;
    for path in ["/api/v1/me", "/console", "/docs", "/missing", "/livez"] {
        let response = api.get(path).await;
        let headers = response.headers();
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"), "{path}");
        assert!(headers.contains_key("x-request-id"), "{path}");
        assert!(!headers.contains_key("server"), "{path}");
    }
}
