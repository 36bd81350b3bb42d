//! What goes on for long goes on for as long only as its caller may.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::support::{TestApi, within};

/// More lines than are under way at once.
const LINES: usize = 40;

/// Imports people, and makes this so while the first of them are under way. What came of each line.
async fn imported(statement: &'static str) -> Vec<String> {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    api.accounts.is_slow.send_replace(true);
    let lines: Vec<String> = (0..LINES).map(|at| format!("p{at}@acme.example\n")).collect();
    let request = api.request(Method::POST, "/api/v1/users/import").bearer_auth(&admin);
    let request = request.header("Content-Type", "text/csv").body(format!("email\n{}", lines.concat()));
    let importing = actix_web::rt::spawn(async move { request.send().await.unwrap().text().await.unwrap() });
    within(Duration::from_secs(20), || async { api.count("account_doubts").await > 0 }).await;
    api.execute(statement).await;
    api.accounts.is_slow.send_replace(false);
    let told = importing.await.unwrap();
    let told = told.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    told.filter_map(|line| line["status"].as_str().map(str::to_owned)).collect()
}

#[actix_web::test]
async fn an_import_stops_when_its_caller_is_switched_off() {
    for statement in [
        "UPDATE users SET status = 'suspended' WHERE status = 'active'",
        "UPDATE tenants SET status = 'suspended', access_generation = access_generation + 1",
        "INSERT INTO revocations (tenant_id, kind, target, not_before, expires_at) \
         SELECT tenant_id, 'user', id, '2100-01-01 00:00:00.000000', '2100-01-02 00:00:00.000000' FROM users",
        "DELETE FROM user_roles",
    ] {
        let told = imported(statement).await;
        let failed = told.iter().filter(|status| *status == "failed").count();
        assert!(failed > LINES / 2, "{statement}: {told:?}");
    }
}
