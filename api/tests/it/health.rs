//! `/livez`, `/readyz` and the metrics.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_api::Application;
use tenantry_api::startup::MIGRATIONS;
use tenantry_testing::TestDatabase;
use tenantry_web::server::Environment;

use crate::fake_management::Fault;
use crate::support::{TestApi, client, configuration, within};

#[actix_web::test]
async fn ready_when_everything_is_there() {
    let api = TestApi::start().await;
    assert_eq!(api.get("/livez").await.status(), StatusCode::OK);
    let response = api.get("/readyz").await;
    assert_eq!(response.status(), StatusCode::OK);
    let report: Value = response.json().await.unwrap();
    let ok = json!({"status": "ok"});
    for check in ["database", "migrations", "keys", "jwks", "management"] {
        assert_eq!(report["checks"][check], ok, "{check}");
    }
    // A machine that is busy may not have looked for them a moment ago.
    assert!(report["checks"]["signals"]["status"].is_string());
}

#[actix_web::test]
async fn what_can_be_done_without_is_told_and_keeps_nobody_away() {
    let api = TestApi::start().await;
    api.get_as("/api/v1/me", &api.administrator()).await;
    api.idp.state().management.fail_next([Fault::Refuse(403, json!({})), Fault::Refuse(403, json!({}))]);
    let response = api.get("/readyz").await;
    assert_eq!(response.status(), StatusCode::OK);
    let report: Value = response.json().await.unwrap();
    let detail = "the identity provider cannot be asked for changes";
    assert_eq!(report["checks"]["management"], json!({"status": "degraded", "detail": detail}));
    assert_eq!(report["status"], "degraded");
}

#[actix_web::test]
async fn keys_that_are_known_are_enough() {
    let api = TestApi::start().await;
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    let report: Value = api.get("/readyz").await.json().await.unwrap();
    assert_eq!(
        report["checks"]["jwks"],
        json!({"status": "failed", "detail": "the identity provider does not answer"})
    );

    let known = TestApi::start().await;
    known.get_as("/api/v1/me", &known.administrator()).await;
    known.idp.state().is_down.store(true, Ordering::SeqCst);
    assert_eq!(known.get("/readyz").await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn not_ready_without_its_tables() {
    let database = TestDatabase::create().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = configuration("http://localhost:9", &database, &folder);
    config.metrics.listen = Some(([127, 0, 0, 1], 0).into());
    let url = config.http.public_url.to_string();
    let refused = Application::build(config.clone(), Environment::default()).await.err().unwrap();
    assert!(refused.to_string().contains("run `tenantry-api migrate`"), "{refused}");

    let db = database.open().await;
    db.migrate(&MIGRATIONS).await.unwrap();
    let application = Application::build(config, Environment::default()).await.unwrap();
    let metrics = application.metrics_address().unwrap();
    let _handle = application.start();
    db.revert_migrations(&MIGRATIONS).await.unwrap();
    let response = client().get(format!("{url}/readyz")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let report: Value = response.json().await.unwrap();
    assert_eq!(report["checks"]["database"]["status"], "ok");
    let detail = "the tables are not up to date: run `tenantry-api migrate`";
    assert_eq!(report["checks"]["migrations"], json!({"status": "failed", "detail": detail}));
    assert_eq!(report["checks"]["jwks"]["status"], "failed");

    let text = client().get(format!("http://{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(text.contains("http_requests_total{method=\"GET\",route=\"/readyz\",status=\"503\"} 1"), "{text}");
    for gauge in
        ["outbox_waiting", "outbox_failed", "tenant_tasks", "account_doubts", "audit_unsealed", "signals_current"]
    {
        assert!(text.contains(&format!("\n{gauge} ")), "{gauge}: {text}");
    }
    // The tables are gone, so that no look succeeds any more.
    let age = async || {
        let text = client().get(format!("http://{metrics}/metrics")).send().await.unwrap().text().await.unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("signals_age_seconds ")).unwrap();
        line.parse::<f64>().unwrap()
    };
    within(Duration::from_secs(20), async || age().await > 0.0).await;
}
