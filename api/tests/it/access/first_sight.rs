//! What is learned of people who call for the first time, and that it is learned once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{TestApi, within};

#[actix_web::test]
async fn roles_that_nobody_knows_are_looked_at_and_leave_no_trace() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let stranger = api.user(&["Ghost", "Phantom"], "api");
    api.id_of(&stranger).await;
    let traces = || async {
        (
            api.count("audit_entries WHERE action = 'account.first_seen'").await,
            api.count("signals").await,
            api.accounts.asked.load(Ordering::SeqCst),
        )
    };
    let asked = || async { api.accounts.asked.load(Ordering::SeqCst) == 2 };
    within(Duration::from_secs(10), asked).await;
    let before = traces().await;
    assert_eq!(before.0, 2);
    for _ in 0..2 {
        api.id_of(&stranger).await;
        // Also by a replica that has seen nobody yet.
        let replica = api.replica(api.config.clone()).await;
        let me = crate::support::client().get(format!("{replica}/api/v1/me")).bearer_auth(&stranger);
        assert_eq!(me.send().await.unwrap().status(), StatusCode::OK);
    }
    assert_eq!(traces().await, before);

    // When there is such a role, the token gives it.
    let role = json!({"name": "Ghost", "role_family": "Customer", "permissions": ["role.read"]});
    api.done_as(&admin, Method::POST, "/api/v1/roles", &role).await;
    assert_eq!(api.get_as("/api/v1/roles", &stranger).await.status(), StatusCode::OK);
    assert_eq!(api.count("audit_entries WHERE action = 'account.first_seen'").await, 3);
}
