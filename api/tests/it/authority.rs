//! What a caller may do: by their roles here, by policies, and for how long.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{TestApi, challenge, problem, within};

const SETTINGS: &str = "/api/v1/tenant/settings";

async fn roles(api: &TestApi, token: &str) -> Value {
    api.get_as("/api/v1/me", token).await.json::<Value>().await.unwrap()["data"]["roles"].clone()
}

#[actix_web::test]
async fn somebody_new_has_the_roles_that_their_token_names_and_the_tenant_has() {
    let api = TestApi::start().await;
    let token = api.user(&["member", "auditor", "emperor"], "api");
    assert_eq!(roles(&api, &token).await, json!(["auditor", "member"]));
    assert_eq!(api.count("users").await, 1);
    assert_eq!(api.texts("SELECT action AS value FROM audit_entries").await, ["account.first_seen"]);
    assert_eq!(
        api.texts("SELECT name AS value FROM roles ORDER BY name").await,
        ["administrator", "auditor", "member", "provider"]
    );
}

#[actix_web::test]
async fn somebody_who_was_switched_off_may_do_nothing() {
    let api = TestApi::start().await;
    let token = api.administrator();
    assert_eq!(api.get_as(SETTINGS, &token).await.status(), StatusCode::OK);
    let replica = api.replica(api.config.clone()).await;
    api.execute("UPDATE users SET status = 'suspended'").await;
    // A replica that has not seen them yet.
    let response =
        crate::support::client().get(format!("{replica}{SETTINGS}")).bearer_auth(&token).send().await.unwrap();
    assert!(challenge(&response).contains("invalid_token"));
    assert_eq!(problem(response, StatusCode::UNAUTHORIZED).await["detail"], "the access token was revoked");
}

#[actix_web::test]
async fn many_who_come_at_once_are_each_learned_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let answers = futures_util::future::join_all((0..12).map(|_| api.get_as(SETTINGS, &token))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
    assert_eq!((api.count("users").await, api.count("user_roles").await, api.count("roles").await), (1, 1, 4));
}

#[actix_web::test]
async fn what_was_decided_is_logged_with_the_reason() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let narrow = api.user(&["administrator"], "openid");
    for (token, path, status) in [
        (&admin, "/api/v1/roles", StatusCode::OK),
        (&member, "/api/v1/roles", StatusCode::FORBIDDEN),
        (&narrow, SETTINGS, StatusCode::FORBIDDEN),
        // Whatever token will do is no decision.
        (&narrow, "/api/v1/me", StatusCode::OK),
    ] {
        assert_eq!(api.get_as(path, token).await.status(), status, "{path}");
    }
    within(Duration::from_secs(5), || async { api.count("access_logs").await == 3 }).await;
    let row =
        "SELECT CONCAT(resource, '.', action, ' ', decision, ': ', reason) AS value FROM access_logs ORDER BY reason";
    let expected = [
        "role.read allow: a role allows it",
        "role.read deny: nothing allows it",
        "tenant_settings.read deny: the token has no scope for it",
    ];
    assert_eq!(api.texts(row).await, expected);
    let contexts = api.texts("SELECT context AS value FROM access_logs WHERE decision = 'allow'").await;
    let context: Value = serde_json::from_str(&contexts[0]).unwrap();
    assert_eq!((&context["user.role"], &context["env.ip"]), (&json!(["administrator"]), &json!("127.0.0.1")));
}
