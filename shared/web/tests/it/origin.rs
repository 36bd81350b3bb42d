use std::net::SocketAddr;

use tenantry_web::config::{ForwardingHeaders, HttpConfig};
use tenantry_web::server::ServerHandle;

use crate::client::{get, raw};
use crate::server::{Doors, http, setup, start, start_with};

const SPOOFED: [(&str, &str); 4] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("Forwarded", "for=203.0.113.10;proto=https;host=evil.example"),
];

fn behind_proxy(change: impl FnOnce(&mut HttpConfig)) -> ServerHandle {
    let mut http = http();
    http.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    change(&mut http);
    start_with(setup(http), Doors::new())
}

async fn seen(address: SocketAddr, headers: &[(&str, &str)]) -> (String, String) {
    let body = get(address, "/whoami", headers).await.json();
    (body["client"].as_str().unwrap().to_owned(), body["origin"].as_str().unwrap().to_owned())
}

#[actix_web::test]
async fn strangers_cannot_say_who_they_are() {
    let server = start();
    let body = get(server.address(), "/whoami", &SPOOFED).await.json();
    assert_eq!(body["client"], "127.0.0.1");
    assert_eq!(body["origin"], "http://localhost");
    assert_eq!(body["actix"], "http://localhost Some(\"127.0.0.1\")", "nor can they tell actix");
}

#[actix_web::test]
async fn a_trusted_proxy_says_who_the_client_is() {
    let server = behind_proxy(|_| {});
    let (client, origin) = seen(server.address(), &SPOOFED).await;
    assert_eq!(client, "203.0.113.9");
    assert_eq!(origin, "https://localhost", "the host only when asked to");
    let chain = [("X-Forwarded-For", "1.2.3.4, 203.0.113.9, 127.0.0.5")];
    assert_eq!(seen(server.address(), &chain).await.0, "203.0.113.9", "what the client put in front is ignored");

    let server = behind_proxy(|http| http.trust_forwarded_host = true);
    let forwarded = [
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Host", "Login.Example.com:443"),
        ("X-Forwarded-Proto", "https"),
    ];
    assert_eq!(seen(server.address(), &forwarded).await.1, "https://login.example.com");
    let body = get(server.address(), "/whoami", &forwarded).await.json();
    assert_eq!(body["actix"], "http://login.example.com Some(\"127.0.0.1\")", "the Host header agrees");
    let malformed = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-Host", "evil/host")];
    assert_eq!(get(server.address(), "/whoami", &malformed).await.status, 400);

    let server = behind_proxy(|http| {
        http.forwarding_headers = ForwardingHeaders::Forwarded;
        http.trust_forwarded_host = true;
    });
    let (client, origin) = seen(server.address(), &SPOOFED).await;
    assert_eq!((client.as_str(), origin.as_str()), ("203.0.113.10", "https://evil.example"));
}

#[actix_web::test]
async fn malformed_hosts_are_refused() {
    let server = start();
    for bad in ["", "a b", "a/b", "a@b", "a:99999", "[::1", "a,b", "<x>", "..", "a\\b", "a?b#c"] {
        let answer = get(server.address(), "/whoami", &[("Host", bad)]).await;
        assert_eq!(answer.status, 400, "{bad:?}");
        assert_eq!(answer.problem()["type"], "http://localhost:8080/problems/malformed-request");
    }
    for (request, status) in [
        ("GET /whoami HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
        ("GET /whoami HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        ("GET http://evil.example/whoami HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n", 400),
        ("GET http://localhost/whoami HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n", 200),
        ("GET http://u@localhost/whoami HTTP/1.1\r\nConnection: close\r\nHost: localhost\r\n\r\n", 400),
    ] {
        assert_eq!(raw(server.address(), request).await.status, status, "{request}");
    }
    let old = raw(server.address(), "GET /whoami HTTP/1.0\r\n\r\n").await;
    assert_eq!(old.json()["origin"], "http://localhost:8080", "HTTP/1.0 need not name a host");
}
