//! When something on this side does not work.

use reqwest::{Method, StatusCode};
use serde_json::json;
use tenantry_jose::Keyring;
use tenantry_types::SystemRandom;

use crate::browser::{Browser, page};
use crate::support::{TestApi, problem};

#[actix_web::test]
async fn without_a_database_the_answer_says_nothing_of_it() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let browser = Browser::new();
    browser.sign_in(&api).await;
    let migrations = &tenantry_api::startup::MIGRATIONS;
    api.database.open().await.revert_migrations(migrations).await.unwrap();
    let read = problem(api.get_as("/api/v1/tenant/settings", &token).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    let request = api.request(Method::PUT, "/api/v1/tenant/settings").bearer_auth(&token).header("If-Match", "*");
    let write = request.json(&json!({})).send().await.unwrap();
    let write = problem(write, StatusCode::INTERNAL_SERVER_ERROR).await;
    for problem in [read, write] {
        assert_eq!(problem["title"], "Something went wrong on our side");
        assert!(problem.get("detail").is_none() && !problem.to_string().contains("table"), "{problem}");
    }
    let response = browser.get(&format!("{}/console", api.url)).await;
    let shown = page(response, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(shown.by_id("request-id").is_some());
}

#[actix_web::test]
async fn without_its_keys_a_session_cannot_be_opened() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    // Another replica with another key file, which is a mistake of the operator.
    let folder = tempfile::tempdir().unwrap();
    let mut config = api.config.clone();
    config.keyring.path = folder.path().join("other.key");
    Keyring::load_or_create(&config.keyring.path, &SystemRandom).unwrap();
    let replica = api.replica(config).await;
    page(browser.get(&format!("{replica}/console")).await, StatusCode::INTERNAL_SERVER_ERROR).await;
}

#[actix_web::test]
async fn tokens_that_this_service_would_refuse_sign_nobody_in() {
    let api = TestApi::start_with(|config| config.resource.identifier = Some("https://other.example".to_owned())).await;
    let browser = Browser::new();
    let callback = browser.sign_in_up_to_callback(&api).await;
    page(browser.get(&callback).await, StatusCode::BAD_GATEWAY).await;
    assert_eq!(browser.cookie("tenantry-console"), None);
}

#[actix_web::test]
async fn a_session_is_the_same_on_every_replica() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    let mut config = api.config.clone();
    // The same address from outside.
    config.http.listen = ([127, 0, 0, 1], 0).into();
    let replica = api.replica(config).await;
    // Begun on one, continued on the other.
    let callback = browser.sign_in_up_to_callback(&api).await;
    let callback = callback.replacen(&api.url, &replica, 1);
    assert_eq!(crate::browser::location(&browser.get(&callback).await), "/console");
    for url in [&api.url, &replica] {
        let overview = page(browser.get(&format!("{url}/console")).await, StatusCode::OK).await;
        assert!(overview.by_id("subject").is_some());
    }
}
