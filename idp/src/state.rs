//! What every request needs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenantry_db::{Connection, Db, DbError};
use tenantry_jose::{HmacKey, Keyring};
use tenantry_types::{Clock, PublicUrl, Random, RandomAhead};
use tenantry_web::listing::Cursors;

use crate::clients::ClientDirectory;
use crate::config::Config;
use crate::credentials::{PasswordHasher, Throttle};
use crate::events::Bell;
use crate::keys::KeyDirectory;
use crate::keys::store::KeyMaker;
use crate::pages::Pages;
use crate::provision::Provisioner;
use crate::tenants::TenantDirectory;

/// How wide a clock of another machine may be off, in seconds.
pub const CLOCK_LEEWAY_SECONDS: u64 = 30;

/// What every request needs. One for each server; nothing is global.
pub struct Idp {
    /// The configuration.
    pub config: Config,
    /// The address under which clients reach us.
    pub public_url: PublicUrl,
    /// Its host, and port where it is not the scheme's own.
    pub public_authority: String,
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Randomness for the names of tokens.
    pub token_ids: RandomAhead<16>,
    /// Tenants by slug and domain.
    pub tenants: TenantDirectory,
    /// Clients by name.
    pub clients: ClientDirectory,
    /// Signing keys by tenant.
    pub keys: KeyDirectory,
    /// The password hasher.
    pub hasher: PasswordHasher,
    /// The login throttle.
    pub throttle: Throttle,
    /// The hosted pages.
    pub pages: Pages,
    /// Keys for tags that only we can make.
    pub secrets: Secrets,
    /// Makes signing keys.
    pub maker: KeyMaker,
    /// Wakes the worker that delivers security events.
    pub bell: Bell,
}

impl fmt::Debug for Idp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Idp").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

/// Keys for tags that only we can make, one for each purpose. All replicas derive the same from the key-encryption key.
#[derive(Debug, Clone)]
pub struct Secrets {
    /// Authorization requests on their way through the pages.
    pub interaction: HmacKey,
    /// Forms of the pages.
    pub forms: HmacKey,
    /// Browsers that signed in before.
    pub device: HmacKey,
    /// Successors of refresh tokens.
    pub refresh_chain: HmacKey,
    /// Cursors of the management API's lists.
    pub cursors: Cursors,
}

impl Secrets {
    /// Derived from the key-encryption key.
    pub fn derive(keyring: &Keyring) -> Self {
        Self {
            interaction: keyring.derive("idp interaction"),
            forms: keyring.derive("idp forms"),
            device: keyring.derive("idp device"),
            refresh_chain: keyring.derive("idp refresh chain"),
            cursors: Cursors::new(keyring.derive("idp management cursors")),
        }
    }
}

/// What a unit of work on the database takes with it to its thread.
#[derive(Debug, Clone)]
pub struct Parts {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Successors of refresh tokens.
    pub refresh_chain: HmacKey,
    /// How long a used refresh token still gives the same successor.
    pub refresh_grace: Duration,
    /// How long a refresh token is good after its last use, in seconds.
    pub refresh_idle_seconds: u64,
    /// How long refresh tokens of one grant are good in all, in seconds.
    pub refresh_absolute_seconds: u64,
}

impl Idp {
    /// What a unit of work on the database takes with it to its thread.
    pub fn parts(&self) -> Parts {
        let tokens = &self.config.tokens;
        Parts {
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
            refresh_chain: self.secrets.refresh_chain.clone(),
            refresh_grace: Duration::from_secs(tokens.refresh_grace_seconds),
            refresh_idle_seconds: tokens.refresh_idle_seconds,
            refresh_absolute_seconds: tokens.refresh_absolute_seconds,
        }
    }

    /// What `aud` of a token for the management API says.
    pub fn management_audience(&self) -> String {
        format!("{}/admin/v1", self.public_url.as_str())
    }

    /// A transaction that may write security events: the worker is woken after it is committed. See [`Db::write`].
    ///
    /// # Errors
    /// Those of [`Db::write`].
    pub async fn change<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let result = self.db.write(work).await?;
        self.bell.ring();
        Ok(result)
    }

    /// What tenants are made with.
    pub fn provisioner(&self) -> Provisioner {
        Provisioner {
            maker: self.maker.clone(),
            console: self.config.console.url.clone(),
            public_url: self.public_url.clone(),
        }
    }

    /// A `jti` that no other token has: 128 random bits.
    pub fn new_token_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.token_ids.next())
    }
}
