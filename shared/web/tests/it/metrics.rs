use crate::client::{get, send};
use crate::server::{Doors, http, setup, start, start_with};

#[actix_web::test]
async fn requests_are_counted_by_closed_sets_of_labels() {
    let server = start();
    let address = server.address();
    for n in 0..20 {
        get(address, &format!("/items/{n}?q={n}"), &[]).await;
        get(address, &format!("/nowhere/{n}"), &[("Host", "evil.example")]).await;
        send(address, &format!("METHOD{n}"), "/items/1", &[], "").await;
    }
    let answer = get(server.metrics_address().unwrap(), "/metrics", &[]).await;
    assert!(answer.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = answer.body;
    for line in [
        "http_requests_total{method=\"GET\",route=\"/items/{id}\",status=\"200\"} 20",
        "http_requests_total{method=\"GET\",route=\"unmatched\",status=\"404\"} 20",
        "http_requests_total{method=\"other\",route=\"/items/{id}\",status=\"405\"} 20",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/items/{id}\"} 20",
        "http_requests_in_flight 0",
    ] {
        assert!(text.contains(line), "missing {line} in\n{text}");
    }
    assert!(!text.contains("evil") && !text.contains("METHOD") && !text.contains("nowhere"), "{text}");
    let series = text.lines().filter(|line| line.starts_with("http_requests_total")).count();
    assert_eq!(series, 3, "{text}");
}

#[actix_web::test]
async fn each_server_counts_its_own_and_serves_nothing_else_there() {
    let one = start();
    let two = start_with(setup(http()), Doors::new());
    get(one.address(), "/whoami", &[]).await;
    assert!(!get(two.metrics_address().unwrap(), "/metrics", &[]).await.body.contains("/whoami"));
    assert_eq!(get(one.metrics_address().unwrap(), "/whoami", &[]).await.status, 404);
    assert_eq!(get(one.address(), "/metrics", &[]).await.status, 404, "metrics are not for the public");
}
