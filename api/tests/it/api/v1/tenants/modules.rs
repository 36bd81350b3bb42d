//! Modules and settings by the id of a tenant.

use std::sync::Arc;

use actix_web::HttpResponse;
use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::Application;
use tenantry_api::access::{Access, Permission, Routes};
use tenantry_api::startup::Parts;
use tenantry_api::tenants::modules::BOOKINGS;
use tenantry_types::Clock;
use tenantry_web::server::Environment;

use super::{TENANTS, data, make, send};
use crate::support::{TestApi, client, problem};

#[actix_web::test]
async fn a_tenant_has_every_module_until_it_is_switched_off() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    let modules = format!("{TENANTS}/{id}/modules");
    let all = data(api.get_as(&modules, &token).await).await;
    let names: Vec<&str> = all.as_array().unwrap().iter().map(|module| module["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["bookings", "content", "notifications", "providers", "workflows"]);
    assert!(all.as_array().unwrap().iter().all(|module| module["is_enabled"] == true));

    let bookings = format!("{modules}/bookings");
    let set = json!({"is_enabled": false, "config": {"slot_minutes": 20}});
    let off = data(send(&api, Method::PUT, &bookings, &token, &set).await).await;
    assert_eq!((&off["is_enabled"], &off["config"]["slot_minutes"]), (&json!(false), &json!(20)));
    assert_eq!(off["config"]["book_ahead_days"], 90);
    assert_eq!(data(api.get_as(&modules, &token).await).await[0], off);
    // What changes nothing leaves no trace.
    assert_eq!(send(&api, Method::PUT, &bookings, &token, &set).await.status(), StatusCode::OK);
    assert_eq!(api.count("audit_entries WHERE action = 'tenant_module.update'").await, 1);

    let wrong = json!({"config": {"slot_minutes": 1, "colour": 1}});
    let wrong =
        problem(send(&api, Method::PUT, &bookings, &token, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 3);
    let missing =
        problem(send(&api, Method::PUT, &format!("{modules}/nonsense"), &token, &set).await, StatusCode::NOT_FOUND)
            .await;
    assert!(missing["type"].as_str().unwrap().ends_with("/problems/module-not-found"));
}

#[actix_web::test]
async fn the_routes_of_a_module_that_is_switched_off_are_not_there() {
    let api = TestApi::start().await;
    let mut table = Routes::default();
    tenantry_api::tenants::routes::configure(&mut table);
    table.of_module(BOOKINGS, |routes| {
        let access = Access::Permission(Permission::new("booking.read"));
        routes.get("/api/v1/bookings", access, || async { HttpResponse::Ok().finish() });
    });
    let mut config = api.config.clone();
    config.http.listen = ([127, 0, 0, 1], 0).into();
    let clock = Arc::clone(&api.clock) as Arc<dyn Clock>;
    let environment = Environment { clock, ..Environment::default() };
    let application =
        Application::build_with(config, environment, Parts { routes: Some(table), ..Parts::default() }).await.unwrap();
    let url = format!("http://{}", application.start().address());
    let token = api.administrator();
    let bookings = || client().get(format!("{url}/api/v1/bookings")).bearer_auth(&token).send();
    assert_eq!(bookings().await.unwrap().status(), StatusCode::OK);

    let module = format!("{url}{TENANTS}/{}/modules/bookings", api.idp.tenant("demo").id);
    let switch =
        |is_enabled: bool| client().put(&module).bearer_auth(&token).json(&json!({ "is_enabled": is_enabled })).send();
    assert_eq!(switch(false).await.unwrap().status(), StatusCode::OK);
    let gone = problem(bookings().await.unwrap(), StatusCode::NOT_FOUND).await;
    assert!(gone["type"].as_str().unwrap().ends_with("/problems/module-disabled"));
    assert_eq!(switch(true).await.unwrap().status(), StatusCode::OK);
    assert_eq!(bookings().await.unwrap().status(), StatusCode::OK);
}

#[actix_web::test]
async fn settings_are_read_replaced_and_merged_by_id() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (platform, config) = (api.platform(), format!("{TENANTS}/{id}/config"));
    let first = api.get_as(&config, &platform).await;
    let tag = first.headers()["etag"].clone();
    assert_eq!(data(first).await["security"]["mfa"], "optional");
    let missing = api.request(Method::PUT, &config).bearer_auth(&platform).json(&json!({})).send().await.unwrap();
    problem(missing, StatusCode::PRECONDITION_REQUIRED).await;
    let set = json!({"branding": {"display_name": "Acme", "primary_color": "#1a6b54"}, "feature_flags": {"a": true}});
    assert_eq!(send(&api, Method::PUT, &config, &platform, &set).await.status(), StatusCode::OK);
    let lost = api.request(Method::PATCH, &config).bearer_auth(&platform).header("If-Match", tag);
    problem(lost.json(&json!({})).send().await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    let merge = json!({"branding": {"primary_color": null}, "feature_flags": {"b": false}});
    let merged = data(send(&api, Method::PATCH, &config, &platform, &merge).await).await;
    assert_eq!(merged["branding"], json!({"display_name": "Acme"}));
    assert_eq!(merged["feature_flags"], json!({"a": true, "b": false}));
    let wrong = json!({"security": {"mfa": "sometimes"}, "x": 1});
    let wrong =
        problem(send(&api, Method::PATCH, &config, &platform, &wrong).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
    // The tenant sees the same at its own place.
    let own = api.get_as("/api/v1/tenant/settings", &api.administrator_of(&id, "acme")).await;
    assert_eq!(data(own).await, merged);
}

#[actix_web::test]
async fn what_was_changed_meanwhile_is_not_changed_again() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    let (module, domain) =
        (format!("{TENANTS}/{id}/modules/bookings"), format!("{TENANTS}/{id}/domains/acme.example.com"));
    let ask = |method: Method, path: &str, tag: &HeaderValue, body: &Value| {
        api.request(method, path).bearer_auth(&token).header("If-Match", tag).json(body).send()
    };
    let (on, off) = (json!({"is_enabled": true}), json!({"is_enabled": false}));
    let first = send(&api, Method::PUT, &module, &token, &off).await.headers()["etag"].clone();
    assert_eq!(ask(Method::PUT, &module, &first, &on).await.unwrap().status(), StatusCode::OK);
    problem(ask(Method::PUT, &module, &first, &off).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;

    let first = api.get_as(&domain, &token).await.headers()["etag"].clone();
    let primary = format!("{domain}/primary");
    let other = send(
        &api,
        Method::PUT,
        &format!("{TENANTS}/{id}/domains"),
        &token,
        &json!({"domain": "acme.example.com", "is_primary": false}),
    )
    .await;
    assert_eq!(other.status(), StatusCode::OK);
    for (method, path) in [(Method::POST, &primary), (Method::DELETE, &domain)] {
        problem(ask(method, path, &first, &json!({})).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    }
    let now = api.get_as(&domain, &token).await.headers()["etag"].clone();
    assert_eq!(ask(Method::DELETE, &domain, &now, &json!({})).await.unwrap().status(), StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn one_module_is_shown_with_the_version_that_an_update_names() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, platform) = (api.administrator_of(&id, "acme"), api.platform());
    let (all, one) = (format!("{TENANTS}/{id}/modules"), format!("{TENANTS}/{id}/modules/bookings"));
    let shown = api.get_as(&one, &token).await;
    assert_eq!(
        (shown.status(), &shown.headers()["cache-control"]),
        (StatusCode::OK, &"private, no-cache".parse().unwrap())
    );
    let first = shown.headers()["etag"].clone();
    assert_eq!(data(shown).await, data(api.get_as(&all, &token).await).await[0]);
    let put = |tag: &HeaderValue, body: Value| {
        api.request(Method::PUT, &one).bearer_auth(&token).header("If-Match", tag).json(&body).send()
    };
    let off = json!({"is_enabled": false});
    let saved = put(&first, off.clone()).await.unwrap();
    assert_eq!(saved.status(), StatusCode::OK);
    let second = saved.headers()["etag"].clone();
    problem(put(&first, off).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    let again =
        api.request(Method::GET, &one).bearer_auth(&token).header("If-None-Match", &first).send().await.unwrap();
    assert_eq!((again.status(), &again.headers()["etag"]), (StatusCode::OK, &second));
    assert_eq!(data(again).await["is_enabled"], false);
    let same =
        api.request(Method::GET, &one).bearer_auth(&token).header("If-None-Match", &second).send().await.unwrap();
    assert_eq!((same.status(), &same.headers()["etag"]), (StatusCode::NOT_MODIFIED, &second));
    // To see it is to see the list: the right for it, one's own tenant, and a trail where it is not.
    problem(api.get_as(&one, &api.machine("tenant_module.update")).await, StatusCode::FORBIDDEN).await;
    problem(api.get_as(&one, &api.administrator()).await, StatusCode::NOT_FOUND).await;
    let looks = "audit_entries WHERE action = 'tenant_module.read'";
    let missing = problem(api.get_as(&format!("{all}/nonsense"), &platform).await, StatusCode::NOT_FOUND).await;
    assert!(missing["type"].as_str().unwrap().ends_with("/problems/module-not-found"));
    assert_eq!(api.count(looks).await, 0);
    assert_eq!(api.get_as(&one, &platform).await.headers()["etag"], second);
    assert_eq!(api.count(looks).await, 1);
}
