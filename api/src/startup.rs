//! Wiring: from a configuration to a service that runs.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, ServiceConfig};
use diesel_migrations::embed_migrations;
use tenantry_db::{Db, DbError, Migrations, PoolOptions};
use tenantry_jose::{Keyring, KeyringError};
use tenantry_types::{Clock, Random};
use tenantry_web::config::DatabaseConfig;
use tenantry_web::health::Health;
use tenantry_web::listing::Cursors;
use tenantry_web::rate_limit::{LimitConfig, RateLimiter};
use tenantry_web::redis;
use tenantry_web::server::{Environment, Server, ServerError, ServerHandle, ServerSetup};
use tokio::task::JoinHandle;

use crate::access::log::DecisionLog;
use crate::access::{AccessControl, AllowedOrigins, OriginKeeper, Routes};
use crate::audit::chain::Sealer;
use crate::authn::{Authenticator, Issuers, Possession};
use crate::config::{Config, KeyringConfig};
use crate::console::{Console, ConsoleSettings};
use crate::decisions::authzen::PublicAddress;
use crate::directory::{AccountProvider, Accounts, Connected, Directory, Reconciler, RolesRecipient};
use crate::gauges::Gauges;
use crate::idp::{ClientKeyError, ClientKeyFile, IdpClient, ManagementClient, ManagementError};
use crate::maintenance::Maintenance;
use crate::outbox::{Deliveries, Recipient};
use crate::revocations::Revocations;
use crate::roles::claim::RoleReviews;
use crate::security_events::Receiver;
use crate::signals::Signals;
use crate::state::Api;
use crate::tenants::domains::{Recheck, Verifier, VerifierError};
use crate::tenants::tasks::Tasks;
use crate::{access, console, openapi, routes};

/// The tables of this service.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: embed_migrations!("../migrations/api/sqlite"),
    mysql: embed_migrations!("../migrations/api/mysql"),
};

/// Why the service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The database cannot be used.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The keys cannot be had.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// The way to the identity provider cannot be set up.
    #[error("the HTTP client cannot be set up")]
    HttpClient(#[from] reqwest::Error),
    /// The console cannot be set up.
    #[error(transparent)]
    Console(#[from] console::ConsoleSetupError),
    /// The description of the API cannot be made.
    #[error("the description of the API cannot be made")]
    Document(#[from] serde_json::Error),
    /// Migrations are missing.
    #[error("the database lacks {0} migration(s): run `tenantry-api migrate`")]
    NotMigrated(usize),
    /// The key of the management client cannot be used.
    #[error(transparent)]
    ClientKey(#[from] ClientKeyError),
    /// Names cannot be resolved.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// Redis is not where it is said to be.
    #[error("redis.url cannot be used: {0}")]
    Redis(String),
    /// The server does not start.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// What a service is made of besides its configuration, so that tests can choose it.
#[derive(Debug, Default)]
pub struct Parts {
    /// The way to the accounts at the identity provider; `None` for its management API.
    pub accounts: Option<Arc<dyn AccountProvider>>,
    /// The routes; `None` for those of the service.
    pub routes: Option<Routes>,
}

/// The service, bound and not yet serving.
#[must_use = "it serves once it is run or started"]
pub struct Application {
    server: Server,
    db: Db,
    signals: Signals,
    decisions: DecisionLog,
    sealer: Sealer,
    maintenance: Maintenance,
    gauges: Gauges,
    revocations: Revocations,
    deliveries: Deliveries,
    reconciler: Reconciler,
    tasks: Tasks,
    recheck: Recheck,
    reviews: RoleReviews,
    origins: OriginKeeper,
}

impl Application {
    /// Builds the service of this configuration and binds its addresses. The tables have to be there: see `migrate`.
    ///
    /// # Errors
    /// [`StartupError`].
    pub async fn build(config: Config, environment: Environment) -> Result<Self, StartupError> {
        Self::build_with(config, environment, Parts::default()).await
    }

    /// The same, with other parts.
    ///
    /// # Errors
    /// [`StartupError`].
    pub async fn build_with(config: Config, environment: Environment, parts: Parts) -> Result<Self, StartupError> {
        let Environment { clock, random, mut registry, reports } = environment;
        let db = open_database(&config.database).await?;
        let missing = db.pending_migrations(&MIGRATIONS).await?;
        if !missing.is_empty() {
            return Err(StartupError::NotMigrated(missing.len()));
        }
        let keyring = open_keyring(&config, &*random)?;
        let decisions = DecisionLog::start(db.clone(), Arc::clone(&clock), Arc::clone(&random), &mut registry);
        let sealer = Sealer::new(db.clone(), keyring.clone(), Arc::clone(&clock));
        let maintenance = Maintenance::new(db.clone(), keyring.clone(), Arc::clone(&clock), &config);
        let looks = open_for_looks(&config.database).await?;
        let signals = Signals::new(db.clone(), looks, Arc::clone(&clock));
        let api = Api {
            db: db.clone(),
            clock: Arc::clone(&clock),
            random: Arc::clone(&random),
            cursors: Cursors::new(keyring.derive("api list cursors")).apart_from(&[access::TENANT_PARAMETER]),
            requests: keyring.derive("api idempotency"),
            signals: signals.clone(),
        };

        let gauges = Gauges::register(db.clone(), signals.clone(), Arc::clone(&clock), &mut registry);
        let shared = redis::connect(&config.redis).map_err(|error| StartupError::Redis(error.to_string()))?;
        let limiter = rate_limiter(&config, shared.clone(), Arc::clone(&clock));
        let address = config.http.public_url.url().clone();
        let possession = Data::new(Possession::new(address, Arc::clone(&clock), shared.clone()));
        limiter.register(&mut registry);

        let idp = IdpClient::new(config.idp.url.clone(), config.idp.internal_url.clone(), Arc::clone(&clock))?;
        let refresh = Duration::from_secs(config.idp.refresh_seconds);
        let issuers = Issuers::new(idp.clone(), db.clone(), refresh, Arc::clone(&clock));
        let audiences = vec![config.audience().to_owned(), config.http.public_url.as_str().to_owned()];
        let receiver = Receiver::new(issuers.clone(), audiences, Arc::clone(&clock))
            .authorized_by(config.idp.events_authorization.clone());
        let authenticator = Authenticator::new(issuers.clone(), config.audience().to_owned(), refresh, clock);
        let table = Arc::new(parts.routes.unwrap_or_else(routes::table));
        let revocations = Revocations::new(db.clone(), Arc::clone(&api.clock), signals.clone());
        revocations.load().await?;
        let management = management_client(&config, idp.clone(), Arc::clone(&api.clock), random.clone())?;
        let provider = parts.accounts.unwrap_or_else(|| Arc::new(Connected::new(management.clone())));
        let directory = Arc::new(Directory::new(api.clone(), Arc::clone(&provider)));
        let control = AccessControl::new(
            db.clone(),
            Arc::clone(&api.clock),
            signals.clone(),
            revocations.clone(),
            Arc::new(table.kinds()),
            table.permissions(),
            directory,
        );
        let (forgetful, listening) = (control.clone(), revocations.clone());
        signals.listen(vec![
            Box::new(move |signal| listening.hear(signal)),
            Box::new(move |signal| forgetful.forget(signal)),
        ]);
        let roles: Arc<dyn Recipient> = Arc::new(RolesRecipient::new(api.clone(), Arc::clone(&provider)));
        let deliveries = Deliveries::new(api.clone(), [roles], &mut registry);
        let reconciler = Reconciler::new(api.clone(), Arc::clone(&provider));
        let reviews = RoleReviews::new(api.clone());
        let accounts = Data::new(Accounts { api: api.clone(), provider });
        let tasks = Tasks::new(api.clone(), management.clone(), keyring.clone());
        let verifier = Verifier::new(&config.domains)?;
        let recheck_after = Duration::from_secs(config.domains.recheck_hours * 60 * 60);
        let recheck = Recheck::new(tasks.clone(), verifier.clone(), recheck_after);
        let settings = console_settings(&config);
        let console = Console::new(api.clone(), authenticator.clone(), control.clone(), &idp, &keyring, settings)?;

        let document = openapi::document(&table, &config.http.public_url, &config.console_issuer())?;
        let (api, authenticator, console, document) =
            (Data::new(api), Data::new(authenticator), Data::new(console), Data::new(document));
        let gate = Some(console::gate(console.clone()));
        let origins = AllowedOrigins::new(&config.resource.allowed_origins, issuers.clone());
        let keeper = OriginKeeper::new(db.clone(), origins.clone());
        keeper.load().await?;
        let (control, receiver) = (Data::new(control), Data::new(receiver));
        let address = Data::new(PublicAddress(config.http.public_url.as_str().to_owned()));
        let (log, keys) = (Data::new(decisions.clone()), Data::new(keyring.clone()));
        let (management, shared_tasks, verifier) =
            (Data::new(management), Data::new(tasks.clone()), Data::new(verifier));
        let pushes = limiter.steady(PUSHES);
        let watched = (ManagementClient::clone(&management), signals.clone());
        let add_routes = move |services: &mut ServiceConfig| {
            services
                .app_data(api.clone())
                .app_data(authenticator.clone())
                .app_data(possession.clone())
                .app_data(control.clone())
                .app_data(receiver.clone())
                .app_data(accounts.clone())
                .app_data(management.clone())
                .app_data(shared_tasks.clone())
                .app_data(verifier.clone())
                .app_data(console.clone())
                .app_data(document.clone())
                .app_data(address.clone())
                .app_data(log.clone())
                .app_data(keys.clone());
            table.register(services, &origins, &limiter, &pushes);
        };

        let health = health(&config, db.clone(), keyring, issuers, shared, watched);
        let setup =
            ServerSetup { health, registry, reports, random, gate, ..ServerSetup::new(config.http, config.metrics) };
        let server = Server::bind(setup, add_routes)?;
        Ok(Self {
            server,
            db,
            signals,
            decisions,
            sealer,
            maintenance,
            gauges,
            revocations,
            deliveries,
            reconciler,
            tasks,
            recheck,
            reviews,
            origins: keeper,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.metrics_address()
    }

    /// Serves until it is told to stop by a signal.
    ///
    /// # Errors
    /// [`StartupError::Server`].
    pub async fn run(self) -> Result<(), StartupError> {
        let watching = self.watch();
        let tasks = [tokio::spawn(self.sealer.run()), tokio::spawn(self.maintenance.run())];
        let result = self.server.run().await;
        // A task that is ended in the middle of a transaction leaves it undone, or done as a whole.
        watching.iter().for_each(JoinHandle::abort);
        tasks.iter().for_each(JoinHandle::abort);
        self.decisions.close().await;
        self.signals.close().await;
        self.db.close().await;
        Ok(result?)
    }

    /// Serves on the current runtime until it is stopped through the handle. What runs in the background ends with the
    /// runtime; nothing is sealed or pruned meanwhile.
    pub fn start(self) -> ServerHandle {
        self.watch();
        self.server.start()
    }

    /// Begins what runs in the background.
    fn watch(&self) -> [JoinHandle<()>; 9] {
        [
            self.signals.watch(),
            self.revocations.watch(),
            self.deliveries.watch(),
            self.reconciler.watch(),
            self.tasks.watch(),
            self.recheck.watch(),
            self.gauges.watch(),
            self.reviews.watch(),
            self.origins.watch(),
        ]
    }
}

/// The database of a configuration.
///
/// # Errors
/// When it cannot be reached or is not one.
pub async fn open_database(config: &DatabaseConfig) -> Result<Db, DbError> {
    let url = config.url.expose().parse()?;
    let acquire_timeout = Duration::from_secs(config.acquire_timeout);
    Db::open(&url, PoolOptions { max_connections: config.max_connections, acquire_timeout }).await
}

/// The same with one connection, for what must not wait for those who serve requests.
async fn open_for_looks(config: &DatabaseConfig) -> Result<Db, DbError> {
    let url = config.url.expose().parse()?;
    let acquire_timeout = Duration::from_secs(config.acquire_timeout);
    Db::open(&url, PoolOptions { max_connections: 1, acquire_timeout }).await
}

/// The keys of a configuration. In production a file that others can read is refused.
///
/// # Errors
/// [`KeyringError`].
pub fn open_keyring(config: &Config, random: &dyn Random) -> Result<Keyring, KeyringError> {
    let KeyringConfig { path } = &config.keyring;
    let keyring = Keyring::load_or_create(path, random)?;
    if config.mode.is_production() { Keyring::load_private(path) } else { Ok(keyring) }
}

/// How much may be pushed here from one address that does not prove itself. Looking at it costs a signature.
const PUSHES: LimitConfig = LimitConfig::per_minute(60_000);

/// The limits of a configuration, shared by all replicas where there is a Redis.
fn rate_limiter(config: &Config, shared: Option<redis::Pool>, clock: Arc<dyn Clock>) -> RateLimiter {
    let limiter = RateLimiter::new(&config.rate_limits, clock);
    match shared {
        Some(pool) => limiter.shared_through(pool, Duration::from_millis(config.redis.timeout_ms), "api:rate:"),
        None => limiter,
    }
}

/// The client of the identity provider's management API.
///
/// # Errors
/// [`ClientKeyError`]. That there is no key yet is no error: everything else works without.
pub fn management_client(
    config: &Config,
    idp: IdpClient,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Result<ManagementClient, ClientKeyError> {
    let settings = &config.idp.management;
    let key = ClientKeyFile::load(&settings.key_file)?;
    Ok(ManagementClient::new(idp, &settings.tenant, &settings.client_id, key, clock, random))
}

fn console_settings(config: &Config) -> ConsoleSettings {
    ConsoleSettings {
        public_url: config.http.public_url.clone(),
        tenant: config.console.tenant.clone(),
        client_id: config.console.client_id.clone(),
        idle: Duration::from_secs(config.console.session_idle_minutes * 60),
        absolute: Duration::from_secs(config.console.session_absolute_hours * 60 * 60),
    }
}

/// What has to be there before requests can be answered.
fn health(
    config: &Config,
    db: Db,
    keyring: Keyring,
    issuers: Issuers,
    shared: Option<redis::Pool>,
    (management, signals): (ManagementClient, Signals),
) -> Health {
    const TIME: Duration = Duration::from_secs(3);
    // A probe must not take long for what can be done without.
    const SHORT: Duration = Duration::from_millis(500);
    let migrated = db.clone();
    let issuer = config.console_issuer();
    let mut checks = Health::builder()
        .check("database", TIME, move || {
            let db = db.clone();
            async move { db.ping().await.map_err(|error| hidden(&error, "the database does not answer")) }
        })
        .check("migrations", TIME, move || {
            let db = migrated.clone();
            async move { check_migrations(&db).await }
        })
        .check("keys", TIME, move || {
            let keyring = keyring.clone();
            async move { keyring.check().map_err(|error| hidden(&error, "the keys do not work")) }
        })
        .check("jwks", TIME, move || {
            let (issuers, issuer) = (issuers.clone(), issuer.clone());
            sendable(async move {
                issuers.check(&issuer).await.map_err(|error| hidden(&error, "the identity provider does not answer"))
            })
        });
    // Without it people and tenants are shown, and not changed.
    checks = checks.optional("management", SHORT, move || {
        let management = management.clone();
        sendable(async move { check_management(&management).await })
    });
    // Without them nothing is remembered, and every request asks the database.
    checks = checks.optional("signals", SHORT, move || {
        let is_current = signals.is_current();
        async move { if is_current { Ok(()) } else { Err("changes by other replicas are not seen") } }
    });
    if let Some(pool) = shared {
        // Without it each replica counts requests by itself.
        checks = checks.optional("redis", TIME, move || redis::check(pool.clone()));
    }
    checks.build()
}

fn sendable<T>(future: impl Future<Output = T> + Send) -> impl Future<Output = T> + Send {
    future
}

async fn check_management(management: &ManagementClient) -> Result<(), &'static str> {
    match management.check().await {
        Ok(()) | Err(ManagementError::NotSetUp) => Ok(()),
        Err(error) => Err(hidden(&error, "the identity provider cannot be asked for changes")),
    }
}

async fn check_migrations(db: &Db) -> Result<(), &'static str> {
    match db.pending_migrations(&MIGRATIONS).await {
        Ok(pending) if pending.is_empty() => Ok(()),
        Ok(_) => Err("the tables are not up to date: run `tenantry-api migrate`"),
        Err(error) => Err(hidden(&error, "the database does not answer")),
    }
}

/// What is wrong can name hosts; whoever asks for `/readyz` need not know them.
fn hidden(error: &(dyn std::error::Error + 'static), shown: &'static str) -> &'static str {
    tracing::debug!(error, "{shown}");
    shown
}
