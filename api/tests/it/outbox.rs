//! What becomes of messages to other services in the long run.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tenantry_api::config::OutboxConfig;
use tenantry_api::outbox;
use tenantry_types::Clock as _;

use crate::support::{TestApi, within};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const TAKEN: &[&str] = &["account.roles_changed"];

async fn prune(api: &TestApi) -> usize {
    let config = OutboxConfig { retention_days: 7, refused_retention_days: 90 };
    outbox::prune(&api.database.open().await, api.clock.now(), &config, TAKEN).await.unwrap()
}

#[actix_web::test]
async fn what_arrived_and_what_nobody_takes_goes_and_what_was_refused_stays_longer() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let body = json!({"name": "Reader", "role_family": "Internal", "permissions": ["role.read"]});
    let role = api.done_as(&admin, Method::POST, "/api/v1/roles", &body).await;
    let given = json!({ "role_id": role["id"] });
    api.done_as(&admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &given).await;
    // What a recipient cannot read is refused for good.
    api.execute(
        "INSERT INTO outbox (id, tenant_id, kind, payload, created_at, available_at, attempts) SELECT \
         '0190b2c4-0000-7000-8000-000000000009', tenant_id, kind, '{}', created_at, created_at, 0 FROM outbox \
         WHERE kind = 'account.roles_changed'",
    )
    .await;
    let waiting = "outbox WHERE kind = 'account.roles_changed' AND delivered_at IS NULL AND failed_at IS NULL";
    within(Duration::from_secs(30), async || api.count(waiting).await == 0).await;
    assert_eq!(api.count("outbox WHERE failed_at IS NOT NULL").await, 1);
    let untaken = api.count("outbox WHERE kind = 'role.changed'").await;
    assert_eq!(untaken, 1);

    api.clock.advance(DAY * 6);
    assert_eq!(prune(&api).await, 0);
    // One that waits, however old.
    api.execute(
        "UPDATE outbox SET delivered_at = NULL, available_at = '2999-01-01 00:00:00' WHERE delivered_at IS NOT NULL",
    )
    .await;
    api.clock.advance(DAY * 2);
    assert_eq!(prune(&api).await, 1);
    assert_eq!((api.count(waiting).await, api.count("outbox").await), (1, 2));
    api.execute("UPDATE outbox SET delivered_at = created_at WHERE failed_at IS NULL").await;
    assert_eq!(prune(&api).await, 1);
    assert_eq!(api.count("outbox WHERE failed_at IS NOT NULL").await, 1);
    api.clock.advance(DAY * 83);
    assert_eq!((prune(&api).await, api.count("outbox").await), (1, 0));
}

/// In pieces, all of what is over, of every tenant.
#[actix_web::test]
async fn many_messages_go_in_pieces() {
    let api = TestApi::start().await;
    api.id_of(&api.administrator()).await;
    let tenant = api.idp.tenant("demo").id;
    let old = "2020-01-01 00:00:00.000000";
    let rows: Vec<String> = (0..1_200)
        .map(|number| {
            format!("('0190b2c4-0000-7000-8000-{number:012}', '{tenant}', 'old', '{{}}', '{old}', '{old}', 0)")
        })
        .collect();
    let columns = "id, tenant_id, kind, payload, created_at, available_at, attempts";
    api.execute_text(format!("INSERT INTO outbox ({columns}) VALUES {}", rows.join(", "))).await;
    let before = api.count("outbox").await;
    assert_eq!(prune(&api).await, 1_200);
    assert_eq!(api.count("outbox").await, before - 1_200);
}
