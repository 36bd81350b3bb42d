//! Two replicas of each service on one database, with the same key files, behind a proxy that sends no two requests in a
//! row to the same one.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_api::Application;
use tenantry_api::startup::MIGRATIONS;
use tenantry_db::TenantScope;
use tenantry_idp::keys::{RotationPlan, store};
use tenantry_jose::peek;
use tenantry_testing::{RoundRobin, TestDatabase, free_port};
use tenantry_types::{Clock, ManualClock, SystemClock};
use tenantry_web::server::Environment;

use crate::browser::{Browser, page};
use crate::provider::{PASSWORD, Provider, USERNAME};
use crate::support::{client, configuration};
use crate::together::{follow, submit};

struct Replicas {
    clock: Arc<ManualClock>,
    provider: Provider,
    /// In front of the providers.
    idp: RoundRobin,
    /// In front of the resource servers.
    api: RoundRobin,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Replicas {
    async fn start() -> Self {
        let clock = Arc::new(ManualClock::starting_at(SystemClock.now()));
        let (idp, api) = (RoundRobin::start(), RoundRobin::start());
        let ports = [free_port(), free_port()];
        let provider = Provider::start_replicas(&api.url(), &idp.url(), clock.clone(), &ports).await;
        idp.send_to(provider.addresses.iter().copied());

        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        database.open().await.migrate(&MIGRATIONS).await.unwrap();
        let mut addresses = Vec::new();
        for _ in 0..2 {
            let mut config = configuration(&idp.url(), &database, &folder);
            config.http.public_url = api.url().parse().unwrap();
            config.redis.url = std::env::var("TEST_REDIS_URL").ok().as_deref().map(Into::into);
            let environment = Environment { clock: clock.clone() as Arc<dyn Clock>, ..Environment::default() };
            let application = Application::build(config, environment).await.unwrap();
            addresses.push(application.address());
            application.start();
        }
        api.send_to(addresses);
        Self { clock, provider, idp, api, _database: database, _folder: folder }
    }

    /// The statuses of as many calls with a token as there are replicas.
    async fn me(&self, token: &str) -> Vec<StatusCode> {
        let mut statuses = Vec::new();
        for _ in 0..2 {
            let request = client().get(format!("{}/api/v1/me", self.api.url())).bearer_auth(token);
            statuses.push(request.send().await.unwrap().status());
        }
        statuses
    }

    /// The names of the keys that each provider publishes.
    async fn published(&self) -> Vec<Vec<String>> {
        let mut all = Vec::new();
        for _ in 0..2 {
            let url = format!("{}/t/demo/oauth2/jwks", self.idp.url());
            let document: Value = client().get(url).send().await.unwrap().json().await.unwrap();
            let names = document["keys"].as_array().unwrap().iter();
            all.push(names.map(|key| key["kid"].as_str().unwrap().to_owned()).collect());
        }
        all
    }
}

fn kid(token: &str) -> String {
    peek(token).unwrap().header.key_id().unwrap().to_owned()
}

#[actix_web::test]
async fn what_begins_at_one_replica_goes_on_at_another() {
    let all = Replicas::start().await;
    let browser = Browser::new();
    let start = format!("{}/console/sign-in?tenant=demo", all.api.url());
    let (at, response) = follow(&browser, &start, browser.get(&start).await).await;
    assert!(at.starts_with(&all.idp.url()), "{at}");
    let sign_in = page(response, StatusCode::OK).await;
    let response = submit(&browser, &at, &sign_in, &[("username", USERNAME), ("password", PASSWORD)]).await;
    let (at, response) = follow(&browser, &at, response).await;
    let console = format!("{}/console", all.api.url());
    assert_eq!(at, console);
    page(response, StatusCode::OK).await;
    // The session is there for every replica.
    for _ in 0..2 {
        let overview = page(browser.get(&console).await, StatusCode::OK).await;
        assert_eq!(overview.by_id("subject").unwrap().text, all.provider.user.as_str());
    }

    // A change at one replica is what the other shows, and its version counts there.
    let token = all.provider.machine_token("tenant_settings.read tenant_settings.update").await;
    let settings = format!("{}/api/v1/tenant/settings", all.api.url());
    let mut version = "*".to_owned();
    for name in ["First", "Second"] {
        let request = client().request(Method::PUT, &settings).bearer_auth(&token).header("If-Match", &version);
        let changed = request.json(&json!({ "branding": { "display_name": name } })).send().await.unwrap();
        assert_eq!(changed.status(), StatusCode::OK);
        version = changed.headers()["etag"].to_str().unwrap().to_owned();
        let read = client().get(&settings).bearer_auth(&token).send().await.unwrap();
        assert_eq!(read.headers()["etag"].to_str().unwrap(), version);
        assert_eq!(read.json::<Value>().await.unwrap()["data"]["branding"]["display_name"], name);
    }

    // Signed out at one, signed out at all.
    let overview = page(browser.get(&console).await, StatusCode::OK).await;
    let response = submit(&browser, &console, &overview, &[]).await;
    let (at, _) = follow(&browser, &console, response).await;
    assert_eq!(at, format!("{console}/signed-out"));
    for _ in 0..2 {
        let landing = page(browser.get(&console).await, StatusCode::OK).await;
        assert!(landing.by_id("subject").is_none());
        let (at, response) = follow(&browser, &start, browser.get(&start).await).await;
        assert!(at.starts_with(&all.idp.url()), "{at}");
        assert!(page(response, StatusCode::OK).await.by_id("password").is_some());
    }
    for (service, proxy) in [("idp", &all.idp), ("api", &all.api)] {
        let requests = proxy.requests();
        assert!(requests.iter().all(|count| *count >= 4), "{service}: {requests:?}");
    }
}

#[actix_web::test]
async fn a_rotation_at_one_replica_is_seen_by_all() {
    const LEAD: Duration = Duration::from_secs(300);
    let all = Replicas::start().await;
    let before = all.provider.machine_token("tenant_settings.read").await;
    assert_eq!(all.me(&before).await, [StatusCode::OK; 2]);

    let scope = TenantScope::system(all.provider.tenant, "test");
    let (maker, plan) = (all.provider.maker.clone(), RotationPlan::new(all.clock.now(), LEAD, LEAD * 3));
    let made = all.provider.db.write(move |conn| store::rotate(conn, scope, &maker, plan)).await.unwrap();
    let (old, new) = (kid(&before), made.kid().to_owned());
    assert_eq!(all.published().await, [[new.clone(), old.clone()], [new.clone(), old.clone()]]);

    // Published first, so that everybody knows it by the time it signs.
    for _ in 0..2 {
        let token = all.provider.machine_token("tenant_settings.read").await;
        assert_eq!(kid(&token), old);
        assert_eq!(all.me(&token).await, [StatusCode::OK; 2]);
    }
    all.clock.advance(LEAD);
    for _ in 0..2 {
        let token = all.provider.machine_token("tenant_settings.read").await;
        assert_eq!(kid(&token), new);
        assert_eq!(all.me(&token).await, [StatusCode::OK; 2]);
    }
    assert_eq!(all.me(&before).await, [StatusCode::OK; 2], "what the old key signed stays good");

    // The old key goes when nothing that it signed is good any more.
    all.clock.advance(LEAD * 4);
    assert_eq!(all.published().await, [[new.clone()], [new]]);
    assert_eq!(all.me(&before).await, [StatusCode::UNAUTHORIZED; 2]);
}
