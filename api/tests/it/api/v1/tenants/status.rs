//! Seeing, renaming, switching off and on.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{TENANTS, data, make, send, until};
use crate::fake_management::Fault;
use crate::support::{TestApi, client, problem};

const SETTINGS: &str = "/api/v1/tenant/settings";

#[actix_web::test]
async fn a_tenant_that_is_suspended_is_so_at_once_on_every_replica() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, platform) = (api.administrator_of(&id, "acme"), api.platform());
    let replica = api.replica(api.config.clone()).await;
    let first = client().get(format!("{replica}{SETTINGS}")).bearer_auth(&token).send().await.unwrap();
    assert_eq!(first.status(), StatusCode::OK);
    let one = format!("{TENANTS}/{id}");
    let response = send(&api, Method::POST, &format!("{one}/suspend"), &platform, &json!({})).await;
    let now = data(response).await;
    assert_eq!((&now["status"], now.get("pending_status")), (&json!("suspended"), None));
    assert_eq!(api.idp.state().management.status_of(&id), "suspended");
    // What was issued is good no more, and what is issued since is refused for what the tenant is.
    problem(api.get_as(SETTINGS, &token).await, StatusCode::UNAUTHORIZED).await;
    api.clock.advance(std::time::Duration::from_secs(1));
    let since = api.idp.sign("acme", &api.idp.user_claims("acme", &api.url));
    let ask = |token: String| client().get(format!("{replica}{SETTINGS}")).bearer_auth(token).send();
    let refused = problem(api.get_as(SETTINGS, &since).await, StatusCode::FORBIDDEN).await;
    assert!(refused["type"].as_str().unwrap().ends_with("/problems/tenant-suspended"));
    until(|| async { ask(since.clone()).await.unwrap().status() == StatusCode::FORBIDDEN }).await;
    until(|| async { ask(token.clone()).await.unwrap().status() == StatusCode::UNAUTHORIZED }).await;

    let active = data(send(&api, Method::POST, &format!("{one}/activate"), &platform, &json!({})).await).await;
    assert_eq!(active["status"], "active");
    assert_eq!(api.get_as(SETTINGS, &since).await.status(), StatusCode::OK);
    until(|| async { ask(since.clone()).await.unwrap().status() == StatusCode::OK }).await;
    problem(api.get_as(SETTINGS, &token).await, StatusCode::UNAUTHORIZED).await;
    let inactive = data(send(&api, Method::PATCH, &one, &platform, &json!({"status": "inactive"})).await).await;
    assert_eq!(inactive["status"], "inactive");
    api.clock.advance(std::time::Duration::from_secs(1));
    let later = api.idp.sign("acme", &api.idp.user_claims("acme", &api.url));
    let refused = problem(api.get_as(SETTINGS, &later).await, StatusCode::FORBIDDEN).await;
    assert!(refused["type"].as_str().unwrap().ends_with("/problems/tenant-inactive"));
    // The trail is the tenant's own.
    let trail = api.texts("SELECT tenant_id AS value FROM audit_entries WHERE action = 'tenant.set_status'").await;
    assert_eq!(trail, [id.clone(), id.clone(), id]);
}

#[actix_web::test]
async fn nothing_is_half_open_while_the_provider_is_away() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, platform, one) = (api.administrator_of(&id, "acme"), api.platform(), format!("{TENANTS}/{id}"));
    let management = &api.idp.state().management;
    // Off: here at once, there later.
    management.fail_next([Fault::Before]);
    let off = send(&api, Method::POST, &format!("{one}/suspend"), &platform, &json!({})).await;
    assert_eq!(off.status(), StatusCode::OK);
    let off = data(off).await;
    assert_eq!((&off["status"], &off["pending_status"]), (&json!("suspended"), &json!("suspended")));
    assert_eq!(api.get_as(SETTINGS, &token).await.status(), StatusCode::UNAUTHORIZED);
    api.clock.advance(std::time::Duration::from_secs(60));
    until(|| async { management.status_of(&id) == "suspended" }).await;
    until(|| async { api.count("tenant_tasks").await == 0 }).await;
    // On: there first.
    let platform = api.platform();
    management.fail_next([Fault::Before]);
    let on = data(send(&api, Method::POST, &format!("{one}/activate"), &platform, &json!({})).await).await;
    assert_eq!((&on["status"], &on["pending_status"]), (&json!("suspended"), &json!("active")));
    let token = api.idp.sign("acme", &api.idp.user_claims("acme", &api.url));
    assert_eq!(api.get_as(SETTINGS, &token).await.status(), StatusCode::FORBIDDEN);
    // Meanwhile it is wanted off again: the older wish is never fulfilled.
    let off = data(send(&api, Method::POST, &format!("{one}/suspend"), &platform, &json!({})).await).await;
    assert_eq!((&off["status"], off.get("pending_status")), (&json!("suspended"), None));
    api.clock.advance(std::time::Duration::from_secs(120));
    assert_eq!((api.count("tenant_tasks").await, management.status_of(&id)), (0, json!("suspended")));
}

#[actix_web::test]
async fn a_tenant_renames_itself_and_nothing_more() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, one) = (api.administrator_of(&id, "acme"), format!("{TENANTS}/{id}"));
    let first = api.get_as(&one, &token).await.headers()["etag"].clone();
    let rename = |tag: &reqwest::header::HeaderValue| {
        let request = api.request(Method::PATCH, &one).bearer_auth(&token).header("If-Match", tag);
        request.json(&json!({"name": "Acme Health"})).send()
    };
    let renamed = data(rename(&first).await.unwrap()).await;
    assert_eq!(renamed["name"], "Acme Health");
    assert_eq!(api.idp.state().management.tenants.lock().unwrap()[&id]["name"], "Acme Health");
    problem(rename(&first).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    let switch = send(&api, Method::PATCH, &one, &token, &json!({"status": "inactive"})).await;
    problem(switch, StatusCode::FORBIDDEN).await;
    problem(send(&api, Method::POST, &format!("{one}/suspend"), &token, &json!({})).await, StatusCode::FORBIDDEN).await;
    // A later write of the tenant's does not bring the old name back.
    let settings = json!({"branding": {"display_name": "x"}});
    assert_eq!(send(&api, Method::PUT, SETTINGS, &token, &settings).await.status(), StatusCode::OK);
    assert_eq!(data(api.get_as(&one, &token).await).await["name"], "Acme Health");
}

#[actix_web::test]
async fn a_name_that_the_provider_refuses_is_not_kept() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, one) = (api.administrator_of(&id, "acme"), format!("{TENANTS}/{id}"));
    let refusal = json!({"type": "/problems/invalid-input", "title": "Invalid", "status": 422,
        "errors": [{"pointer": "/name", "code": "invalid", "detail": "not this one"}]});
    api.idp.state().management.fail_next([Fault::Refuse(422, refusal)]);
    let refused = send(&api, Method::PATCH, &one, &token, &json!({"name": "Not this one"})).await;
    assert_eq!(problem(refused, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["pointer"], "/name");
    assert_eq!(data(api.get_as(&one, &token).await).await["name"], "Acme Corporation");
    let names = "SELECT changes AS value FROM audit_entries WHERE action = 'tenant.update' ORDER BY id";
    let trail = api.texts(names).await;
    assert_eq!(trail.len(), 2, "there and back: {trail:?}");
}

#[actix_web::test]
async fn other_tenants_are_not_there() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let stranger = api.administrator();
    let one = format!("{TENANTS}/{id}");
    for path in [one.clone(), format!("{one}/domains"), format!("{one}/config"), format!("{one}/modules")] {
        let refused = problem(api.get_as(&path, &stranger).await, StatusCode::NOT_FOUND).await;
        assert!(refused["type"].as_str().unwrap().ends_with("/problems/tenant-not-found"), "{path}");
    }
    let writes = [
        (Method::PATCH, one.clone(), json!({"name": "Mine"})),
        (Method::PUT, format!("{one}/config"), json!({})),
        (Method::PATCH, format!("{one}/config"), json!({})),
        (Method::PUT, format!("{one}/domains"), json!({"domain": "evil.example"})),
        (Method::POST, format!("{one}/domains"), json!({"domain": "evil.example"})),
        (Method::DELETE, format!("{one}/domains/acme.example.com"), json!({})),
        (Method::POST, format!("{one}/domains/acme.example.com/verify"), json!({})),
        (Method::POST, format!("{one}/domains/acme.example.com/primary"), json!({})),
        (Method::PUT, format!("{one}/modules/bookings"), json!({"is_enabled": false})),
    ];
    for (method, path, body) in writes {
        problem(send(&api, method, &path, &stranger, &body).await, StatusCode::NOT_FOUND).await;
    }
    assert_eq!((api.count("tenant_domains").await, api.count("tenant_modules").await), (1, 0));
    let missing = format!("{TENANTS}/0190b2c4-0000-7000-8000-000000000009");
    problem(api.get_as(&missing, &api.platform()).await, StatusCode::NOT_FOUND).await;
    problem(api.get_as(&format!("{TENANTS}/nonsense"), &api.platform()).await, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn the_platform_cannot_switch_itself_off() {
    let api = TestApi::start().await;
    make(&api).await;
    let path = format!("{TENANTS}/{}/suspend", api.idp.tenant("platform").id);
    problem(send(&api, Method::POST, &path, &api.platform(), &json!({})).await, StatusCode::CONFLICT).await;
}

#[actix_web::test]
async fn a_query_names_no_other_tenant_than_the_token() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let id = api.idp.tenant("demo").id;
    for same in [format!("{SETTINGS}?tenant=demo"), format!("{SETTINGS}?tenant={id}")] {
        assert_eq!(api.get_as(&same, &token).await.status(), StatusCode::OK);
    }
    let other =
        problem(api.get_as(&format!("{SETTINGS}?tenant=demo&tenant=other"), &token).await, StatusCode::FORBIDDEN);
    assert!(other.await["type"].as_str().unwrap().ends_with("/problems/other-tenant"));
    // An administrator of the platform names others in the path only.
    let platform = api.platform();
    problem(api.get_as(&format!("{SETTINGS}?tenant=demo"), &platform).await, StatusCode::FORBIDDEN).await;
    assert_eq!(api.get_as(&format!("{TENANTS}?tenant=platform"), &platform).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn whoever_renames_does_not_switch() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let mut claims = api.idp.user_claims("platform", &api.url);
    claims["scope"] = json!("platform.tenants tenant.read tenant.update");
    let token = api.idp.sign("platform", &claims);
    let one = format!("{TENANTS}/{id}");
    assert_eq!(send(&api, Method::PATCH, &one, &token, &json!({"name": "Acme 2"})).await.status(), StatusCode::OK);
    let refused = send(&api, Method::PATCH, &one, &token, &json!({"status": "suspended"})).await;
    assert!(crate::support::challenge(&refused).contains("tenant.set_status"));
    problem(refused, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn whoever_is_of_the_platform_does_not_see_every_tenant_for_that() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let platform = api.platform();
    let role = json!({"name": "desk", "role_family": "Internal", "permissions": ["tenant.*", "tenant_settings.*"]});
    let made = send(&api, Method::POST, "/api/v1/roles", &platform, &role).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let of = |roles: serde_json::Value, scope: &str| {
        let mut claims = api.idp.user_claims("platform", &api.url);
        (claims["roles"], claims["scope"]) = (roles, json!(scope));
        api.idp.sign("platform", &claims)
    };
    let program =
        api.idp.client_claims("platform", &api.url, "tenant.read tenant_settings.read tenant_settings.update");
    let program = api.idp.sign("platform", &program);
    let (member, desk) = (of(json!(["member"]), "api"), of(json!(["desk"]), "api"));
    let narrow = of(json!(["administrator"]), "tenant.read tenant_settings.read tenant_settings.update");
    for token in [&member, &desk, &narrow, &program] {
        for path in ["", "/config", "/domains", "/modules"] {
            problem(api.get_as(&format!("{TENANTS}/{id}{path}"), token).await, StatusCode::FORBIDDEN).await;
        }
        problem(api.get_as(TENANTS, token).await, StatusCode::FORBIDDEN).await;
        let put = send(&api, Method::PUT, &format!("{TENANTS}/{id}/config"), token, &json!({})).await;
        problem(put, StatusCode::FORBIDDEN).await;
        let missing = format!("{TENANTS}/0190b2c4-0000-7000-8000-000000000009");
        problem(api.get_as(&missing, token).await, StatusCode::FORBIDDEN).await;
    }
    // Their own they see, and with the permission the others.
    let own = format!("{TENANTS}/{}", api.idp.tenant("platform").id);
    assert_eq!(api.get_as(&own, &desk).await.status(), StatusCode::OK);
    let role =
        json!({"name": "manager", "role_family": "Internal", "permissions": ["tenant.read", "platform.tenants"]});
    assert_eq!(send(&api, Method::POST, "/api/v1/roles", &platform, &role).await.status(), StatusCode::CREATED);
    let manager = of(json!(["manager"]), "api");
    assert_eq!(api.get_as(&format!("{TENANTS}/{id}"), &manager).await.status(), StatusCode::OK);
    problem(api.get_as(&format!("{TENANTS}/{id}/config"), &manager).await, StatusCode::FORBIDDEN).await;
    // Elsewhere it opens nothing.
    let other = api.user(&["administrator"], "api");
    problem(api.get_as(&format!("{TENANTS}/{id}"), &other).await, StatusCode::NOT_FOUND).await;
}
