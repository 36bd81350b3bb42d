//! A server of our own for each test, and a browser without a screen.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Client as Http, Response, StatusCode, redirect};
use serde_json::Value;
use tenantry_db::{Db, TenantScope};
use tenantry_idp::clients::{self, AuthMethod, GrantType, NewClient};
use tenantry_idp::credentials::{self, PasswordHasher};
use tenantry_idp::keys::store::KeyMaker;
use tenantry_idp::provision;
use tenantry_idp::tenants::Tenant;
use tenantry_idp::users::{self, NewUser, Roles, UserStatus};
use tenantry_idp::{Application, Config};
use tenantry_jose::{Keyring, pkce_s256};
use tenantry_testing::markup::Markup;
use tenantry_testing::{TestDatabase, free_port};
use tenantry_types::{
    ClientRowId, Clock, ManualClock, Random, Sha256Hash, SystemClock, SystemRandom, TenantId, UserId,
};
use tenantry_web::server::{Environment, ServerHandle};
use url::Url;

pub const PASSWORD: &str = "correct horse battery staple";
pub const SECRET: &str = "a secret that only the test and its clients know";
pub const REDIRECT_URI: &str = "https://app.example.com/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const AUDIENCE: &str = "https://api.example.com";

/// A running server with the tenant `acme`, its user Ada and its clients.
pub struct TestIdp {
    pub base: String,
    pub issuer: String,
    pub tenant: Tenant,
    pub user: UserId,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub config: Config,
    pub maker: KeyMaker,
    // Kept for as long as the server runs.
    _server: ServerHandle,
    _database: TestDatabase,
    _folder: tempfile::TempDir,
}

/// A configuration for tests: cheap passwords, nothing cached, so that every change is seen at once.
pub fn config(database: &TestDatabase, folder: &Path, port: u16) -> Config {
    let mut config = Config::default();
    config.http.listen = format!("127.0.0.1:{port}").parse().unwrap();
    config.http.public_url = format!("http://localhost:{port}").parse().unwrap();
    config.http.workers = 2;
    config.http.shutdown_timeout = 2;
    config.database.url = database.url().to_string().as_str().into();
    config.metrics.listen = None;
    config.keys.key_encryption_file = folder.join("keys.json");
    AUDIENCE.clone_into(&mut config.tokens.audience);
    config.passwords.argon2_memory_kib = 64;
    config.passwords.argon2_passes = 1;
    config.cache.seconds = 0;
    config.redis.url = None;
    config
}

impl TestIdp {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::create().await;
        let folder = tempfile::tempdir().unwrap();
        let mut config = config(&database, folder.path(), free_port());
        change(&mut config);
        let db = database.open().await;
        db.migrate(&tenantry_idp::startup::MIGRATIONS).await.unwrap();
        let clock = Arc::new(ManualClock::starting_at(SystemClock.now()));
        let random: Arc<dyn Random> = Arc::new(SystemRandom);
        let keyring = Keyring::load_or_create(&config.keys.key_encryption_file, &SystemRandom).unwrap();
        let maker = KeyMaker { keyring: Arc::new(keyring), clock: clock.clone(), random: random.clone() };
        let (tenant, user) = seed(&db, &maker, &config).await;
        let environment = Environment { clock: clock.clone(), random, ..Environment::default() };
        let application = Application::build(config.clone(), environment).await.unwrap();
        let base = config.http.public_url.as_str().to_owned();
        Self {
            issuer: format!("{base}/t/acme"),
            base,
            tenant,
            user,
            db,
            clock,
            config,
            maker,
            _server: application.start(),
            _database: database,
            _folder: folder,
        }
    }

    /// A second server on the same database and keys, changed, with its own port and the same public address. It serves
    /// until the test ends.
    pub async fn replica(&self, change: impl FnOnce(&mut Config)) -> SocketAddr {
        let mut config = self.config.clone();
        config.http.listen = ([127, 0, 0, 1], 0).into();
        change(&mut config);
        let environment = Environment { clock: self.clock.clone(), ..Environment::default() };
        let application = Application::build(config, environment).await.unwrap();
        let address = application.address();
        application.start();
        address
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.issuer)
    }

    pub fn scope(&self) -> TenantScope {
        TenantScope::system(self.tenant.id, "test")
    }

    pub fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Registers a client like the public one, changed.
    pub async fn add_client(&self, change: impl FnOnce(&mut NewClient)) {
        let mut client = new_client("added");
        change(&mut client);
        let (scope, clock) = (self.scope(), self.clock.clone());
        self.db.write(move |conn| clients::store::insert(conn, scope, &*clock, &client)).await.unwrap();
    }

    /// A token request of the public client.
    pub async fn token(&self, params: &[(&str, &str)]) -> Reply {
        Reply::of(http().post(self.url("/oauth2/token")).form(params).send().await.unwrap()).await
    }

    /// Signs Ada in at the public client and gives the code.
    pub async fn code(&self) -> String {
        Browser::new().sign_in(self, &authorization(&[])).await["code"].clone()
    }

    /// Exchanges a code of the public client.
    pub async fn exchange(&self, code: &str) -> Reply {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    /// Everything that a sign-in gives the public client.
    pub async fn tokens(&self) -> Value {
        let reply = self.exchange(&self.code().await).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body
    }

    pub async fn refresh(&self, token: &str) -> Reply {
        self.token(&[("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)]).await
    }
}

pub fn new_client(client_id: &str) -> NewClient {
    NewClient {
        row_id: ClientRowId::new(&SystemClock, &SystemRandom),
        client_id: client_id.parse().unwrap(),
        name: format!("The {client_id}").parse().unwrap(),
        client_uri: None,
        auth_method: AuthMethod::None,
        secret: None,
        jwks: None,
        redirect_uris: vec![REDIRECT_URI.parse().unwrap(), "http://127.0.0.1/callback".parse().unwrap()],
        post_logout_redirect_uris: vec!["https://app.example.com/bye".parse().unwrap()],
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scope: "openid profile email roles offline_access api".parse().unwrap(),
        is_first_party: true,
    }
}

async fn seed(db: &Db, maker: &KeyMaker, config: &Config) -> (Tenant, UserId) {
    let hasher = PasswordHasher::start(
        Arc::new(SystemRandom),
        config.passwords.argon2_memory_kib,
        config.passwords.argon2_passes,
        1,
        8,
    );
    let hash = hasher.unwrap().hash(PASSWORD.into()).await.unwrap();
    let user = NewUser {
        id: UserId::new(&SystemClock, &SystemRandom),
        username: "ada".parse().unwrap(),
        email: "ada@acme.example".parse().unwrap(),
        email_verified: true,
        phone: None,
        given_name: Some("Ada".parse().unwrap()),
        family_name: Some("Lovelace".parse().unwrap()),
        display_name: None,
        status: UserStatus::Active,
        roles: Roles { version: 0, names: ["administrator".parse().unwrap()].into() },
    };
    let mut web = new_client("web");
    web.auth_method = AuthMethod::ClientSecretBasic;
    web.secret = Some(Sha256Hash::of(SECRET));
    web.is_first_party = false;
    let mut machine = new_client("machine");
    machine.auth_method = AuthMethod::ClientSecretPost;
    machine.secret = Some(Sha256Hash::of(SECRET));
    machine.grant_types = [GrantType::ClientCredentials].into();
    machine.redirect_uris = vec![];
    machine.post_logout_redirect_uris = vec![];
    machine.scope = "tenant_settings.read tenant_settings.update".parse().unwrap();
    let all = vec![new_client("app"), web, machine];
    let (maker, console, id) = (maker.clone(), config.console.url.clone(), user.id);
    let tenant = db
        .write(move |conn| {
            let clock = &*maker.clock;
            let tenant = provision::create(conn, &maker, &console, &"acme".parse().unwrap(), &"Acme".parse().unwrap())?;
            let scope = TenantScope::system(tenant.id, "test");
            users::store::insert(conn, scope, clock, &user)?;
            credentials::store::set_password(conn, scope, user.id, &hash, clock.now())?;
            for client in &all {
                clients::store::insert(conn, scope, clock, client)?;
            }
            Ok::<_, provision::ProvisionError>(tenant)
        })
        .await
        .unwrap();
    (tenant, id)
}

/// Another tenant of the same server, with the same names in it.
pub async fn other_tenant(idp: &TestIdp, slug: &str) -> TenantId {
    let (maker, console) = (idp.maker.clone(), idp.config.console.url.clone());
    let slug = slug.parse().unwrap();
    let tenant = idp
        .db
        .write(move |conn| {
            let tenant = provision::create(conn, &maker, &console, &slug, &"Other".parse().unwrap())?;
            let scope = TenantScope::system(tenant.id, "test");
            clients::store::insert(conn, scope, &*maker.clock, &new_client("app"))?;
            Ok::<_, provision::ProvisionError>(tenant)
        })
        .await
        .unwrap();
    tenant.id
}

pub fn http() -> Http {
    Http::builder().redirect(redirect::Policy::none()).build().unwrap()
}

/// An answer with its JSON.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Self { status, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }

    pub fn error(&self) -> (u16, &str) {
        (self.status, self.body["error"].as_str().unwrap_or_default())
    }

    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name} in {}", self.body))
    }
}

/// The parameters of a good authorization request of the public client, some of them changed; an empty value takes one
/// away.
pub fn authorization(changes: &[(&str, &str)]) -> Vec<(String, String)> {
    let challenge = pkce_s256(VERIFIER);
    let mut params: Vec<(String, String)> = [
        ("response_type", "code"),
        ("client_id", "app"),
        ("redirect_uri", REDIRECT_URI),
        ("scope", "openid profile email"),
        ("state", "the state"),
        ("nonce", "the nonce"),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ]
    .iter()
    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
    .collect();
    for (name, value) in changes {
        params.retain(|(known, _)| known != name);
        if !value.is_empty() {
            params.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    params
}

/// A browser without a screen: it keeps cookies and goes where it is sent, one step at a time.
#[derive(Clone, Default)]
pub struct Browser {
    pub cookies: HashMap<String, String>,
}

/// What a browser sees.
#[derive(Debug)]
pub struct Page {
    pub status: StatusCode,
    pub location: Option<String>,
    pub headers: reqwest::header::HeaderMap,
    pub html: String,
}

impl Page {
    pub fn markup(&self) -> Markup {
        Markup::parse(&self.html).unwrap_or_else(|error| panic!("{error}: {}", self.html))
    }

    pub fn location(&self) -> &str {
        self.location.as_deref().unwrap_or_else(|| panic!("{}: no redirect: {}", self.status, self.html))
    }

    /// The answer to the client, in the query of the redirect.
    pub fn answer(&self) -> HashMap<String, String> {
        Url::parse(self.location()).unwrap().query_pairs().into_owned().collect()
    }
}

impl Browser {
    pub fn new() -> Self {
        Self::default()
    }

    fn cookie_header(&self) -> String {
        self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn see(&mut self, response: Response) -> Page {
        for cookie in response.headers().get_all(SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Page {
            status: response.status(),
            location: response.headers().get(LOCATION).map(|value| value.to_str().unwrap().to_owned()),
            headers: response.headers().clone(),
            html: response.text().await.unwrap(),
        }
    }

    pub async fn get(&mut self, url: &str) -> Page {
        self.get_with(url, &[]).await
    }

    pub async fn get_with(&mut self, url: &str, headers: &[(&str, &str)]) -> Page {
        let mut request = http().get(url).header("cookie", self.cookie_header());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        self.see(response).await
    }

    pub async fn post(&mut self, url: &str, form: &[(String, String)]) -> Page {
        self.post_with(url, form, &[]).await
    }

    pub async fn post_with(&mut self, url: &str, form: &[(String, String)], headers: &[(&str, &str)]) -> Page {
        let mut request = http().post(url).header("cookie", self.cookie_header()).form(form);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        self.see(response).await
    }

    /// Opens the authorization endpoint and goes on to our own page, if it sends us to one.
    pub async fn authorize(&mut self, idp: &TestIdp, params: &[(String, String)]) -> Page {
        let url = Url::parse_with_params(&idp.url("/oauth2/authorize"), params).unwrap();
        let page = self.get(url.as_str()).await;
        self.follow_ours(idp, page).await
    }

    /// Follows redirects as long as they stay with us.
    pub async fn follow_ours(&mut self, idp: &TestIdp, mut page: Page) -> Page {
        while let Some(location) = page.location.clone().filter(|location| location.starts_with(&idp.base)) {
            page = self.get(&location).await;
        }
        page
    }

    /// Sends the sign-in form that a page shows.
    pub async fn submit_sign_in(&mut self, idp: &TestIdp, page: &Page, username: &str, password: &str) -> Page {
        let mut form = page.markup().hidden_values();
        form.push(("username".into(), username.into()));
        form.push(("password".into(), password.into()));
        self.post(&idp.url("/sign-in"), &form).await
    }

    /// Sends the consent form that a page shows.
    pub async fn submit_consent(&mut self, idp: &TestIdp, page: &Page, decision: &str) -> Page {
        let mut form = page.markup().hidden_values();
        form.push(("decision".into(), decision.into()));
        self.post(&idp.url("/consent"), &form).await
    }

    /// Ada signs in and allows everything; the answer to the client.
    pub async fn sign_in(&mut self, idp: &TestIdp, params: &[(String, String)]) -> HashMap<String, String> {
        let page = self.authorize(idp, params).await;
        let page = if page.location.is_none() && page.html.contains("id=\"sign-in\"") {
            let page = self.submit_sign_in(idp, &page, "ada", PASSWORD).await;
            self.follow_ours(idp, page).await
        } else {
            page
        };
        let page = if page.location.is_none() && page.html.contains("id=\"allow\"") {
            let page = self.submit_consent(idp, &page, "allow").await;
            self.follow_ours(idp, page).await
        } else {
            page
        };
        page.answer()
    }
}

/// The claims of a token, unchecked.
pub fn claims(token: &str) -> Value {
    Value::Object(tenantry_jose::peek(token).unwrap().claims)
}
