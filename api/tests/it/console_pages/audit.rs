//! `/console/audit`.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use tenantry_api::audit::chain::Sealer;
use tenantry_jose::Keyring;
use tenantry_types::Clock;

use super::Desk;

const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\">";

impl Desk {
    async fn seal(&self) {
        let keyring = Keyring::load(&self.api.config.keyring.path).unwrap();
        let clock = Arc::clone(&self.api.clock) as Arc<dyn Clock>;
        Sealer::new(self.api.database.open().await, keyring, clock).seal_all().await.unwrap();
    }
}

#[actix_web::test]
async fn what_was_done_is_found_and_verified() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let grace = json!({"email": "grace@acme.example", "first_name": "Grace"});
    let grace = desk.ask(Method::POST, "/api/v1/users", grace).await["id"].as_str().unwrap().to_owned();
    let change =
        json!({"first_name": HOSTILE, "metadata": {"10": 1.50, "9": {"z": 1, "a": [2e3]}, "api_key": "hunter2"}});
    desk.ask(Method::PATCH, &format!("/api/v1/users/{grace}"), change).await;
    desk.seal().await;

    desk.click(".nav a[href='/console/audit']").await;
    desk.read("tbody", "account.create").await;
    desk.keep("audit").await;
    desk.open(&format!("/console/audit?action=account.update&target_id={grace}")).await;
    desk.read("tbody", "account.update").await;
    assert_eq!(desk.script("return document.querySelectorAll('tbody tr').length", vec![]).await, json!(1));
    desk.click("tbody th a").await;
    desk.read("tr[data-key='/first_name'] .change-before", "Grace").await;
    desk.read("tr[data-key='/first_name'] .change-after", HOSTILE).await;
    desk.read("tr[data-key='/metadata/api_key'] .change-after", "Hidden, a secret").await;
    assert!(!desk.text().await.contains("hunter2"));
    assert_eq!(desk.script("return document.images.length", vec![]).await, json!(1), "the mark of the bar");
    // The browser has calculated that this is what was sealed, with the keys and nothing else.
    desk.read("#seal", "Sealed in batch 0").await;
    desk.see("[data-verified='true']").await;
    for step in ["leaf", "root", "signature", "header"] {
        desk.see(&format!("[data-step='{step}'][data-state='good']")).await;
    }
    desk.keep("audit-entry").await;
    desk.click("a[href*='request_id']").await;
    desk.read("tbody", "account.update").await;

    desk.click(".tabs a[href$='/batches']").await;
    desk.read("tbody", "Batch 0").await;
    desk.click("#verify-chain").await;
    desk.read("#chain", "All 1 batches shown hold").await;
    desk.keep("audit-batches").await;
    desk.leave().await;
}

#[actix_web::test]
async fn what_was_changed_behind_its_back_does_not_hold() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    desk.ask(Method::POST, "/api/v1/users", json!({"email": "grace@acme.example", "first_name": "Grace"})).await;
    desk.seal().await;
    desk.api.execute("UPDATE audit_entries SET changes = REPLACE(changes, 'Grace', 'Mallory')").await;
    desk.open("/console/audit?action=account.create").await;
    desk.click("tbody th a").await;
    desk.read(".change-after", "Mallory").await;
    // The batch is as it was signed; this entry is not in it.
    desk.see("[data-step='root'][data-state='bad']").await;
    desk.see("[data-step='signature'][data-state='good']").await;
    desk.see("[data-verified='false']").await;
    desk.keep("audit-tampered").await;
    desk.leave().await;
}

#[actix_web::test]
async fn a_decision_is_looked_at_and_explained_again() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let name = json!({"name": "NobodyDeletes", "target": {"resource": "group", "action": "delete"}, "rules": {"effect": "deny"}});
    desk.ask(Method::POST, "/api/v1/policies", name).await;
    let group = desk.ask(Method::POST, "/api/v1/groups", json!({"name": "Front desk"})).await;
    let path = format!("/api/v1/groups/{}", group["id"].as_str().unwrap());
    let refused = desk.api.send_as(&desk.api.administrator(), Method::DELETE, &path, &Value::Null).await;
    assert_eq!(refused.status().as_u16(), 403);
    desk.decided("group", "delete").await;

    desk.open("/console/audit/decisions?decision=deny").await;
    desk.read("tbody", "NobodyDeletes").await;
    desk.keep("decisions").await;
    desk.click("tbody .cell-actions button").await;
    desk.read(".dialog", "env.time").await;
    desk.keep("decision").await;
    desk.click("#explain-decision").await;
    desk.read("#page-title", "Explain a decision").await;
    desk.click("#app button[type=submit]").await;
    desk.read(".explanation", "May not group.delete").await;
    desk.read(".explanation", "NobodyDeletes").await;
    desk.keep("decision-explained").await;
    desk.leave().await;
}
