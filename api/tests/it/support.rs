//! The service in this process, on a port and a database of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;
use tenantry_api::directory::AccountProvider;
use tenantry_api::idp::ClientKeyFile;
use tenantry_api::startup::{MIGRATIONS, Parts};
use tenantry_api::{Application, Config};
use tenantry_db::DbError;
use tenantry_testing::{TestDatabase, free_port};
use tenantry_types::{Clock, ManualClock, SystemClock};
use tenantry_web::server::{Environment, ServerHandle};

use crate::fake_accounts::FakeAccounts;
use crate::fake_idp::FakeIdp;

pub struct TestApi {
    pub url: String,
    pub idp: FakeIdp,
    /// The accounts at the identity provider.
    pub accounts: Arc<FakeAccounts>,
    pub clock: Arc<ManualClock>,
    pub database: TestDatabase,
    pub handle: ServerHandle,
    pub config: Config,
    http: reqwest::Client,
    _folder: TempDir,
}

impl TestApi {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with a changed configuration.
    pub async fn start_with(change: impl Fn(&mut Config)) -> Self {
        let clock = Arc::new(ManualClock::starting_at(SystemClock.now()));
        let idp = FakeIdp::start(Arc::clone(&clock));
        let database = TestDatabase::create().await;
        database.open().await.migrate(&MIGRATIONS).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut config = configuration(idp.url(), &database, &folder);
        change(&mut config);
        let environment = Environment { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Environment::default() };
        let accounts = Arc::new(FakeAccounts::default());
        let application = Application::build_with(config.clone(), environment, with(&accounts)).await.unwrap();
        let url = config.http.public_url.to_string();
        Self {
            url,
            idp,
            accounts,
            clock,
            database,
            handle: application.start(),
            config,
            http: client(),
            _folder: folder,
        }
    }

    /// Starts another replica on the same database. Gives its address.
    pub async fn replica(&self, mut config: Config) -> String {
        config.http.listen = ([127, 0, 0, 1], 0).into();
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        let environment = Environment { clock, ..Environment::default() };
        let application = Application::build_with(config, environment, with(&self.accounts)).await.unwrap();
        // It ends with the runtime of the test.
        format!("http://{}", application.start().address())
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.url))
    }

    pub async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    pub async fn get_as(&self, path: &str, token: &str) -> Response {
        self.request(Method::GET, path).bearer_auth(token).send().await.unwrap()
    }

    /// A token of an administrator of the tenant `demo`.
    pub fn administrator(&self) -> String {
        self.idp.sign("demo", &self.idp.user_claims("demo", &self.url))
    }

    /// A token of somebody with these roles and scopes.
    pub fn user(&self, roles: &[&str], scope: &str) -> String {
        let mut claims = self.idp.user_claims("demo", &self.url);
        claims["roles"] = roles.into();
        claims["scope"] = scope.into();
        self.idp.sign("demo", &claims)
    }

    /// Sends JSON as the holder of a token, whatever the version of what is there.
    pub async fn send_as(&self, token: &str, method: Method, path: &str, body: &Value) -> Response {
        let request = self.request(method, path).bearer_auth(token).header("If-Match", "*");
        if body.is_null() { request.send().await.unwrap() } else { request.json(body).send().await.unwrap() }
    }

    /// The `data` of a successful answer to that.
    pub async fn done_as(&self, token: &str, method: Method, path: &str, body: &Value) -> Value {
        let response = self.send_as(token, method, path, body).await;
        let (status, text) = (response.status(), response.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        let answer = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() };
        answer["data"].clone()
    }

    /// Who holds a token, who is known from then on.
    pub async fn id_of(&self, token: &str) -> String {
        let me = self.done_as(token, Method::GET, "/api/v1/me", &Value::Null).await;
        me["subject"]["id"].as_str().unwrap().to_owned()
    }

    /// A token of an administrator of the platform.
    pub fn platform(&self) -> String {
        self.idp.sign("platform", &self.idp.user_claims("platform", &self.url))
    }

    /// A token of an administrator of a tenant that was made through this service.
    pub fn administrator_of(&self, id: &str, slug: &str) -> String {
        let tenant = self.idp.add_tenant_of(id.parse().unwrap(), slug);
        tenant.key.sign_jwt("at+jwt", &self.idp.user_claims(slug, &self.url)).unwrap()
    }

    /// A token of a client.
    pub fn machine(&self, scope: &str) -> String {
        self.idp.sign("demo", &self.idp.client_claims("demo", &self.url, scope))
    }
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl TestApi {
    /// What a query finds in its column `value`.
    pub async fn texts(&self, query: &'static str) -> Vec<String> {
        let db = self.database.open().await;
        let rows = db.read(move |conn| Ok::<_, DbError>(sql_query(query).load::<TextRow>(conn)?)).await;
        rows.unwrap().into_iter().map(|row| row.value).collect()
    }

    /// The rows of a table, which can have a `WHERE` after its name.
    pub async fn count(&self, table: &'static str) -> i64 {
        let query = format!("SELECT COUNT(*) AS value FROM {table}");
        let db = self.database.open().await;
        let row = db.read(move |conn| Ok::<_, DbError>(sql_query(&query).get_result::<CountRow>(conn)?));
        row.await.unwrap().value
    }

    /// Does this to the rows.
    pub async fn execute(&self, statement: &'static str) {
        self.execute_text(statement.to_owned()).await;
    }

    /// The same, with what only the test knows in it.
    pub async fn execute_text(&self, statement: String) {
        let db = self.database.open().await;
        db.write(move |conn| Ok::<_, DbError>(sql_query(&statement).execute(conn)?)).await.unwrap();
    }
}

/// The service with these accounts at the identity provider.
fn with(accounts: &Arc<FakeAccounts>) -> Parts {
    Parts { accounts: Some(Arc::clone(accounts) as Arc<dyn AccountProvider>), ..Parts::default() }
}

pub fn configuration(idp: &str, database: &TestDatabase, folder: &TempDir) -> Config {
    let mut config = Config::default();
    let port = free_port();
    config.http.listen = ([127, 0, 0, 1], port).into();
    config.http.public_url = format!("http://localhost:{port}").parse().unwrap();
    config.http.workers = 1;
    config.http.shutdown_timeout = 5;
    config.metrics.listen = None;
    // Many services run at once, on one database server.
    config.database.max_connections = 3;
    // Tests of the limits set their own.
    config.rate_limits.enabled = false;
    config.idp.url = idp.parse().unwrap();
    config.database.url = database.url().to_string().as_str().into();
    config.keyring.path = folder.path().join("api.key");
    config.idp.management.key_file = folder.path().join("client.pem");
    ClientKeyFile::load_or_create(&config.idp.management.key_file).unwrap();
    // Nobody is asked unless a test says who: names resolve to nothing.
    config.domains.name_servers = vec![([127, 0, 0, 1], 9).into()];
    config
}

/// Asks until it is so, for this long.
pub async fn within<F: Future<Output = bool>>(time: Duration, mut is_so: impl FnMut() -> F) {
    let asked = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(time, asked).await.expect("it did not become so in time");
}

/// Asks without a pause until somebody has asked who came more than a second after `changed`: to them it has to be so,
/// however busy the machine is.
pub async fn a_second_after<F: Future<Output = bool>>(changed: Instant, mut is_so: impl FnMut() -> F) {
    loop {
        let is_late = changed.elapsed() > Duration::from_secs(1);
        let is_so = is_so().await;
        if is_late {
            assert!(is_so, "it was not so for somebody who came more than a second after the change");
            return;
        }
    }
}

/// An HTTP client that follows nothing by itself.
pub fn client() -> reqwest::Client {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap()
}

/// The problem document of an answer, whose status has to agree.
pub async fn problem(response: Response, status: StatusCode) -> Value {
    assert_eq!(response.status(), status);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let request_id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let problem: Value = response.json().await.unwrap();
    assert_eq!(problem["status"], status.as_u16());
    assert_eq!(problem["instance"], request_id);
    problem
}

/// What `WWW-Authenticate` of an answer says.
pub fn challenge(response: &Response) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}
