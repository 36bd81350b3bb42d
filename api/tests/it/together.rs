//! Both services as they are, with nothing in between: machines, people and a real browser.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_api::Application;
use tenantry_api::startup::MIGRATIONS;
use tenantry_jose::{Algorithm, SigningKey};
use tenantry_testing::markup::Markup;
use tenantry_testing::{Chromium, TestDatabase};
use tenantry_web::server::{Environment, ServerHandle};
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::{By, WebDriver, WebElement};

use crate::browser::{Browser, location, page};
use crate::provider::{PASSWORD, Provider, USERNAME};
use crate::support::{client, configuration};

struct Both {
    url: String,
    provider: Provider,
    _handle: ServerHandle,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Both {
    async fn start() -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let mut config = configuration("http://localhost:1", &database, &folder);
        let url = config.http.public_url.to_string();
        let provider = Provider::start(&url).await;
        config.idp.url = provider.url.parse().unwrap();
        database.open().await.migrate(&MIGRATIONS).await.unwrap();
        let handle = Application::build(config, Environment::default()).await.unwrap().start();
        Self { url, provider, _handle: handle, _database: database, _folder: folder }
    }
}

#[actix_web::test]
async fn a_machine_does_what_its_scope_says() {
    let both = Both::start().await;
    let token = both.provider.machine_token("tenant_settings.read tenant_settings.update").await;
    let me: Value =
        client().get(format!("{}/api/v1/me", both.url)).bearer_auth(&token).send().await.unwrap().json().await.unwrap();
    assert_eq!(me["data"]["subject"], json!({"kind": "client", "id": "machine"}));
    assert_eq!(me["data"]["tenant"]["slug"], "demo");

    let settings = format!("{}/api/v1/tenant/settings", both.url);
    let put = |token: &str| client().request(Method::PUT, &settings).bearer_auth(token).header("If-Match", "*");
    let changed = put(&token).json(&json!({"branding": {"display_name": "Demo"}})).send().await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let less = both.provider.machine_token("tenant_settings.read").await;
    assert_eq!(put(&less).json(&json!({})).send().await.unwrap().status(), StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn issuers_that_the_provider_does_not_have_are_refused() {
    let both = Both::start().await;
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    for issuer in [
        format!("{}/t/missing", both.provider.url),
        "https://login.evil.example".to_owned(),
        format!("{}/t/demo", both.provider.url),
    ] {
        let token = key.sign_jwt("at+jwt", &json!({"iss": issuer, "aud": both.url, "exp": 4_000_000_000_u32})).unwrap();
        let response = client().get(format!("{}/api/v1/me", both.url)).bearer_auth(token).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{issuer}");
    }
}

/// Fills in the form of a page and sends it: the hidden fields as they are, and these.
pub async fn submit(browser: &Browser, base: &str, page: &Markup, fields: &[(&str, &str)]) -> reqwest::Response {
    let form = page.all("form").next().unwrap();
    let mut values: Vec<(&str, &str)> = page
        .all("input")
        .filter(|input| input.attribute("type") == Some("hidden"))
        .map(|input| (input.attribute("name").unwrap(), input.attribute("value").unwrap()))
        .collect();
    values.extend_from_slice(fields);
    let action = url::Url::parse(base).unwrap().join(form.attribute("action").unwrap()).unwrap();
    browser.post(action.as_str(), &values).await
}

/// Follows redirects as far as they go, and gives the last address with its answer.
pub async fn follow(browser: &Browser, from: &str, response: reqwest::Response) -> (String, reqwest::Response) {
    let (mut url, mut response) = (from.to_owned(), response);
    while response.status().is_redirection() {
        url = url::Url::parse(&url).unwrap().join(&location(&response)).unwrap().into();
        response = browser.get(&url).await;
    }
    (url, response)
}

#[actix_web::test]
async fn a_person_signs_in_at_the_console_and_out_again() {
    let both = Both::start().await;
    let browser = Browser::new();
    let start = format!("{}/console/sign-in?tenant=demo", both.url);
    let (at, response) = follow(&browser, &start, browser.get(&start).await).await;
    assert!(at.starts_with(&both.provider.url), "{at}");
    let sign_in = page(response, StatusCode::OK).await;
    let response = submit(&browser, &at, &sign_in, &[("username", USERNAME), ("password", PASSWORD)]).await;
    let (at, response) = follow(&browser, &at, response).await;
    assert_eq!(at, format!("{}/console", both.url));
    let overview = page(response, StatusCode::OK).await;
    assert_eq!(overview.by_id("subject").unwrap().text, both.provider.user.as_str());
    assert_eq!(overview.by_id("name").unwrap().text, "Ada Lovelace");
    assert_eq!(overview.by_id("tenant-slug").unwrap().text, "demo");

    let response = submit(&browser, &at, &overview, &[]).await;
    let (at, response) = follow(&browser, &at, response).await;
    assert_eq!(at, format!("{}/console/signed-out", both.url));
    page(response, StatusCode::OK).await;
    // Signed out at the provider as well: it asks again.
    let (at, response) = follow(&browser, &start, browser.get(&start).await).await;
    assert!(at.starts_with(&both.provider.url), "{at}");
    assert!(page(response, StatusCode::OK).await.by_id("password").is_some());
}

/// An element of the page that the browser is on the way to.
async fn awaited(driver: &WebDriver, by: By) -> WebElement {
    driver.query(by).first().await.unwrap()
}

async fn text(driver: &WebDriver, id: &str) -> String {
    awaited(driver, By::Id(id)).await.text().await.unwrap()
}

#[actix_web::test]
async fn in_chromium_too() {
    let Some(chromium) = Chromium::start().await else { return };
    let both = Both::start().await;
    let driver = &chromium.driver;
    driver.goto(format!("{}/console", both.url)).await.unwrap();
    awaited(driver, By::Id("sign-in")).await.click().await.unwrap();
    awaited(driver, By::Name("username")).await.send_keys(USERNAME).await.unwrap();
    awaited(driver, By::Name("password")).await.send_keys(PASSWORD).await.unwrap();
    chromium.keep_screenshot("sign-in").await;
    awaited(driver, By::Id("sign-in")).await.click().await.unwrap();

    assert_eq!(text(driver, "subject").await, both.provider.user.as_str());
    assert_eq!(text(driver, "name").await, "Ada Lovelace");
    assert_eq!(text(driver, "tenant-slug").await, "demo");
    assert!(text(driver, "roles").await.contains("administrator"));
    assert!(text(driver, "scopes").await.contains("api"));
    assert!(text(driver, "access-token-lifetime").await.contains("ends in"));
    assert_eq!(driver.current_url().await.unwrap().as_str(), format!("{}/console", both.url));
    // No script of ours or of anybody else's can read the cookie.
    let cookies = driver.execute("return document.cookie", Vec::new()).await.unwrap();
    assert_eq!(cookies.json().as_str(), Some(""));
    chromium.keep_screenshot("console").await;

    awaited(driver, By::Id("sign-out")).await.click().await.unwrap();
    awaited(driver, By::Id("sign-in-again")).await;
    assert_eq!(driver.current_url().await.unwrap().as_str(), format!("{}/console/signed-out", both.url));
    driver.goto(format!("{}/console", both.url)).await.unwrap();
    assert!(driver.find(By::Id("subject")).await.is_err());
    chromium.close().await;
}

#[actix_web::test]
async fn the_reference_runs_in_chromium() {
    let Some(chromium) = Chromium::start().await else { return };
    let both = Both::start().await;
    let driver = &chromium.driver;
    driver.goto(format!("{}/docs", both.url)).await.unwrap();
    // The page is made by its script once the description has come.
    let paths = "return [...document.querySelectorAll('.opblock-summary-path')].map(p => p.textContent.replace(/\u{200b}/g, ''))";
    awaited(driver, By::Css(".opblock-summary-path")).await;
    let found = driver.execute(paths, Vec::new()).await.unwrap().convert::<Vec<String>>().unwrap();
    assert!(found.iter().any(|path| path == "/api/v1/tenant/settings"), "{found:?}");
    chromium.keep_screenshot("reference").await;
    chromium.close().await;
}
