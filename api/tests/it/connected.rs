//! Both services as they are, one managing the other: what is done at one counts at both.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_api::Application;
use tenantry_api::idp::ClientKeyFile;
use tenantry_api::startup::MIGRATIONS;
use tenantry_testing::TestDatabase;
use tenantry_web::server::{Environment, ServerHandle};

use crate::provider::{Provider, USERNAME};
use crate::support::{client, configuration};

struct Connected {
    url: String,
    provider: Provider,
    _handle: ServerHandle,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Connected {
    /// Both services, the tenant `demo` with an administrator, and a client that people sign in at.
    async fn start() -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let mut config = configuration("http://localhost:1", &database, &folder);
        let url = config.http.public_url.to_string();
        let provider = Provider::start(&url).await;
        let key = ClientKeyFile::load(&config.idp.management.key_file).unwrap().unwrap();
        provider.let_in(key.jwks()).await;
        provider.add_app(provider.tenant).await;
        config.idp.url = provider.url.parse().unwrap();
        database.open().await.migrate(&MIGRATIONS).await.unwrap();
        let handle = Application::build(config, Environment::default()).await.unwrap().start();
        Self { url, provider, _handle: handle, _database: database, _folder: folder }
    }

    async fn send(&self, tokens: &Value, method: Method, path: &str) -> (StatusCode, Value) {
        let token = tokens["access_token"].as_str().unwrap();
        let request = client().request(method, format!("{}{path}", self.url)).bearer_auth(token);
        let response = request.send().await.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        (status, serde_json::from_str(&text).unwrap_or_default())
    }
}

fn sid(tokens: &Value) -> Value {
    tenantry_jose::peek(tokens["access_token"].as_str().unwrap()).unwrap().claims["sid"].clone()
}

#[actix_web::test]
async fn a_session_that_is_ended_here_has_ended_there() {
    let both = Connected::start().await;
    let (laptop, phone) =
        (both.provider.sign_in("demo", USERNAME).await, both.provider.sign_in("demo", USERNAME).await);
    let (laptop, phone) = (laptop.unwrap(), phone.unwrap());
    let (status, sessions) = both.send(&laptop, Method::GET, "/api/v1/users/me/sessions").await;
    assert_eq!(status, StatusCode::OK, "{sessions}");
    let listed: Vec<_> = sessions["data"].as_array().unwrap().iter().map(|one| (&one["id"], &one["current"])).collect();
    assert_eq!(listed, [(&sid(&phone), &json!(false)), (&sid(&laptop), &json!(true))]);
    assert_eq!(sessions["data"][0]["user"]["id"], json!(both.provider.user));
    let (status, page) = both.send(&laptop, Method::GET, "/api/v1/sessions?limit=1").await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let next = page["page"]["next"].as_str().unwrap();
    let (_, page) = both.send(&laptop, Method::GET, &format!("/api/v1/sessions?limit=1&cursor={next}")).await;
    assert_eq!((&page["data"][0]["id"], &page["page"]["next"]), (&sid(&laptop), &Value::Null));

    let path = format!("/api/v1/sessions/{}", sid(&phone).as_str().unwrap());
    assert_eq!(both.send(&laptop, Method::DELETE, &path).await.0, StatusCode::NO_CONTENT);
    assert_eq!(both.send(&phone, Method::GET, "/api/v1/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(both.provider.refresh("demo", phone["refresh_token"].as_str().unwrap()).await.0, 400);
    assert_eq!(both.send(&laptop, Method::DELETE, &path).await.0, StatusCode::NOT_FOUND);
    let (status, renewed) = both.provider.refresh("demo", laptop["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    assert_eq!(both.send(&renewed, Method::GET, "/api/v1/me").await.0, StatusCode::OK);

    let everywhere = format!("/api/v1/users/{}/sessions", both.provider.user);
    assert_eq!(both.send(&renewed, Method::DELETE, &everywhere).await.0, StatusCode::NO_CONTENT);
    assert_eq!(both.send(&renewed, Method::GET, "/api/v1/me").await.0, StatusCode::UNAUTHORIZED);
    assert_eq!(both.provider.refresh("demo", renewed["refresh_token"].as_str().unwrap()).await.0, 400);
}
