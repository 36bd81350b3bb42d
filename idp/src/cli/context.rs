//! What commands on the database need.

use std::path::Path;
use std::sync::Arc;

use tenantry_db::{Db, TenantScope};
use tenantry_jose::Keyring;
use tenantry_types::{Clock, Random, Slug, SystemClock, SystemRandom};
use tenantry_web::command_line::{CommandError, Output};

use crate::audit::Author;
use crate::config::Config;
use crate::keys::store::KeyMaker;
use crate::provision::Provisioner;
use crate::startup::{MIGRATIONS, StartupError, open_database};
use crate::tenants::{self, Tenant, TenantError};

/// What variables of the environment begin with.
pub const PREFIX: &str = "TENANTRY_IDP";

/// Reads the configuration.
pub fn load(file: Option<&Path>) -> Result<Config, CommandError> {
    Ok(tenantry_web::config::load(PREFIX, file)?)
}

/// Brings the schema up to date.
pub async fn migrate(config: &Config, output: Output) -> Result<(), CommandError> {
    let applied = open_database(&config.database).await?.migrate(&MIGRATIONS).await?;
    output.migrated(&applied);
    Ok(())
}

/// What commands on the database need.
pub struct Context {
    /// The configuration.
    pub config: Config,
    /// The database.
    pub db: Db,
    /// What keys are made and read with.
    pub maker: KeyMaker,
}

impl Context {
    /// Opens what the configuration names.
    pub async fn open(file: Option<&Path>) -> Result<Self, CommandError> {
        let config = load(file)?;
        let db = open_database(&config.database).await?;
        let missing = db.pending_migrations(&MIGRATIONS).await?.len();
        if missing > 0 {
            return Err(StartupError::NotMigrated(missing).into());
        }
        let keyring = Keyring::load_or_create(&config.keys.key_encryption_file, &SystemRandom)?;
        let maker =
            KeyMaker { keyring: Arc::new(keyring), clock: Arc::new(SystemClock), random: Arc::new(SystemRandom) };
        Ok(Self { config, db, maker })
    }

    /// The time.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.maker.clock)
    }

    /// Randomness.
    pub fn random(&self) -> Arc<dyn Random> {
        Arc::clone(&self.maker.random)
    }

    /// The operator, as the author of changes.
    pub fn author(&self) -> Author {
        Author::operator(self.clock(), self.random())
    }

    /// What tenants are made with.
    pub fn provisioner(&self) -> Provisioner {
        Provisioner {
            maker: self.maker.clone(),
            console: self.config.console.url.clone(),
            public_url: self.config.http.public_url.clone(),
        }
    }

    /// The tenant of this name, with a scope for work on it that the operator asked for.
    pub async fn tenant(&self, slug: &Slug) -> Result<(Tenant, TenantScope), CommandError> {
        let wanted = slug.clone();
        let tenant = self.db.read(move |conn| tenants::store::find_by_slug(conn, &wanted)).await?;
        let tenant = tenant.ok_or_else(|| TenantError::Unknown(slug.to_string()))?;
        let scope = TenantScope::system(tenant.id, "command line");
        Ok((tenant, scope))
    }
}
