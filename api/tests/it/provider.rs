//! The real identity provider in this process, with a tenant, a person and a machine.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tenantry_db::{Db, TenantScope};
use tenantry_idp::clients::{self, AuthMethod, GrantType, NewClient};
use tenantry_idp::credentials::{self, PasswordHasher};
use tenantry_idp::keys::store::KeyMaker;
use tenantry_idp::provision;
use tenantry_idp::users::{self, NewUser, Roles, UserStatus};
use tenantry_idp::{Application, Config};
use tenantry_jose::Keyring;
use tenantry_testing::{TestDatabase, free_port};
use tenantry_types::{ClientRowId, Clock, Sha256Hash, SystemClock, SystemRandom, TenantId, UserId};
use tenantry_web::server::Environment;

use crate::support::client;

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "correct horse battery staple";
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

    /// Starts a replica at each of these ports, all of which are reached at `url`.
    pub async fn start_replicas(api: &str, url: &str, clock: Arc<dyn Clock>, ports: &[u16]) -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let config = configuration(api, url, &database, &folder);
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
