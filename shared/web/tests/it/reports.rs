use serde_json::Value;

use crate::client::get;
use crate::server::{Doors, http, setup, start_with};
use crate::telemetry::{collected, reports};

#[actix_web::test]
async fn a_fault_is_reported_without_what_the_request_carried() {
    let mut setup = setup(http());
    setup.reports = Some(reports());
    let server = start_with(setup, Doors::new());
    let headers = [
        ("X-Request-Id", "report-1"),
        ("Authorization", "Bearer hunter2-token"),
        ("Cookie", "session=hunter2-cookie"),
        ("X-Api-Key", "hunter2-key"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("User-Agent", "tester/1"),
    ];
    assert_eq!(get(server.address(), "/fail?code=hunter2-query", &headers).await.status, 500);

    let envelope = collected().envelope_of("report-1").await;
    assert!(!envelope.contains("hunter2") && !envelope.contains("203.0.113.9"), "{envelope}");
    let event: Value = envelope.lines().filter_map(|line| serde_json::from_str(line).ok()).find(is_event).unwrap();
    assert_eq!(event["tags"]["request_id"], "report-1");
    assert_eq!(event["transaction"], "GET /fail");
    assert_eq!(event["environment"], "test");
    assert_eq!(event["release"], "tenantry-web@0.0.0");
    assert_eq!(event["request"]["method"], "GET");
    assert!(event["request"]["url"].as_str().unwrap().ends_with("/fail"));
    assert_eq!(event["request"]["headers"]["user-agent"], "tester/1");
    assert!(envelope.contains("the vault cannot be opened: the hinge broke"));

    assert_eq!(get(server.address(), "/panic?code=hunter2", &[("X-Request-Id", "report-2")]).await.status, 500);
    let envelope = collected().envelope_of("report-2").await;
    assert!(envelope.contains("panicked: the floor gave way") && !envelope.contains("hunter2"), "{envelope}");

    // What the client did wrong is not reported; the next report proves that it would have been here by now.
    assert_eq!(get(server.address(), "/nowhere", &[("X-Request-Id", "report-3")]).await.status, 404);
    assert_eq!(get(server.address(), "/fail", &[("X-Request-Id", "report-4")]).await.status, 500);
    collected().envelope_of("report-4").await;
    for (id, reports) in [("report-1", 1), ("report-2", 1), ("report-3", 0), ("report-4", 1)] {
        assert_eq!(collected().envelopes_of(id), reports, "{id}");
    }
}

fn is_event(value: &Value) -> bool {
    value.get("event_id").is_some() && value.get("tags").is_some()
}
