//! What a caller may do: by their roles here, by policies, and for how long.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use crate::support::{TestApi, challenge, client, problem, within};

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
    let response = client().get(format!("{replica}{SETTINGS}")).bearer_auth(&token).send().await.unwrap();
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

fn rule(name: &str, effect: &str, target: (&str, &str), condition: &Value) -> Value {
    json!({"name": name, "target": {"resource": target.0, "action": target.1},
        "rules": {"effect": effect, "conditions": [condition]}})
}

#[actix_web::test]
async fn what_was_decided_of_a_thing_is_logged_with_its_policy_and_what_was_known_of_it() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let guest = json!({"name": "Guest", "role_family": "Customer", "permissions": ["account.read"]});
    let guest = api.done_as(&admin, Method::POST, "/api/v1/roles", &guest).await["id"].as_str().unwrap().to_owned();
    let seen = rule("Guests are seen", "allow", ("role", "read"), &json!({"role.family": "Customer"}));
    let kept = rule("Guests stay", "deny", ("role", "update"), &json!({"role.name": "Guest"}));
    for policy in [seen, kept] {
        api.done_as(&admin, Method::POST, "/api/v1/policies", &policy).await;
    }
    let member = api.user(&["member"], "api");
    let at = format!("/api/v1/roles/{guest}");
    assert_eq!(api.get_as(&at, &member).await.status(), StatusCode::OK);
    let patch = json!({"description": "changed"});
    problem(api.send_as(&admin, Method::PATCH, &at, &patch).await, StatusCode::FORBIDDEN).await;
    // What may not be seen is not there, and is logged as what it is.
    let hidden = rule("Nobody sees helpers", "deny", ("role", "read"), &json!({"role.name": "Helper"}));
    api.done_as(&admin, Method::POST, "/api/v1/policies", &hidden).await;
    let helper = json!({"name": "Helper", "role_family": "Internal"});
    let helper = api.done_as(&admin, Method::POST, "/api/v1/roles", &helper).await["id"].as_str().unwrap().to_owned();
    let refused = api.get_as(&format!("/api/v1/roles/{helper}"), &admin).await;
    assert!(refused.status().is_client_error());
    let of_helper = "access_logs WHERE policy_name = 'Nobody sees helpers' AND decision = 'deny'";
    within(Duration::from_secs(10), || async { api.count(of_helper).await == 1 }).await;
    api.execute("DELETE FROM access_logs WHERE policy_name = 'Nobody sees helpers'").await;
    let logged = || async { api.count("access_logs WHERE policy_id IS NOT NULL").await == 2 };
    within(Duration::from_secs(10), logged).await;
    let rows = "SELECT CONCAT(action, ' ', decision, ': ', reason, ', ', policy_name, ' ', policy_version) AS value \
                FROM access_logs WHERE policy_id IS NOT NULL ORDER BY action";
    assert_eq!(
        api.texts(rows).await,
        ["read allow: a policy allows it, Guests are seen 1", "update deny: a policy forbids it, Guests stay 1"]
    );
    for context in api.texts("SELECT context AS value FROM access_logs WHERE policy_id IS NOT NULL").await {
        let context: Value = serde_json::from_str(&context).unwrap();
        assert_eq!((&context["role.name"], &context["role.id"]), (&json!("Guest"), &json!(guest)), "{context}");
    }
    // A list is about many: no policy decided about it as a whole.
    assert_eq!(api.get_as("/api/v1/roles", &member).await.status(), StatusCode::OK);
    let listed = "access_logs WHERE reason = 'it depends on what it is done to' AND policy_id IS NULL";
    within(Duration::from_secs(10), || async { api.count(listed).await == 1 }).await;
}

#[actix_web::test]
async fn whoever_signed_in_too_weakly_is_told_which_sign_in_would_do() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let strong = rule("Strong", "deny", ("tenant_settings", "read"), &json!({"env.acr": "not(in ['2', '3'])"}));
    let recent = rule("Recent", "deny", ("tenant_settings", "update"), &json!({"env.auth_time": "< now() - 5m"}));
    for policy in [strong, recent] {
        api.done_as(&admin, Method::POST, "/api/v1/policies", &policy).await;
    }
    let with = |changes: Value| {
        let mut claims = api.idp.user_claims("demo", &api.url);
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        api.idp.sign("demo", &claims)
    };
    let response = api.get_as(SETTINGS, &admin).await;
    let told = challenge(&response).to_owned();
    assert!(told.starts_with("Bearer ") && told.contains("error=\"insufficient_user_authentication\""), "{told}");
    assert!(told.ends_with(", acr_values=\"2 3\""), "{told}");
    let refused = problem(response, StatusCode::UNAUTHORIZED).await;
    assert!(refused["type"].as_str().unwrap().ends_with("/insufficient-user-authentication"), "{refused}");
    assert_eq!(api.get_as(SETTINGS, &with(json!({"acr": "2"}))).await.status(), StatusCode::OK);

    let long_ago = api.clock.now().unix_seconds() - 600;
    let old = with(json!({ "auth_time": long_ago }));
    let response = api.send_as(&old, Method::PUT, SETTINGS, &json!({})).await;
    assert!(challenge(&response).ends_with(", max_age=\"300\""), "{}", challenge(&response));
    problem(response, StatusCode::UNAUTHORIZED).await;

    // Where no sign-in would help, none is asked for: a client, somebody without a role, whoever acts for another.
    let member = api.user(&["provider"], "api");
    let nobody = api.user(&[], "api");
    assert_eq!(api.get_as(SETTINGS, &member).await.status(), StatusCode::UNAUTHORIZED);
    let acting = with(json!({"act": {"sub": "some-broker"}}));
    for token in [api.machine("tenant_settings.read"), nobody, acting] {
        let response = api.get_as(SETTINGS, &token).await;
        assert!(!challenge(&response).contains("acr_values"), "{}", challenge(&response));
        problem(response, StatusCode::FORBIDDEN).await;
    }
}

#[actix_web::test]
async fn what_a_policy_gives_for_a_role_ends_with_the_role() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let done = |path: &'static str, body: Value| {
        let (api, admin) = (&api, &admin);
        async move { api.done_as(admin, Method::POST, path, &body).await }
    };
    let role = done("/api/v1/roles", json!({"name": "PremiumCustomer", "role_family": "Customer"})).await;
    let allow = json!({"name": "premium", "target": {"resource": "role", "action": "read"},
        "rules": {"effect": "allow", "conditions": [{"user.role": "PremiumCustomer"}]}});
    done("/api/v1/policies", allow).await;
    let until = (api.clock.now() + Duration::from_secs(60)).to_string();
    let given = json!({"role_id": role["id"], "expires_at": until});
    api.done_as(&admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &given).await;
    let question = json!({"subject": {"type": "user", "id": user}, "action": {"name": "read"}, "resource": {"type": "role", "id": "x"}});
    let machine = api.machine("access.evaluate");
    for expected in [true, false] {
        let status = api.get_as("/api/v1/roles", &member).await.status();
        assert_eq!(status, if expected { StatusCode::OK } else { StatusCode::FORBIDDEN });
        let request = api.request(Method::POST, "/access/v1/evaluation").bearer_auth(&machine).json(&question);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["decision"], expected, "{answer}");
        api.clock.advance(Duration::from_secs(60));
    }
}

#[actix_web::test]
async fn a_policy_that_does_not_fit_any_more_denies_or_says_nothing() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, _) = (api.id_of(&admin).await, api.id_of(&member).await);
    for (name, effect, resource) in [("no settings", "deny", "tenant_settings"), ("roles", "allow", "role")] {
        let policy = json!({"name": name, "target": {"resource": resource, "action": "read"},
            "rules": {"effect": effect, "conditions": [{"user.id": "nobody"}]}});
        api.done_as(&admin, Method::POST, "/api/v1/policies", &policy).await;
    }
    assert_eq!(api.get_as(SETTINGS, &member).await.status(), StatusCode::OK);
    // As an update of this service would do that knows this attribute under another name.
    api.execute("UPDATE policies SET rules_json = REPLACE(rules_json, 'user.id', 'user.number')").await;
    let replica = api.replica(api.config.clone()).await;
    for path in [SETTINGS, "/api/v1/roles"] {
        let answer = client().get(format!("{replica}{path}")).bearer_auth(&member).send().await.unwrap();
        problem(answer, StatusCode::FORBIDDEN).await;
    }
}
