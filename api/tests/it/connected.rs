//! Both services as they are, one managing the other: what is done at one counts at both.

use std::sync::Mutex;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry_api::Application;
use tenantry_api::idp::ClientKeyFile;
use tenantry_api::startup::MIGRATIONS;
use tenantry_idp::users::UserStatus;
use tenantry_testing::TestDatabase;
use tenantry_types::UserId;
use tenantry_web::server::{Environment, ServerHandle};

use crate::provider::{Provider, USERNAME};
use crate::support::{client, configuration, within};

struct Connected {
    url: String,
    provider: Provider,
    _handle: ServerHandle,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Connected {
    /// Both services, the tenant `demo` with an administrator, and a client that people sign in at. Whatever happens there is
    /// told here.
    async fn start() -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let mut config = configuration("http://localhost:1", &database, &folder);
        let url = config.http.public_url.to_string();
        let provider = Provider::start_telling(&url).await;
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

impl Connected {
    async fn ask(&self, tokens: &Value, method: Method, path: &str, body: &Value) -> Value {
        let request = client().request(method, format!("{}{path}", self.url));
        let request = request.bearer_auth(tokens["access_token"].as_str().unwrap()).header("If-Match", "*");
        let response = if body.is_null() { request.send().await } else { request.json(body).send().await };
        let response = response.unwrap();
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str::<Value>(&text).unwrap_or_default()["data"].take()
    }

    /// The roles that whoever has these tokens has here, once they are so.
    async fn roles(&self, tokens: &Value) -> Value {
        self.ask(tokens, Method::GET, "/api/v1/me", &Value::Null).await["roles"].clone()
    }

    async fn is_refused(&self, tokens: &Value) -> bool {
        self.send(tokens, Method::GET, "/api/v1/me").await.0 == StatusCode::UNAUTHORIZED
    }
}

impl Connected {
    /// Waits until somebody has exactly these roles here, as whoever has these tokens sees it.
    async fn has(&self, tokens: &Value, id: UserId, names: &[&str]) {
        within(Duration::from_secs(30), async || {
            let (status, user) = self.send(tokens, Method::GET, &format!("/api/v1/users/{id}")).await;
            let roles = user["data"]["roles"].as_array().cloned().unwrap_or_default();
            let mut found: Vec<_> = roles.iter().map(|role| role["name"].as_str().unwrap()).collect();
            found.sort_unstable();
            status == StatusCode::OK && found == names
        })
        .await;
    }

    async fn give(&self, tokens: &Value, id: UserId, name: &str) {
        let roles = self.ask(tokens, Method::GET, "/api/v1/roles", &Value::Null).await;
        let role = roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap();
        let body = json!({"role_id": role["id"]});
        self.ask(tokens, Method::POST, &format!("/api/v1/users/{id}/roles"), &body).await;
    }

    /// Waits until the tokens that somebody gets name exactly these roles. Gives such tokens.
    async fn signs_in_with(&self, slug: &str, username: &str, names: &[&str]) -> Value {
        let last = Mutex::new(Value::Null);
        within(Duration::from_secs(30), async || {
            let tokens = self.provider.sign_in(slug, username).await.unwrap();
            let is_so = claim(&tokens, "roles") == json!(names);
            *last.lock().unwrap() = tokens;
            is_so
        })
        .await;
        last.into_inner().unwrap()
    }
}

fn claim(tokens: &Value, name: &str) -> Value {
    tenantry_jose::peek(tokens["access_token"].as_str().unwrap()).unwrap().claims[name].clone()
}

fn sid(tokens: &Value) -> Value {
    claim(tokens, "sid")
}

#[actix_web::test]
async fn whoever_is_given_a_role_before_they_come_keeps_those_that_they_have() {
    let both = Connected::start().await;
    let ada = both.provider.sign_in("demo", USERNAME).await.unwrap();
    assert_eq!(both.roles(&ada).await, json!(["administrator"]));
    let bob = both.provider.add_person("bob", &["member"]).await;
    both.has(&ada, bob, &["member"]).await;
    both.give(&ada, bob, "auditor").await;
    let tokens = both.signs_in_with("demo", "bob", &["auditor", "member"]).await;
    assert_eq!(both.roles(&tokens).await, json!(["auditor", "member"]));
    // What another program sets then, this service is not moved by, and it has the last word when it says something.
    both.provider.put_roles(both.provider.tenant, bob, 40, &["administrator"]).await;
    both.give(&ada, bob, "provider").await;
    both.signs_in_with("demo", "bob", &["auditor", "member", "provider"]).await;
    both.has(&ada, bob, &["auditor", "member", "provider"]).await;
}

#[actix_web::test]
async fn a_guest_who_is_given_a_role_before_they_come_keeps_those_that_they_have() {
    let both = Connected::start().await;
    let guests = both.provider.add_tenant("guests", "grace").await;
    let (grace, id) = (both.provider.sign_in("guests", "grace").await.unwrap(), both.provider.user);
    both.ask(&grace, Method::PUT, &format!("/api/v1/users/{id}/membership"), &json!({})).await;
    both.has(&grace, id, &[]).await;
    both.provider.put_roles(guests, id, 1, &["member"]).await;
    both.has(&grace, id, &["member"]).await;
    both.give(&grace, id, "auditor").await;
    let tokens = both.signs_in_with("guests", USERNAME, &["auditor", "member"]).await;
    assert_eq!(both.roles(&tokens).await, json!(["auditor", "member"]));
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

#[actix_web::test]
async fn a_member_is_let_in_with_the_roles_that_they_have_as_a_guest() {
    const SOON: Duration = Duration::from_secs(30);
    let both = Connected::start().await;
    let guests = both.provider.add_tenant("guests", "grace").await;
    let (ada, grace) = (both.provider.sign_in("demo", USERNAME).await, both.provider.sign_in("guests", "grace").await);
    let (ada, grace) = (ada.unwrap(), grace.unwrap());
    assert_eq!(both.roles(&ada).await, json!(["administrator"]));
    assert_eq!(both.provider.sign_in("guests", USERNAME).await.unwrap_err(), 401);

    let id = both.provider.user;
    let invited = both.ask(&grace, Method::PUT, &format!("/api/v1/users/{id}/membership"), &json!({})).await;
    assert_eq!(invited["home_tenant_id"], json!(both.provider.tenant));
    let guest = both.provider.sign_in("guests", USERNAME).await.unwrap();
    let me = both.ask(&guest, Method::GET, "/api/v1/me", &Value::Null).await;
    assert_eq!((&me["subject"]["id"], &me["tenant"]["id"]), (&json!(id), &json!(guests)));
    assert_eq!(me["roles"], json!([]), "what they are at home they are not here");
    assert_eq!(both.send(&guest, Method::GET, "/api/v1/users").await.0, StatusCode::FORBIDDEN);

    // A role that they are given here is in their next token and counts at once, and at home nothing has changed.
    let roles = both.ask(&grace, Method::GET, "/api/v1/roles", &Value::Null).await;
    let auditor = roles.as_array().unwrap().iter().find(|role| role["name"] == "auditor").unwrap();
    let body = json!({"role_id": auditor["id"]});
    both.ask(&grace, Method::POST, &format!("/api/v1/users/{id}/roles"), &body).await;
    assert_eq!(both.roles(&guest).await, json!(["auditor"]));
    within(SOON, async || {
        let tokens = both.provider.sign_in("guests", USERNAME).await.unwrap();
        let claims = tenantry_jose::peek(tokens["access_token"].as_str().unwrap()).unwrap().claims;
        claims["roles"] == json!(["auditor"])
    })
    .await;
    assert_eq!(both.roles(&ada).await, json!(["administrator"]));
    let sessions = both.ask(&grace, Method::GET, &format!("/api/v1/sessions?user={id}"), &Value::Null).await;
    assert_eq!(sessions[0]["user"]["email"], "ada@demo.example");

    // Their account is switched off at home: what they have as a guest is refused as soon as it is told.
    both.provider.set_status(UserStatus::Suspended).await;
    within(SOON, async || both.is_refused(&guest).await).await;
    assert_eq!(both.provider.refresh("guests", guest["refresh_token"].as_str().unwrap()).await.0, 400);
    both.provider.set_status(UserStatus::Active).await;
    // Times of tokens are whole seconds: one that is of the same second is refused too.
    within(SOON, async || {
        let tokens = both.provider.sign_in("guests", USERNAME).await.unwrap();
        !both.is_refused(&tokens).await
    })
    .await;
    let again = both.provider.sign_in("guests", USERNAME).await.unwrap();
    both.ask(&grace, Method::DELETE, &format!("/api/v1/users/{id}/membership"), &Value::Null).await;
    assert!(both.is_refused(&again).await);
    assert_eq!(both.provider.sign_in("guests", USERNAME).await.unwrap_err(), 401);
}
