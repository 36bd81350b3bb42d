//! The real identity provider in this process, with a tenant, a person and a machine.

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use tenantry_db::TenantScope;
use tenantry_idp::clients::{self, AuthMethod, GrantType, NewClient};
use tenantry_idp::credentials::{self, PasswordHasher};
use tenantry_idp::keys::store::KeyMaker;
use tenantry_idp::provision;
use tenantry_idp::users::{self, NewUser, UserStatus};
use tenantry_idp::{Application, Config};
use tenantry_jose::Keyring;
use tenantry_testing::TestDatabase;
use tenantry_types::{ClientRowId, Sha256Hash, SystemClock, SystemRandom, UserId};
use tenantry_web::server::ServerHandle;

use crate::support::{client, free_port};

pub const USERNAME: &str = "ada";
pub const PASSWORD: &str = "correct horse battery staple";
const SECRET: &str = "a secret that only the test and its machine know";

pub struct Provider {
    pub url: String,
    pub user: UserId,
    _handle: ServerHandle,
    _database: TestDatabase,
    _folder: TempDir,
}

impl Provider {
    /// Starts a provider whose tokens are for the service at `api`.
    pub async fn start(api: &str) -> Self {
        let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
        let config = configuration(api, &database, &folder);
        let db = database.open().await;
        db.migrate(&tenantry_idp::startup::MIGRATIONS).await.unwrap();
        let keyring = Arc::new(Keyring::load_or_create(&config.keys.key_encryption_file, &SystemRandom).unwrap());
        let maker = KeyMaker { keyring, clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
        let hasher = PasswordHasher::start(Arc::new(SystemRandom), 64, 1, 1, 8).unwrap();
        let hash = hasher.hash(PASSWORD.into()).await.unwrap();
        let (user, machine, console) = (person(), machine(), api.parse().unwrap());
        let id = user.id;
        db.write(move |conn| {
            let (slug, name) = ("demo".parse().unwrap(), "Demo".parse().unwrap());
            let tenant = provision::create(conn, &maker, &console, &slug, &name)?;
            let scope = TenantScope::system(tenant.id, "test");
            users::store::insert(conn, scope, &SystemClock, &user)?;
            credentials::store::set_password(conn, scope, user.id, &hash, user_time())?;
            clients::store::insert(conn, scope, &SystemClock, &machine)?;
            Ok::<_, provision::ProvisionError>(())
        })
        .await
        .unwrap();
        let url = config.http.public_url.to_string();
        let handle = Application::build(config).await.unwrap().start();
        Self { url, user: id, _handle: handle, _database: database, _folder: folder }
    }

    /// A token of the machine.
    pub async fn machine_token(&self, scope: &str) -> String {
        let request = client().post(format!("{}/t/demo/oauth2/token", self.url)).basic_auth("machine", Some(SECRET));
        let response = request.form(&[("grant_type", "client_credentials"), ("scope", scope)]).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        body["access_token"].as_str().unwrap_or_else(|| panic!("{body}")).to_owned()
    }
}

fn user_time() -> tenantry_types::UtcTime {
    tenantry_types::Clock::now(&SystemClock)
}

fn configuration(api: &str, database: &TestDatabase, folder: &TempDir) -> Config {
    let port = free_port();
    let mut config = Config::default();
    config.http.listen = ([127, 0, 0, 1], port).into();
    config.http.public_url = format!("http://localhost:{port}").parse().unwrap();
    config.http.workers = 1;
    config.http.shutdown_timeout = 2;
    config.metrics.listen = None;
    config.database.url = database.url().to_string().as_str().into();
    config.keys.key_encryption_file = folder.path().join("idp.key");
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
        given_name: Some("Ada".into()),
        family_name: Some("Lovelace".into()),
        status: UserStatus::Active,
        roles: vec!["administrator".into()],
    }
}

fn machine() -> NewClient {
    NewClient {
        row_id: ClientRowId::new(&SystemClock, &SystemRandom),
        client_id: "machine".parse().unwrap(),
        name: "Machine".parse().unwrap(),
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
