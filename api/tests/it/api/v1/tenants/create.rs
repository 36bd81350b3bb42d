//! Making tenants.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{TENANTS, acme, data, make, send, until};
use crate::fake_management::Fault;
use crate::support::{TestApi, client, problem};

#[actix_web::test]
async fn a_tenant_is_made_on_both_sides_under_one_id() {
    let api = TestApi::start().await;
    let response = send(&api, Method::POST, TENANTS, &api.platform(), &acme()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let etag = response.headers()["etag"].clone();
    let made = data(response).await;
    assert_eq!((&made["name"], &made["slug"]), (&json!("Acme Corporation"), &json!("acme")));
    assert_eq!((&made["status"], &made["domain"]), (&json!("active"), &json!("acme.example.com")));
    assert_eq!(made["domains"][0]["is_verified"], false);
    let id = made["id"].as_str().unwrap();
    assert_eq!(location, format!("{TENANTS}/{id}"));

    let there = api.idp.state().management.tenants.lock().unwrap()[id].clone();
    assert_eq!((&there["slug"], &there["administrator"]["email"]), (&json!("acme"), &json!("admin@acme.example.com")));
    assert_eq!(there["administrator"]["password"], "securePassword123");

    let shown = api.get_as(&location, &api.platform()).await;
    assert_eq!(shown.headers()["etag"], etag);
    assert_eq!(data(shown).await, made);
    // Nothing of the password stays, and nothing is left to do.
    assert_eq!(api.count("tenant_tasks").await, 0);
    let trail = api.texts("SELECT changes AS value FROM audit_entries WHERE action = 'tenant.create'").await;
    let trail: Value = serde_json::from_str(&trail[0]).unwrap();
    assert_eq!(trail["/slug"]["after"], "acme");
    assert!(!trail.to_string().contains("securePassword123"));
    let by = api.texts("SELECT actor_tenant_id AS value FROM audit_entries WHERE action = 'tenant.create'").await;
    assert_eq!(by, [api.idp.tenant("platform").id.as_str()]);
    let of = api.texts("SELECT tenant_id AS value FROM audit_entries WHERE action = 'tenant.create'").await;
    assert_eq!(of, [id]);
    assert_eq!(api.count("outbox WHERE kind = 'tenant.created'").await, 1);
    // Its roles are there, and its administrator can work at once.
    let settings = api.get_as("/api/v1/tenant/settings", &api.administrator_of(id, "acme")).await;
    assert_eq!(settings.status(), StatusCode::OK);
}

#[actix_web::test]
async fn the_client_proves_itself_and_its_token_is_used_until_it_is_refused() {
    let api = TestApi::start().await;
    make(&api).await;
    let management = &api.idp.state().management;
    let assertion = management.assertions.lock().unwrap()[0].clone();
    assert_eq!((&assertion["iss"], &assertion["sub"]), (&json!("tenantry-api"), &json!("tenantry-api")));
    assert_eq!(assertion["aud"], api.idp.issuer("platform"));
    let second = json!({"name": "Second", "admin_email": "a@b.example", "admin_password": "long enough to be"});
    management.fail_next([Fault::Unauthorized]);
    assert_eq!(send(&api, Method::POST, TENANTS, &api.platform(), &second).await.status(), StatusCode::CREATED);
    assert_eq!(management.assertions.lock().unwrap().len(), 2);
    // A second refusal is one of the operator's to mend.
    let third = json!({"name": "Third", "admin_email": "a@b.example", "admin_password": "long enough to be"});
    management.fail_next([Fault::Unauthorized, Fault::Unauthorized]);
    let response = send(&api, Method::POST, TENANTS, &api.platform(), &third).await;
    problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[actix_web::test]
async fn everything_wrong_with_a_new_tenant_is_told_at_once() {
    let api = TestApi::start().await;
    let body = json!({"name": "", "domain": "x", "admin_email": "x", "colour": 1});
    let problem =
        problem(send(&api, Method::POST, TENANTS, &api.platform(), &body).await, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
    let pointers: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/name", "/domain", "/admin_email", "/admin_password", "/colour"]);
    assert_eq!(api.count("tenants WHERE slug <> 'platform'").await, 0);
}

#[actix_web::test]
async fn only_the_platform_makes_and_lists_tenants() {
    let api = TestApi::start().await;
    let refused = send(&api, Method::POST, TENANTS, &api.administrator(), &acme()).await;
    problem(refused, StatusCode::FORBIDDEN).await;
    problem(api.get_as(TENANTS, &api.administrator()).await, StatusCode::FORBIDDEN).await;
    let member = api.idp.sign("platform", &{
        let mut claims = api.idp.user_claims("platform", &api.url);
        claims["roles"] = json!(["member"]);
        claims
    });
    problem(send(&api, Method::POST, TENANTS, &member, &acme()).await, StatusCode::FORBIDDEN).await;
    assert!(api.idp.state().management.writes().is_empty());
}

#[actix_web::test]
async fn a_name_that_is_taken_is_pointed_at() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let other =
        json!({"name": "Other", "slug": "acme", "admin_email": "a@b.example", "admin_password": "long enough to be"});
    let here = problem(send(&api, Method::POST, TENANTS, &api.platform(), &other).await, StatusCode::CONFLICT).await;
    assert_eq!(here["errors"][0]["pointer"], "/slug");
    // Known to the identity provider alone.
    api.idp.state().management.tenants.lock().unwrap().get_mut(&id).unwrap()["slug"] = json!("beta");
    let beta = json!({"name": "Beta", "admin_email": "a@b.example", "admin_password": "long enough to be"});
    let there = problem(send(&api, Method::POST, TENANTS, &api.platform(), &beta).await, StatusCode::CONFLICT).await;
    assert_eq!((&there["errors"][0]["pointer"], &there["errors"][0]["code"]), (&json!("/slug"), &json!("taken")));
    assert_eq!((api.count("tenants WHERE slug = 'beta'").await, api.count("tenant_tasks").await), (0, 0));
    let weak = json!({"type": "/problems/invalid-input", "title": "x", "status": 422,
        "errors": [{"pointer": "/administrator/password", "code": "weak", "detail": "is too common"}]});
    api.idp.state().management.fail_next([Fault::Refuse(422, weak)]);
    let gamma = json!({"name": "Gamma", "admin_email": "a@b.example", "admin_password": "password"});
    let refused = send(&api, Method::POST, TENANTS, &api.platform(), &gamma).await;
    let refused = problem(refused, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refused["errors"][0], json!({"pointer": "/admin_password", "code": "weak", "detail": "is too common"}));
    assert_eq!(api.count("tenants WHERE slug = 'gamma'").await, 0);
}

#[actix_web::test]
async fn a_repeat_gets_the_answer_whatever_broke_off_before() {
    let api = TestApi::start().await;
    let token = api.platform();
    let ask = || {
        let request = api.request(Method::POST, TENANTS).bearer_auth(&token).header("Idempotency-Key", "one");
        async { request.json(&acme()).send().await.unwrap() }
    };
    for fault in [Fault::Before, Fault::After] {
        api.idp.state().management.fail_next([fault]);
        let response = ask().await;
        assert!(response.headers().contains_key("retry-after"));
        problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    let first = ask().await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let again = ask().await;
    assert_eq!(again.headers()["idempotent-replayed"], "true");
    assert_eq!(data(first).await["id"], data(again).await["id"]);
    assert_eq!(api.count("tenants WHERE slug = 'acme'").await, 1);
    assert_eq!(api.idp.state().management.tenants.lock().unwrap().len(), 1);
    assert_eq!(api.count("audit_entries WHERE action = 'tenant.create'").await, 1);
}

#[actix_web::test]
async fn what_is_left_over_is_done_when_the_provider_is_back() {
    let api = TestApi::start().await;
    let management = &api.idp.state().management;
    management.fail_next([Fault::Before]);
    let token = api.platform();
    problem(send(&api, Method::POST, TENANTS, &token, &acme()).await, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(api.texts("SELECT status AS value FROM tenants WHERE slug = 'acme'").await, ["provisioning"]);
    let listed = data(api.get_as(&format!("{TENANTS}?status=provisioning"), &token).await).await;
    let id = listed[0]["id"].as_str().unwrap().to_owned();
    // The password is kept until then, and cannot be read.
    let kept = api.texts("SELECT payload AS value FROM tenant_tasks").await;
    assert!(!kept[0].contains("securePassword123"));
    // Its administrator has to wait until both sides are ready.
    let early = api.administrator_of(&id, "acme");
    let refused = problem(api.get_as("/api/v1/me", &early).await, StatusCode::FORBIDDEN).await;
    assert!(refused["type"].as_str().unwrap().ends_with("/problems/tenant-inactive"));
    api.clock.advance(std::time::Duration::from_secs(60));
    until(|| async { api.count("tenant_tasks").await == 0 }).await;
    assert_eq!(management.status_of(&id), "active");
    let token = api.platform();
    assert_eq!(data(api.get_as(&format!("{TENANTS}/{id}"), &token).await).await["status"], "active");
}

#[actix_web::test]
async fn of_many_at_once_with_one_name_one_is_made() {
    let api = TestApi::start().await;
    let token = api.platform();
    let replica = api.replica(api.config.clone()).await;
    let ask = |url: &str, number: usize| {
        let mut body = acme();
        body["admin_email"] = json!(format!("admin{number}@acme.example"));
        client().post(format!("{url}{TENANTS}")).bearer_auth(&token).json(&body).send()
    };
    let urls = [api.url.as_str(), replica.as_str()];
    let answers = futures_util::future::join_all((0..8).map(|number| ask(urls[number % 2], number))).await;
    let statuses: Vec<_> = answers.into_iter().map(|answer| answer.unwrap().status()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::CREATED).count(), 1, "{statuses:?}");
    assert!(statuses.iter().all(|status| [StatusCode::CREATED, StatusCode::CONFLICT].contains(status)));
    assert_eq!(api.count("tenants WHERE slug = 'acme'").await, 1);
}

#[actix_web::test]
async fn tenants_are_found_page_by_page() {
    let api = TestApi::start().await;
    let token = api.platform();
    for name in ["Alpha One", "Alpha Two", "Beta"] {
        let body = json!({"name": name, "admin_email": "a@b.example", "admin_password": "long enough to be"});
        assert_eq!(send(&api, Method::POST, TENANTS, &token, &body).await.status(), StatusCode::CREATED);
        api.clock.advance(std::time::Duration::from_millis(1));
    }
    let names = |body: &Value| -> Vec<String> {
        body["data"].as_array().unwrap().iter().map(|tenant| tenant["name"].as_str().unwrap().to_owned()).collect()
    };
    let page: Value = api.get_as(&format!("{TENANTS}?name=Alpha&limit=1"), &token).await.json().await.unwrap();
    assert_eq!(names(&page), ["Alpha One"]);
    let next = page["page"]["next"].as_str().unwrap();
    let page: Value =
        api.get_as(&format!("{TENANTS}?name=Alpha&limit=1&cursor={next}"), &token).await.json().await.unwrap();
    assert_eq!(names(&page), ["Alpha Two"]);
    assert!(page["page"]["next"].is_null());
    let one: Value = api.get_as(&format!("{TENANTS}?slug=beta"), &token).await.json().await.unwrap();
    assert_eq!(names(&one), ["Beta"]);
    let wrong =
        problem(api.get_as(&format!("{TENANTS}?status=lost&x=1"), &token).await, StatusCode::UNPROCESSABLE_ENTITY)
            .await;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
}

#[actix_web::test]
async fn a_request_that_is_under_way_is_not_begun_twice() {
    let api = TestApi::start().await;
    let token = api.platform();
    let ask = |body: Value| {
        let request = api.request(Method::POST, TENANTS).bearer_auth(&token).header("Idempotency-Key", "one");
        async move { request.json(&body).send().await.unwrap() }
    };
    assert_eq!(ask(acme()).await.status(), StatusCode::CREATED);
    let mut other = acme();
    other["name"] = json!("Other");
    problem(ask(other).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    // As it is while the first attempt waits for the identity provider.
    api.execute("UPDATE idempotency_keys SET answer = NULL").await;
    problem(ask(acme()).await, StatusCode::CONFLICT).await;
    api.clock.advance(std::time::Duration::from_secs(61));
    // Its attempt is over, and the tenant is somebody's by now.
    problem(ask(acme()).await, StatusCode::CONFLICT).await;
}

#[actix_web::test]
async fn a_password_that_was_sealed_under_lost_keys_makes_no_tenant() {
    let api = TestApi::start().await;
    api.idp.state().management.fail_next([Fault::Before]);
    let token = api.platform();
    problem(send(&api, Method::POST, TENANTS, &token, &acme()).await, StatusCode::SERVICE_UNAVAILABLE).await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = api.config.clone();
    config.keyring.path = folder.path().join("other.key");
    let replica = api.replica(config).await;
    let repeat = client().post(format!("{replica}{TENANTS}")).bearer_auth(&token).json(&acme()).send().await.unwrap();
    problem(repeat, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert_eq!(api.texts("SELECT status AS value FROM tenants WHERE slug = 'acme'").await, ["provisioning"]);
}

#[actix_web::test]
async fn without_a_database_nothing_is_said_of_tenants() {
    let api = TestApi::start().await;
    let token = api.platform();
    assert_eq!(api.get_as(TENANTS, &token).await.status(), StatusCode::OK);
    let migrations = &tenantry_api::startup::MIGRATIONS;
    api.database.open().await.revert_migrations(migrations).await.unwrap();
    let told = problem(api.get_as(TENANTS, &token).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(told.get("detail").is_none());
}

#[actix_web::test]
async fn without_its_key_the_service_manages_nothing() {
    let api = TestApi::start_with(|config| config.idp.management.key_file = "/nowhere/client.pem".into()).await;
    let response = send(&api, Method::POST, TENANTS, &api.platform(), &acme()).await;
    problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(api.idp.state().management.requests.lock().unwrap().is_empty());
}
