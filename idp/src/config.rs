//! The configuration, by section. `docs/configuration.md` is made from it.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use actix_web::http::header::HeaderValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_types::PublicUrl;
use tenantry_web::config::{
    Configuration, DatabaseConfig, HttpConfig, MetricsConfig, Mode, RedisConfig, Secret, SentryConfig, TelemetryConfig,
    Violation,
};

/// The configuration of `tenantry-idp`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// `development`, or `production`, which refuses insecure settings.
    pub mode: Mode,
    /// Where it listens and how it is reached.
    pub http: HttpConfig,
    /// Where the rows are kept.
    pub database: DatabaseConfig,
    /// The shared counters of several replicas.
    pub redis: RedisConfig,
    /// Logs and traces.
    pub telemetry: TelemetryConfig,
    /// The address for Prometheus.
    pub metrics: MetricsConfig,
    /// Reporting of errors.
    pub sentry: SentryConfig,
    /// Signing keys and the key that encrypts them.
    pub keys: KeysConfig,
    /// Tokens and codes.
    pub tokens: TokensConfig,
    /// Sessions of browsers.
    pub sessions: SessionsConfig,
    /// Passwords.
    pub passwords: PasswordsConfig,
    /// Security events for a receiver.
    pub events: EventsConfig,
    /// The caches of this process.
    pub cache: CacheConfig,
    /// The administration console, which every tenant knows as a client of its own house.
    pub console: ConsoleConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            http: HttpConfig::on_port(8080),
            database: DatabaseConfig::at("sqlite://data/idp.db"),
            redis: RedisConfig::default(),
            telemetry: TelemetryConfig::default(),
            metrics: MetricsConfig { listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 9080))) },
            sentry: SentryConfig::default(),
            keys: KeysConfig::default(),
            tokens: TokensConfig::default(),
            sessions: SessionsConfig::default(),
            passwords: PasswordsConfig::default(),
            events: EventsConfig::default(),
            cache: CacheConfig::default(),
            console: ConsoleConfig::default(),
        }
    }
}

/// The administration console.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The public address of the service that hosts it. New tenants register their console there.
    #[schemars(with = "String")]
    pub url: PublicUrl,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "a constant")]
        Self { url: "http://localhost:8081".parse().expect("a public URL") }
    }
}

/// Signing keys and the key that encrypts them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeysConfig {
    /// The file with the key-encryption keys (a JWK Set, the newest first). It is made on first start, readable by its
    /// owner only. Every replica needs the same file.
    pub key_encryption_file: PathBuf,
    /// How long a new signing key is published before it signs, in seconds. Must be longer than anybody caches the key
    /// set.
    pub publish_ahead_seconds: u64,
    /// After how many days of signing a key is replaced by a new one by itself; 0 for only by `keys rotate`.
    #[schemars(range(max = 3650))]
    pub rotate_after_days: u32,
    /// How long others may cache the key set, in seconds.
    pub jwks_max_age_seconds: u64,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            key_encryption_file: "data/idp.keys.json".into(),
            publish_ahead_seconds: 3_600,
            rotate_after_days: 90,
            jwks_max_age_seconds: 300,
        }
    }
}

/// Tokens and codes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TokensConfig {
    /// The resource server that access tokens are for: their `aud`.
    pub audience: String,
    /// How long an access token is good, in seconds.
    pub access_token_seconds: u64,
    /// How long an ID token is good, in seconds.
    pub id_token_seconds: u64,
    /// How long an authorization code is good, in seconds (RFC 6749 §4.1.2: 600 at most).
    pub code_seconds: u64,
    /// How long a refresh token is good after its last use, in seconds.
    pub refresh_idle_seconds: u64,
    /// How long refresh tokens of one grant are good in all, in seconds.
    pub refresh_absolute_seconds: u64,
    /// How long a refresh token that was just used still gives the same successor, for tabs that refresh at once, in
    /// seconds.
    pub refresh_grace_seconds: u64,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self {
            audience: "http://localhost:8081".into(),
            access_token_seconds: 900,
            id_token_seconds: 3_600,
            code_seconds: 60,
            refresh_idle_seconds: 14 * 86_400,
            refresh_absolute_seconds: 90 * 86_400,
            refresh_grace_seconds: 10,
        }
    }
}

/// Sessions of browsers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionsConfig {
    /// How long a session lasts without being used, in seconds.
    pub idle_seconds: u64,
    /// How long a session lasts in all, in seconds.
    pub absolute_seconds: u64,
}

impl Default for SessionsConfig {
    fn default() -> Self {
        Self { idle_seconds: 8 * 3_600, absolute_seconds: 7 * 86_400 }
    }
}

/// Passwords.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordsConfig {
    /// The memory that one hash takes (argon2's m), in KiB.
    pub argon2_memory_kib: u32,
    /// The passes over it (argon2's t).
    pub argon2_passes: u32,
    /// The threads that hash; 0 is one for each core.
    pub threads: usize,
    /// How many may wait for a thread before further ones are told to come back.
    pub queue: usize,
}

impl Default for PasswordsConfig {
    fn default() -> Self {
        // The OWASP recommendation for argon2id with one lane.
        Self { argon2_memory_kib: 19_456, argon2_passes: 2, threads: 0, queue: 64 }
    }
}

/// Security events: what happens to people, sessions and tenants, as signed tokens (RFC 8417) pushed to one receiver
/// (RFC 8935).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    /// Where events are posted. Without it none are, and they are deleted after `retention_days` like those that were.
    #[schemars(with = "Option<String>")]
    pub push_url: Option<PublicUrl>,
    /// What their `aud` says; if it is not set, the origin of `push_url`.
    pub audience: Option<String>,
    /// The value of the `Authorization` header that the receiver asks for, as in `Bearer …`.
    pub authorization: Option<Secret>,
    /// How many events of one tenant are delivered before it is the turn of others.
    #[schemars(range(min = 1, max = 1000))]
    pub batch: u32,
    /// How many days events are kept after they were delivered or refused. Those that wait are kept until they are
    /// delivered.
    #[schemars(range(min = 1, max = 3650))]
    pub retention_days: u32,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self { push_url: None, audience: None, authorization: None, batch: 100, retention_days: 30 }
    }
}

/// The caches of this process.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CacheConfig {
    /// How long tenants, clients and keys are remembered, in seconds: how late another replica sees a change.
    pub seconds: u64,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { seconds: 5 }
    }
}

impl Configuration for Config {
    fn validate(&self) -> Vec<Violation> {
        let mut wrong: Vec<Violation> = Violation::under("http", self.http.validate(self.mode))
            .chain(Violation::under("database", self.database.validate()))
            .chain(Violation::under("redis", self.redis.validate()))
            .chain(Violation::under("telemetry", self.telemetry.validate()))
            .chain(Violation::under("sentry", self.sentry.validate()))
            .collect();
        let mut require = |good: bool, key: &str, message: &str| {
            if !good {
                wrong.push(Violation::new(key, message));
            }
        };
        let (tokens, sessions, keys, passwords) = (&self.tokens, &self.sessions, &self.keys, &self.passwords);
        let lifetime = 30..=86_400;
        require((10..=600).contains(&tokens.code_seconds), "tokens.code_seconds", "must be 10 to 600");
        require(lifetime.contains(&tokens.access_token_seconds), "tokens.access_token_seconds", "must be 30 to 86400");
        require(lifetime.contains(&tokens.id_token_seconds), "tokens.id_token_seconds", "must be 30 to 86400");
        require(tokens.refresh_grace_seconds <= 60, "tokens.refresh_grace_seconds", "must be 60 at most");
        require(
            (60..=tokens.refresh_absolute_seconds).contains(&tokens.refresh_idle_seconds),
            "tokens.refresh_idle_seconds",
            "must be 60 to tokens.refresh_absolute_seconds",
        );
        require(!tokens.audience.is_empty(), "tokens.audience", "must not be empty");
        require(
            (60..=sessions.absolute_seconds).contains(&sessions.idle_seconds),
            "sessions.idle_seconds",
            "must be 60 to sessions.absolute_seconds",
        );
        require(
            keys.publish_ahead_seconds >= keys.jwks_max_age_seconds + self.cache.seconds,
            "keys.publish_ahead_seconds",
            "must be at least keys.jwks_max_age_seconds plus cache.seconds",
        );
        require(keys.rotate_after_days <= 3_650, "keys.rotate_after_days", "must be 3650 at most");
        require(
            (8..=1_048_576).contains(&passwords.argon2_memory_kib),
            "passwords.argon2_memory_kib",
            "must be 8 to 1048576",
        );
        require((1..=64).contains(&passwords.argon2_passes), "passwords.argon2_passes", "must be 1 to 64");
        require((1..=100_000).contains(&passwords.queue), "passwords.queue", "must be 1 to 100000");
        let events = &self.events;
        require((1..=1_000).contains(&events.batch), "events.batch", "must be 1 to 1000");
        require((1..=3_650).contains(&events.retention_days), "events.retention_days", "must be 1 to 3650");
        let header = events.authorization.as_ref().is_none_or(|value| HeaderValue::from_str(value.expose()).is_ok());
        require(header, "events.authorization", "must be the value of a header");
        require(
            events.audience.as_ref().is_none_or(|audience| !audience.is_empty()),
            "events.audience",
            "must not be empty",
        );
        require(self.cache.seconds <= 60, "cache.seconds", "must be 60 at most");
        if self.mode.is_production() {
            let safe = events.push_url.as_ref().is_none_or(|url| url.is_https() || url.is_loopback());
            require(safe, "events.push_url", "must use https in production");
            // A file that is not there yet is made private.
            let private = tenantry_jose::permissions_are_private(&keys.key_encryption_file).unwrap_or(true);
            require(
                private,
                "keys.key_encryption_file",
                "must be readable by its owner only (mode 0600) in production",
            );
            require(
                passwords.argon2_memory_kib >= 19_456,
                "passwords.argon2_memory_kib",
                "must be 19456 or more in production",
            );
        }
        wrong
    }
}
