use crate::client::{get, raw};
use crate::server::{Doors, http, setup, start, start_with};

#[actix_web::test]
async fn header_sections_and_addresses_have_limits() {
    let server = start();
    let address = server.address();
    assert_eq!(get(address, "/whoami", &[("X-Long", &"x".repeat(30_000))]).await.status, 200);
    let answer = get(address, "/whoami", &[("X-Long", &"x".repeat(33_000))]).await;
    assert_eq!((answer.status, answer.problem()["detail"].as_str()), (431, Some("at most 32768 bytes")));
    let many: Vec<(String, &str)> = (0..90).map(|n| (format!("X-{n}"), "v")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(get(address, "/whoami", &many).await.status, 200);
    assert_eq!(get(address, &format!("/whoami?{}", "q".repeat(8_000)), &[]).await.status, 200);
    let answer = get(address, &format!("/whoami?{}", "q".repeat(8_192)), &[]).await;
    assert_eq!((answer.status, answer.problem()["status"].as_u64()), (414, Some(414)));
}

#[actix_web::test]
async fn what_is_beyond_all_limits_is_cut_off() {
    let server = start();
    let flood = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(140_000));
    assert_eq!(raw(server.address(), flood).await.status, 431);
    let lines = "X-Many: v\r\n".repeat(200);
    let answer = raw(server.address(), format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n")).await;
    assert!(matches!(answer.status, 400 | 431), "{answer:?}");
}

#[actix_web::test]
async fn a_handler_that_hangs_is_given_up() {
    let mut http = http();
    http.request_timeout = 1;
    let server = start_with(setup(http), Doors::new());
    let answer = get(server.address(), "/wait", &[]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.problem()["type"], "http://localhost:8080/problems/unavailable");
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(get(server.address(), "/wait-long", &[]).await.body, "done", "unless it asked for more time");
}
