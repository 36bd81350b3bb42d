//! The real identity provider in this process, with a tenant, a person and a machine.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Response;
use serde_json::Value;
use tempfile::TempDir;
use tenantry_db::{Db, TenantScope};
use tenantry_idp::accounts;
use tenantry_idp::audit::Author;
use tenantry_idp::clients::{self, AuthMethod, GrantType, NewClient};
use tenantry_idp::credentials::{self, PasswordHasher};
use tenantry_idp::keys::store::KeyMaker;
use tenantry_idp::provision::{self, NewTenant, Provisioner};
use tenantry_idp::tenants::TenantStatus;
use tenantry_idp::users::{self, NewUser, Roles, UserStatus};
use tenantry_idp::{Application, Config};
use tenantry_jose::Keyring;
use tenantry_testing::markup::Markup;
use tenantry_testing::{TestDatabase, free_port};
use tenantry_types::{ClientRowId, Clock, Sha256Hash, SystemClock, SystemRandom, TenantId, UserId};
use tenantry_web::server::Environment;

use crate::browser::{Browser, location};
use crate::support::client;
use crate::together::submit;

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "correct horse battery staple";
/// Where the client `app` is sent back to.
const APP: &str = "https://app.example.com/callback";
const SECRET: &str = "a secret that only the test and its machine know";

pub struct Provider {
    pub url: String,
    pub user: UserId,
    pub tenant: TenantId,
    pub db: Db,
    pub maker: KeyMaker,
    /// Where each replica listens.
    pub addresses: Vec<SocketAddr>,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Provider {
    /// Starts a provider whose tokens are for the service at `api`.
    pub async fn start(api: &str) -> Self {
        let port = free_port();
        let url = format!("http://localhost:{port}");
        Self::start_replicas(api, &url, Arc::new(SystemClock), &[port]).await
    }

    /// The same, and it tells that service what happens.
    pub async fn start_telling(api: &str) -> Self {
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let tell = |config: &mut Config| {
            config.events.push_url = Some(format!("{api}/api/v1/security-events").parse().unwrap());
        };
        Self::start_with(api, &url, Arc::new(SystemClock), &[port], tell).await
    }

    /// Starts a replica at each of these ports, all of which are reached at `url`.
    pub async fn start_replicas(api: &str, url: &str, clock: Arc<dyn Clock>, ports: &[u16]) -> Self {
        Self::start_with(api, url, clock, ports, |_| {}).await
    }

    async fn start_with(
        api: &str,
        url: &str,
        clock: Arc<dyn Clock>,
        ports: &[u16],
        change: impl FnOnce(&mut Config),
    ) -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let mut config = configuration(api, url, &database, &folder);
        change(&mut config);
        let db = database.open().await;
        db.migrate(&tenantry_idp::startup::MIGRATIONS).await.unwrap();
        let keyring = Arc::new(Keyring::load_or_create(&config.keys.key_encryption_file, &SystemRandom).unwrap());
        let maker = KeyMaker { keyring, clock: Arc::clone(&clock), random: Arc::new(SystemRandom) };
        let hasher = PasswordHasher::start(Arc::new(SystemRandom), 64, 1, 1, 8).unwrap();
        let hash = hasher.hash(PASSWORD.into()).await.unwrap();
        let (user, machine, console, seeding) = (person(), machine(), api.parse().unwrap(), maker.clone());
        let id = user.id;
        let seed = db.write(move |conn| {
            let (slug, name) = ("demo".parse().unwrap(), "Demo".parse().unwrap());
            let tenant = provision::create(conn, &seeding, &console, &slug, &name)?;
            let scope = TenantScope::system(tenant.id, "test");
            users::store::insert(conn, scope, &*seeding.clock, &user)?;
            credentials::store::set_password(conn, scope, user.id, &hash, seeding.clock.now())?;
            clients::store::insert(conn, scope, &*seeding.clock, &machine)?;
            Ok::<_, provision::ProvisionError>(tenant.id)
        });
        let tenant = seed.await.unwrap();
        let mut addresses = Vec::new();
        for port in ports {
            let mut config = config.clone();
            config.http.listen = ([127, 0, 0, 1], *port).into();
            let environment = Environment { clock: Arc::clone(&clock), ..Environment::default() };
            let application = Application::build(config, environment).await.unwrap();
            addresses.push(application.address());
            // It ends with the runtime of the test.
            application.start();
        }
        let url = url.to_owned();
        Self { url, user: id, tenant, db, maker, addresses, _database: database, _folder: folder }
    }

    /// A token of the machine.
    pub async fn machine_token(&self, scope: &str) -> String {
        let request = client().post(format!("{}/t/demo/oauth2/token", self.url)).basic_auth("machine", Some(SECRET));
        let response = request.form(&[("grant_type", "client_credentials"), ("scope", scope)]).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }
}

impl Provider {
    /// Registers a resource server with these keys at a platform tenant, so that it can manage what is here.
    pub async fn let_in(&self, jwks: Value) {
        let provisioner = Provisioner {
            maker: self.maker.clone(),
            console: "http://localhost:1".parse().unwrap(),
            public_url: self.url.parse().unwrap(),
        };
        let author = Author::operator(self.maker.clock.clone(), self.maker.random.clone());
        let platform = NewTenant {
            id: TenantId::new(&SystemClock, &SystemRandom),
            slug: "platform".parse().unwrap(),
            name: "Platform".parse().unwrap(),
            status: TenantStatus::Active,
            is_platform: true,
        };
        let mut client = machine();
        client.client_id = "tenantry-api".parse().unwrap();
        client.auth_method = AuthMethod::PrivateKeyJwt;
        (client.secret, client.jwks) = (None, Some(jwks));
        client.scope = "admin.read admin.tenants admin.users admin.clients".parse().unwrap();
        let work = self.db.write(move |conn| {
            let tenant = provisioner.establish(conn, &author, &platform)?;
            clients::store::insert(conn, TenantScope::system(tenant.id, "test"), &*author.clock, &client)?;
            Ok::<_, provision::ProvisionError>(())
        });
        work.await.unwrap();
    }

    /// Registers the client `app` at a tenant, for people.
    pub async fn add_app(&self, tenant: TenantId) {
        let mut client = machine();
        (client.client_id, client.row_id) = ("app".parse().unwrap(), ClientRowId::new(&SystemClock, &SystemRandom));
        (client.auth_method, client.secret) = (AuthMethod::None, None);
        client.redirect_uris = vec![APP.parse().unwrap()];
        client.grant_types = [GrantType::AuthorizationCode, GrantType::RefreshToken].into();
        client.scope = "openid profile email roles offline_access api".parse().unwrap();
        client.is_first_party = true;
        let clock = self.maker.clock.clone();
        let work = self
            .db
            .write(move |conn| clients::store::insert(conn, TenantScope::system(tenant, "test"), &*clock, &client));
        work.await.unwrap();
    }

    /// Another tenant, with an administrator of this name and the client `app`.
    pub async fn add_tenant(&self, slug: &str, username: &str) -> TenantId {
        let hasher = PasswordHasher::start(Arc::new(SystemRandom), 64, 1, 1, 8).unwrap();
        let hash = hasher.hash(PASSWORD.into()).await.unwrap();
        let mut user = person();
        user.username = username.parse().unwrap();
        user.email = format!("{username}@{slug}.example").parse().unwrap();
        let (maker, slug) = (self.maker.clone(), slug.parse().unwrap());
        let work = self.db.write(move |conn| {
            let console = "http://localhost:1".parse().unwrap();
            let tenant = provision::create(conn, &maker, &console, &slug, &"Guests".parse().unwrap())?;
            let scope = TenantScope::system(tenant.id, "test");
            users::store::insert(conn, scope, &*maker.clock, &user)?;
            credentials::store::set_password(conn, scope, user.id, &hash, maker.clock.now())?;
            Ok::<_, provision::ProvisionError>(tenant.id)
        });
        let tenant = work.await.unwrap();
        self.add_app(tenant).await;
        tenant
    }

    /// Adds somebody of this name to `demo`, with these roles, as an operator does.
    pub async fn add_person(&self, username: &str, roles: &[&str]) -> UserId {
        let hasher = PasswordHasher::start(Arc::new(SystemRandom), 64, 1, 1, 8).unwrap();
        let hash = hasher.hash(PASSWORD.into()).await.unwrap();
        let mut user = person();
        user.username = username.parse().unwrap();
        user.email = format!("{username}@demo.example").parse().unwrap();
        user.roles = roles_of(0, roles);
        let author = Author::operator(self.maker.clock.clone(), self.maker.random.clone());
        let (scope, id) = (TenantScope::system(self.tenant, "test"), user.id);
        let work =
            self.db.write(move |conn| accounts::create(conn, scope, &author, &user, Some(&hash), true).map(drop));
        work.await.unwrap();
        id
    }

    /// Sets the roles that somebody has in a tenant, as another program does.
    pub async fn put_roles(&self, tenant: TenantId, id: UserId, version: i64, roles: &[&str]) {
        let author = Author::operator(self.maker.clock.clone(), self.maker.random.clone());
        let (scope, roles) = (TenantScope::system(tenant, "test"), roles_of(version, roles));
        let work = self.db.write(move |conn| {
            let person = accounts::find_person(conn, scope, id)?.unwrap();
            accounts::replace_roles(conn, scope, &author, person, &roles).map(drop)
        });
        work.await.unwrap();
    }

    /// Lets the person of `demo` use their account, or not.
    pub async fn set_status(&self, status: UserStatus) {
        let author = Author::operator(self.maker.clock.clone(), self.maker.random.clone());
        let (scope, id) = (TenantScope::system(self.tenant, "test"), self.user);
        let work = self.db.write(move |conn| {
            let before = users::store::find(conn, scope, id)?.unwrap();
            let after = users::User { status, ..before.clone() };
            accounts::update(conn, scope, &author, &before, after)
        });
        work.await.unwrap();
    }

    /// What somebody gets who signs in with a browser of their own, at a tenant that has the client `app`; the reason why
    /// they do not, as the page has it, where they do not.
    pub async fn sign_in(&self, slug: &str, username: &str) -> Result<Value, u16> {
        let verifier = "0123456789".repeat(5);
        let (browser, issuer) = (Browser::new(), format!("{}/t/{slug}", self.url));
        let mut url = url::Url::parse(&format!("{issuer}/oauth2/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs([
            ("response_type", "code"),
            ("client_id", "app"),
            ("redirect_uri", APP),
            ("scope", "openid profile email roles api"),
            ("code_challenge_method", "S256"),
            ("code_challenge", &tenantry_jose::pkce_s256(&verifier)),
        ]);
        let (at, response) = self.follow(&browser, url.as_str(), browser.get(url.as_str()).await).await;
        let page = Markup::parse(&response.text().await.unwrap()).unwrap();
        let response = submit(&browser, &at, &page, &[("username", username), ("password", PASSWORD)]).await;
        let (at, response) = self.follow(&browser, &at, response).await;
        let at = url::Url::parse(&at).unwrap();
        let Some((_, code)) = at.query_pairs().find(|(name, _)| name == "code") else {
            return Err(response.status().as_u16());
        };
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("redirect_uri", APP),
            ("code", &code),
            ("code_verifier", &verifier),
        ];
        let tokens = client().post(format!("{issuer}/oauth2/token")).form(&form).send().await.unwrap();
        assert_eq!(tokens.status(), 200);
        Ok(tokens.json().await.unwrap())
    }

    /// Follows redirects as long as they stay here.
    async fn follow(&self, browser: &Browser, from: &str, response: Response) -> (String, Response) {
        let (mut url, mut response) = (from.to_owned(), response);
        while response.status().is_redirection() {
            url = url::Url::parse(&url).unwrap().join(&location(&response)).unwrap().into();
            if !url.starts_with(&self.url) {
                break;
            }
            response = browser.get(&url).await;
        }
        (url, response)
    }

    /// What the client `app` of a tenant gets for a refresh token.
    pub async fn refresh(&self, slug: &str, token: &str) -> (u16, Value) {
        let form = [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", token)];
        let request = client().post(format!("{}/t/{slug}/oauth2/token", self.url)).form(&form);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn configuration(api: &str, url: &str, database: &TestDatabase, folder: &TempDir) -> Config {
    let mut config = Config::default();
    config.http.public_url = url.parse().unwrap();
    config.http.workers = 1;
    config.http.shutdown_timeout = 2;
    config.metrics.listen = None;
    config.database.url = database.url().to_string().as_str().into();
    config.redis.url = std::env::var("TEST_REDIS_URL").ok().as_deref().map(Into::into);
    config.keys.key_encryption_file = folder.path().join("idp.key");
    config.cache.seconds = 0;
    api.clone_into(&mut config.tokens.audience);
    config.passwords.argon2_memory_kib = 64;
    config.passwords.argon2_passes = 1;
    config
}

fn roles_of(version: i64, names: &[&str]) -> Roles {
    Roles { version, names: names.iter().map(|name| name.parse().unwrap()).collect() }
}

fn person() -> NewUser {
    NewUser {
        id: UserId::new(&SystemClock, &SystemRandom),
        username: USERNAME.parse().unwrap(),
        email: "ada@demo.example".parse().unwrap(),
        email_verified: true,
        phone: None,
        given_name: Some("Ada".parse().unwrap()),
        family_name: Some("Lovelace".parse().unwrap()),
        display_name: None,
        status: UserStatus::Active,
        roles: Roles { version: 0, names: ["administrator".parse().unwrap()].into() },
    }
}

fn machine() -> NewClient {
    NewClient {
        row_id: ClientRowId::new(&SystemClock, &SystemRandom),
        client_id: "machine".parse().unwrap(),
        name: "Machine".parse().unwrap(),
        client_uri: None,
        auth_method: AuthMethod::ClientSecretBasic,
        secret: Some(Sha256Hash::of(SECRET)),
        jwks: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: [GrantType::ClientCredentials].into(),
        scope: "tenant_settings.read tenant_settings.update".parse().unwrap(),
        is_first_party: false,
    }
}
