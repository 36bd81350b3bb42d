//! From a configuration to a running server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::HttpServiceFactory;
use actix_web::guard::fn_guard;
use actix_web::http::header;
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use diesel_migrations::embed_migrations;
use tenantry_db::{Db, DbError, Migrations, PoolOptions};
use tenantry_jose::{Keyring, KeyringError};
use tenantry_types::{Clock, Problem, Random, RandomAhead};
use tenantry_web::config::DatabaseConfig;
use tenantry_web::cors;
use tenantry_web::health::Health;
use tenantry_web::problems::{Endpoint, ProblemResponse, endpoint};
use tenantry_web::server::{Environment, Server, ServerError, ServerHandle, ServerSetup};

use crate::clients::{ClientDirectory, origins};
use crate::config::Config;
use crate::credentials::{HasherError, PasswordHasher, Throttle};
use crate::events::push::{self, Receiver};
use crate::events::{Bell, Gauges};
use crate::keys::KeyDirectory;
use crate::keys::store::KeyMaker;
use crate::login::pages;
use crate::oauth::{authorize, token};
use crate::pages::{ASSET_CACHE_CONTROL, PageError, Pages};
use crate::state::{Idp, Secrets};
use crate::tenants::TenantDirectory;
use crate::{keys, maintenance, management, oidc, tenants};

/// The schema, for both databases.
pub static MIGRATIONS: Migrations = Migrations {
    sqlite: embed_migrations!("../migrations/idp/sqlite"),
    mysql: embed_migrations!("../migrations/idp/mysql"),
};

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The database cannot be reached, or its schema is not up to date.
    #[error("database: {0}")]
    Database(#[from] DbError),
    /// Migrations are missing.
    #[error("the database lacks {0} migration(s): run `tenantry-idp migrate`")]
    NotMigrated(usize),
    /// The key-encryption key cannot be read or made.
    #[error("key-encryption key: {0}")]
    Keyring(#[from] KeyringError),
    /// The password hasher does not start.
    #[error("passwords: {0}")]
    Hasher(#[from] HasherError),
    /// A template is broken.
    #[error("pages: {0}")]
    Pages(#[from] PageError),
    /// The way to the receiver of security events cannot be set up.
    #[error("events: {0}")]
    Receiver(String),
    /// Redis is misconfigured.
    #[error("redis: {0}")]
    Redis(String),
    /// An address cannot be listened on.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Opens the database of a configuration.
pub async fn open_database(config: &DatabaseConfig) -> Result<Db, DbError> {
    let url = config.url.expose().parse().map_err(DbError::Url)?;
    let options = PoolOptions {
        max_connections: config.max_connections,
        acquire_timeout: Duration::from_secs(config.acquire_timeout),
    };
    Db::open(&url, options).await
}

/// A server that is bound and not yet serving.
pub struct Application {
    server: Server,
    idp: Data<Idp>,
    maker: KeyMaker,
    receiver: Option<Receiver>,
    gauges: Gauges,
}

impl Application {
    /// Opens everything that the configuration names, and binds.
    ///
    /// # Errors
    /// [`StartupError`].
    pub async fn build(config: Config, environment: Environment) -> Result<Self, StartupError> {
        let Environment { clock, random, mut registry, reports } = environment;
        let gauges = Gauges::register(&mut registry);
        let db = open_database(&config.database).await?;
        let missing = db.pending_migrations(&MIGRATIONS).await?;
        if !missing.is_empty() {
            return Err(StartupError::NotMigrated(missing.len()));
        }
        let keyring = Arc::new(Keyring::load_or_create(&config.keys.key_encryption_file, &*random)?);
        let redis =
            tenantry_web::redis::connect(&config.redis).map_err(|error| StartupError::Redis(error.to_string()))?;
        let hasher = start_hasher(&config, &random)?;
        let remembered = Duration::from_secs(config.cache.seconds);
        let maker = KeyMaker { keyring: Arc::clone(&keyring), clock: Arc::clone(&clock), random: Arc::clone(&random) };
        let setup = ServerSetup {
            health: health(db.clone(), Arc::clone(&keyring), Arc::clone(&clock), redis.as_ref()),
            registry,
            reports,
            random: Arc::clone(&random),
            ..ServerSetup::new(config.http.clone(), config.metrics.clone())
        };
        let idp = Data::new(Idp {
            public_url: config.http.public_url.clone(),
            public_authority: config.http.public_url.authority(),
            tenants: TenantDirectory::new(db.clone(), remembered),
            clients: ClientDirectory::new(db.clone(), remembered),
            keys: KeyDirectory::new(db.clone(), maker.clone(), remembered),
            throttle: redis.map_or_else(Throttle::in_memory, Throttle::in_redis),
            secrets: Secrets::derive(&keyring),
            pages: Pages::new()?,
            token_ids: RandomAhead::new(Arc::clone(&random)),
            maker: maker.clone(),
            bell: Bell::default(),
            hasher,
            db,
            clock,
            random,
            config,
        });
        let receiver = Receiver::configured(&idp).map_err(|error| StartupError::Receiver(error.to_string()))?;
        let routes = idp.clone();
        let server = Server::bind(setup, move |services| configure(services, &routes))?;
        Ok(Self { server, idp, maker, receiver, gauges })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.server.metrics_address()
    }

    /// What its requests share.
    pub fn state(&self) -> Data<Idp> {
        self.idp.clone()
    }

    /// Serves until the process is told to stop.
    pub async fn run(self) -> Result<(), StartupError> {
        let maintenance = actix_web::rt::spawn(look_after(self.idp.clone(), self.maker, self.gauges));
        let delivery = self.receiver.map(|receiver| actix_web::rt::spawn(push::run(self.idp.clone(), receiver)));
        let result = self.server.run().await;
        maintenance.abort();
        // An event whose delivery is cut short here is delivered again: its lease ends by itself.
        if let Some(delivery) = delivery {
            delivery.abort();
        }
        self.idp.db.close().await;
        Ok(result?)
    }

    /// Serves until it is stopped through the handle, and delivers events until the runtime ends.
    pub fn start(self) -> ServerHandle {
        if let Some(receiver) = self.receiver {
            actix_web::rt::spawn(push::run(self.idp.clone(), receiver));
        }
        self.server.start()
    }
}

fn start_hasher(config: &Config, random: &Arc<dyn Random>) -> Result<PasswordHasher, HasherError> {
    let passwords = &config.passwords;
    let threads = match passwords.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    };
    PasswordHasher::start(
        Arc::clone(random),
        passwords.argon2_memory_kib,
        passwords.argon2_passes,
        threads,
        passwords.queue,
    )
}

fn health(db: Db, keyring: Arc<Keyring>, clock: Arc<dyn Clock>, redis: Option<&deadpool_redis::Pool>) -> Health {
    let (reachable, schema) = (db.clone(), db.clone());
    let time = Duration::from_secs(2);
    let mut checks = Health::builder()
        .check("database", time, move || {
            let db = reachable.clone();
            async move { db.ping().await.map_err(|_| "the database does not answer") }
        })
        .check("migrations", time, move || {
            let db = schema.clone();
            async move {
                match db.pending_migrations(&MIGRATIONS).await {
                    Ok(missing) if missing.is_empty() => Ok(()),
                    Ok(_) => Err("migrations are missing"),
                    Err(_) => Err("the database does not answer"),
                }
            }
        })
        .check("keys", time, move || {
            let (db, keyring, now) = (db.clone(), Arc::clone(&keyring), clock.now());
            async move {
                keyring.check().map_err(|_| "the key-encryption keys do not work")?;
                let opened = db.read(move |conn| keys::store::check(conn, &keyring, now, 1)).await;
                opened.map(|_| ()).map_err(|_| "the signing keys cannot be read")
            }
        });
    if let Some(pool) = redis {
        let pool = pool.clone();
        checks = checks.check("redis", time, move || tenantry_web::redis::check(pool.clone()));
    }
    checks.build()
}

/// What is done once a minute, whoever asks for what.
async fn look_after(idp: Data<Idp>, maker: KeyMaker, gauges: Gauges) {
    loop {
        actix_web::rt::time::sleep(Duration::from_secs(60)).await;
        match maintenance::sweep(&idp.db, idp.clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "expired rows deleted"),
            Err(error) => tracing::warn!(%error, "expired rows could not be deleted"),
        }
        if let Err(error) = gauges.count(&idp.db).await {
            tracing::debug!(%error, "waiting security events could not be counted");
        }
        match push::prune(&idp, idp.clock.now()).await {
            Ok(0) => {}
            Ok(rows) => tracing::debug!(rows, "old security events deleted"),
            Err(error) => tracing::warn!(%error, "old security events could not be deleted"),
        }
        match keys::rotation::rotate_due(&idp.db, &maker, &idp.config).await {
            Ok(0) => {}
            Ok(tenants) => tracing::info!(tenants, "signing keys rotated"),
            Err(error) => tracing::error!(%error, "signing keys could not be rotated"),
        }
    }
}

/// All routes. The endpoints of an issuer are there twice: below `/t/{slug}`, and at the root for login domains.
pub fn configure(services: &mut ServiceConfig, idp: &Data<Idp>) {
    services.app_data(idp.clone());
    management::configure(services, &idp.public_url);
    services.service(endpoint("/.well-known/tenantry/issuer").get(tenants::routes::issuer));
    // RFC 8414 §3: the path of the issuer comes after the well-known part.
    services.service(
        endpoint("/.well-known/oauth-authorization-server/t/{slug}")
            .get(oidc::authorization_server_metadata)
            .into_resource()
            .wrap(cors::public()),
    );
    services.service(endpoint("/assets/{name}").get(asset));
    services.service(web::scope("/t/{slug}").configure(issuer_routes));
    issuer_routes(services);
}

fn issuer_routes(services: &mut ServiceConfig) {
    services
        .service(
            endpoint("/.well-known/openid-configuration")
                .get(oidc::openid_configuration)
                .into_resource()
                .wrap(cors::public()),
        )
        .service(
            endpoint("/.well-known/oauth-authorization-server")
                .get(oidc::authorization_server_metadata)
                .into_resource()
                .wrap(cors::public()),
        )
        .service(endpoint("/oauth2/jwks").get(keys::jwks).into_resource().wrap(cors::public()))
        .service(for_people(endpoint("/oauth2/authorize").get(authorize::by_get).post(authorize::by_post)))
        // Without an origin it comes from no script of a page, and CORS has nothing to say.
        .service(
            endpoint("/oauth2/token")
                .post(token::token)
                .into_resource()
                .guard(fn_guard(|request| !request.head().headers().contains_key(header::ORIGIN))),
        )
        .service(
            endpoint("/oauth2/token")
                .post(token::token)
                .into_resource()
                .wrap(cors::by_origin(|_, _| true))
                .wrap(from_fn(origins::only_of_clients)),
        )
        .service(
            endpoint("/oauth2/userinfo")
                .get(oidc::userinfo)
                .post(oidc::userinfo)
                .into_resource()
                .wrap(cors::by_origin(|_, _| true))
                .wrap(from_fn(origins::only_of_clients)),
        )
        .service(for_people(
            endpoint("/oauth2/end_session").get(oidc::logout::end_session).post(oidc::logout::end_session),
        ))
        .service(for_people(endpoint("/sign-in").get(authorize::sign_in::show).post(authorize::sign_in::submit)))
        .service(for_people(endpoint("/consent").get(authorize::consent::show).post(authorize::consent::decide)));
}

/// A route that browsers go to: its problems are pages.
fn for_people(endpoint: Endpoint) -> impl HttpServiceFactory {
    endpoint.into_resource().wrap(from_fn(pages::problems_as_pages))
}

/// The stylesheet, script and icon of the pages, whose names change with what is in them.
async fn asset(idp: Data<Idp>, request: HttpRequest) -> Result<HttpResponse, ProblemResponse> {
    let asset = idp.pages.asset(request.path()).ok_or_else(|| ProblemResponse::from(Problem::not_found()))?;
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, ASSET_CACHE_CONTROL))
        .body(asset.body.clone()))
}
