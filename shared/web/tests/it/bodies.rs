use crate::client::{raw, send};
use crate::server::{Doors, http, setup, start, start_with};

const JSON: (&str, &str) = ("Content-Type", "application/json");

#[actix_web::test]
async fn json_errors_point_at_the_member() {
    let server = start();
    let post = async |body: &str| send(server.address(), "POST", "/booking", &[JSON], body).await;
    assert_eq!(post(r#"{"seats":[1,2]}"#).await.body, "2");
    let wrong = post(r#"{"seats":[1,"two"]}"#).await;
    assert_eq!(wrong.status, 422);
    let error = &wrong.problem()["errors"][0];
    assert_eq!((error["pointer"].as_str(), error["code"].as_str()), (Some("/seats/1"), Some("invalid_type")));
    assert_eq!(post(r#"{"seats":[],"x":1}"#).await.problem()["errors"][0]["pointer"], "/x");
    assert_eq!(post("{}").await.problem()["errors"][0]["pointer"], "/seats");
    let torn = post(r#"{"seats":[1,"#).await;
    assert_eq!((torn.status, torn.problem()["type"].as_str().unwrap().ends_with("malformed-request")), (400, true));
}

#[actix_web::test]
async fn only_json_is_taken_for_json() {
    let server = start();
    for headers in [&[][..], &[("Content-Type", "text/plain")], &[JSON, ("Content-Encoding", "gzip")]] {
        let answer = send(server.address(), "POST", "/booking", headers, r#"{"seats":[]}"#).await;
        assert_eq!(answer.status, 415, "{headers:?}");
        answer.problem();
    }
}

#[actix_web::test]
async fn large_bodies_are_refused_however_they_come() {
    let mut http = http();
    http.body_limit = 1024;
    let server = start_with(setup(http), Doors::new());
    let address = server.address();
    assert_eq!(send(address, "POST", "/body", &[], &"x".repeat(1024)).await.body, "1024");
    let answer = send(address, "POST", "/body", &[], &"x".repeat(1025)).await;
    assert_eq!((answer.status, answer.problem()["detail"].as_str()), (413, Some("at most 1024 bytes")));

    // Its own length is enough: nothing of the body is waited for.
    let head = "POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n";
    assert_eq!(raw(address, head).await.status, 413);

    let head = "POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("200\r\n{}\r\n", "x".repeat(512));
    assert_eq!(raw(address, format!("{head}{chunk}{chunk}0\r\n\r\n")).await.body, "1024");
    assert_eq!(raw(address, format!("{head}{chunk}{chunk}{chunk}0\r\n\r\n")).await.status, 413);

    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let answer = send(address, "POST", "/form", &[form], &"x".repeat(2000)).await;
    assert_eq!((answer.status, answer.problem()["status"].as_u64()), (413, Some(413)));
}

#[actix_web::test]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let mut http = http();
    http.body_timeout = 1;
    let server = start_with(setup(http), Doors::new());
    let torn = "POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf";
    let answer = raw(server.address(), torn).await;
    assert_eq!(answer.status, 408);
    answer.problem();
}

#[actix_web::test]
async fn smuggled_requests_are_refused() {
    let server = start();
    for headers in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: +4",
        "Content-Length: -1",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    ] {
        let request = format!("POST /body HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{headers}\r\n\r\n0\r\n\r\n");
        let answer = raw(server.address(), request).await;
        assert_eq!(answer.status, 400, "{headers:?}: {answer:?}");
    }
}
