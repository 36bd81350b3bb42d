//! The configuration, by section. `docs/configuration.md` is made from it.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_types::{Origin, PublicUrl, Slug};
use tenantry_web::config::{
    Configuration, DatabaseConfig, HttpConfig, MetricsConfig, Mode, RedisConfig, Secret, SentryConfig, TelemetryConfig,
    Violation,
};
use tenantry_web::rate_limit::RateLimitsConfig;

/// What its variables begin with.
pub const PREFIX: &str = "TENANTRY_API";

/// The configuration of `tenantry-api`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How strict start-up is.
    pub mode: Mode,
    /// Where it listens and how it is reached.
    pub http: HttpConfig,
    /// Where the rows are kept.
    pub database: DatabaseConfig,
    /// The identity provider.
    pub idp: IdpConfig,
    /// What the API is to those who call it.
    pub resource: ResourceConfig,
    /// The domains of tenants.
    pub domains: DomainsConfig,
    /// The console.
    pub console: ConsoleConfig,
    /// The keys that protect data at rest.
    pub keyring: KeyringConfig,
    /// The audit trail.
    pub audit: AuditConfig,
    /// The log of decisions: who was allowed or refused what.
    pub access_log: AccessLogConfig,
    /// Messages to other services.
    pub outbox: OutboxConfig,
    /// Redis, where replicas count requests together. While it is away each counts by itself.
    pub redis: RedisConfig,
    /// How many requests somebody may make.
    pub rate_limits: RateLimitsConfig,
    /// The log.
    pub telemetry: TelemetryConfig,
    /// The address for Prometheus.
    pub metrics: MetricsConfig,
    /// Reporting of errors.
    pub sentry: SentryConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            http: HttpConfig::on_port(8081),
            database: DatabaseConfig::at("sqlite://data/api.db"),
            idp: IdpConfig::default(),
            resource: ResourceConfig::default(),
            domains: DomainsConfig::default(),
            console: ConsoleConfig::default(),
            keyring: KeyringConfig::default(),
            audit: AuditConfig::default(),
            access_log: AccessLogConfig::default(),
            outbox: OutboxConfig::default(),
            redis: RedisConfig::default(),
            rate_limits: RateLimitsConfig::default(),
            telemetry: TelemetryConfig::default(),
            metrics: MetricsConfig { listen: Some(([127, 0, 0, 1], 9081).into()) },
            sentry: SentryConfig::default(),
        }
    }
}

/// The identity provider whose tenants' tokens are accepted. Nothing else is called.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct IdpConfig {
    /// Its public URL: what its issuers begin with. Must be `https` in production, except on loopback.
    #[schemars(with = "String")]
    pub url: PublicUrl,
    /// Where this service reaches it, when that is another way than the public one.
    #[schemars(with = "Option<String>")]
    pub internal_url: Option<PublicUrl>,
    /// Seconds after which the keys and the tenant of an issuer are asked for again, and verified tokens are verified
    /// again.
    #[schemars(range(min = 10, max = 3600))]
    pub refresh_seconds: u64,
    /// What its `events.authorization` is: security events that come with another `Authorization` header, or with none, are
    /// not read. Not set: they prove themselves by their signature alone.
    pub events_authorization: Option<Secret>,
    /// How this service manages tenants and people there.
    pub management: ManagementConfig,
}

/// The client that this service is at the identity provider's management API.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ManagementConfig {
    /// The platform tenant, where the client is registered.
    #[schemars(with = "String")]
    pub tenant: Slug,
    /// What it is registered as: a machine with `private_key_jwt` and the scope
    /// `admin.read admin.tenants admin.users admin.clients`.
    pub client_id: String,
    /// The file with its private key (PEM), which `tenantry-api keys client` makes. Every replica needs the same file.
    #[schemars(with = "String")]
    pub key_file: PathBuf,
}

impl Default for ManagementConfig {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "the text is a slug")]
        let tenant = "platform".parse().expect("a slug");
        Self { tenant, client_id: "tenantry-api".to_owned(), key_file: "data/api-client.pem".into() }
    }
}

impl Default for IdpConfig {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "the text is a URL")]
        let url = "http://localhost:8080".parse().expect("a public URL");
        Self {
            url,
            internal_url: None,
            refresh_seconds: 300,
            events_authorization: None,
            management: ManagementConfig::default(),
        }
    }
}

/// What the API is to those who call it.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResourceConfig {
    /// The identifier that access tokens must have as `aud`. Not set: `http.public_url`.
    pub identifier: Option<String>,
    /// The origins whose scripts may call the API for every tenant, as `https://app.example.com`. Those of a tenant's own
    /// clients need not be here: the identity provider says which they are.
    #[schemars(with = "Vec<String>")]
    pub allowed_origins: Vec<Origin>,
}

/// How it is found out that a domain is a tenant's own.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DomainsConfig {
    /// The name servers that are asked, as `192.0.2.53:53`. None: those of the system.
    #[schemars(with = "Vec<String>")]
    pub name_servers: Vec<SocketAddr>,
    /// The port at which the file of a domain is asked for.
    #[schemars(range(min = 1, max = 65535))]
    pub http_port: u16,
    /// Whether files are asked for at addresses that are not public too: for tests. Not in production.
    pub allow_private_addresses: bool,
    /// Hours after which it is found out again.
    #[schemars(range(min = 1, max = 720))]
    pub recheck_hours: u64,
}

impl Default for DomainsConfig {
    fn default() -> Self {
        Self { name_servers: Vec::new(), http_port: 80, allow_private_addresses: false, recheck_hours: 24 }
    }
}

impl DomainsConfig {
    fn validate(&self, mode: Mode) -> Vec<Violation> {
        let mut violations = Vec::new();
        if mode.is_production() && self.allow_private_addresses {
            violations.push(Violation::new("allow_private_addresses", "must not be set in production"));
        }
        violations
    }
}

/// The console, which signs people in at the identity provider.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConsoleConfig {
    /// The tenant that is proposed for signing in.
    #[schemars(with = "String")]
    pub tenant: Slug,
    /// What the console is called as a client of every tenant.
    pub client_id: String,
    /// Minutes without use after which a session ends.
    #[schemars(range(min = 1, max = 1440))]
    pub session_idle_minutes: u64,
    /// Hours after which a session ends in any case.
    #[schemars(range(min = 1, max = 720))]
    pub session_absolute_hours: u64,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        #[allow(clippy::expect_used, reason = "the text is a slug")]
        let tenant = "demo".parse().expect("a slug");
        Self { tenant, client_id: "tenantry-console".to_owned(), session_idle_minutes: 60, session_absolute_hours: 12 }
    }
}

/// The keys that protect data at rest.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KeyringConfig {
    /// The file with the key-encryption keys (a JWK Set, the newest first). It is made on first start, for its owner only.
    /// Every replica needs the same file.
    #[schemars(with = "String")]
    pub path: PathBuf,
}

impl Default for KeyringConfig {
    fn default() -> Self {
        Self { path: "data/api.key".into() }
    }
}

/// The audit trail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AuditConfig {
    /// Days for which entries are kept; 0 keeps them for ever. What is older goes in whole sealed batches, whose signed
    /// headers stay, so that what is left can still be verified.
    #[schemars(range(max = 36500))]
    pub retention_days: u32,
}

/// The log of decisions: who was allowed or refused what.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AccessLogConfig {
    /// Days for which decisions are kept; 0 keeps them for ever.
    #[schemars(range(max = 36500))]
    pub retention_days: u32,
}

impl Default for AccessLogConfig {
    fn default() -> Self {
        Self { retention_days: 90 }
    }
}

/// Messages to other services, which are kept until they arrive.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OutboxConfig {
    /// Days for which messages that arrived, and those that nobody takes, are kept.
    #[schemars(range(min = 1, max = 3650))]
    pub retention_days: u32,
    /// Days for which messages that were refused for good are kept, for operators to look at.
    #[schemars(range(min = 1, max = 3650))]
    pub refused_retention_days: u32,
}

impl Default for OutboxConfig {
    fn default() -> Self {
        Self { retention_days: 7, refused_retention_days: 90 }
    }
}

impl OutboxConfig {
    fn validate(&self) -> Vec<Violation> {
        let days = [("retention_days", self.retention_days), ("refused_retention_days", self.refused_retention_days)];
        let wrong = days.into_iter().filter(|(_, days)| !(1..=3_650).contains(days));
        wrong.map(|(key, _)| Violation::new(key, "must be 1 to 3650")).collect()
    }
}

impl Config {
    /// The identifier that access tokens must have as `aud`.
    pub fn audience(&self) -> &str {
        self.resource.identifier.as_deref().unwrap_or(self.http.public_url.as_str())
    }

    /// The issuer of the tenant that the console proposes.
    pub fn console_issuer(&self) -> String {
        format!("{}/t/{}", self.idp.url.as_str(), self.console.tenant)
    }
}

impl Configuration for Config {
    fn validate(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        violations.extend(Violation::under("http", self.http.validate(self.mode)));
        violations.extend(Violation::under("database", self.database.validate()));
        violations.extend(Violation::under("redis", self.redis.validate()));
        violations.extend(Violation::under("outbox", self.outbox.validate()));
        violations.extend(Violation::under("rate_limits", self.rate_limits.validate()));
        violations.extend(Violation::under("telemetry", self.telemetry.validate()));
        violations.extend(Violation::under("sentry", self.sentry.validate()));
        if self.mode.is_production() && !self.idp.url.is_https() && !self.idp.url.is_loopback() {
            violations.push(Violation::new("idp.url", "must be https in production, except on loopback"));
        }
        if self.resource.identifier.as_deref().is_some_and(str::is_empty) {
            violations.push(Violation::new("resource.identifier", "must not be empty"));
        }
        if self.idp.events_authorization.as_ref().is_some_and(|value| value.expose().is_empty()) {
            violations.push(Violation::new("idp.events_authorization", "must not be empty"));
        }
        if self.idp.management.client_id.is_empty() {
            violations.push(Violation::new("idp.management.client_id", "must not be empty"));
        }
        violations.extend(Violation::under("domains", self.domains.validate(self.mode)));
        if self.console.client_id.is_empty() {
            violations.push(Violation::new("console.client_id", "must not be empty"));
        }
        if self.console.session_idle_minutes > self.console.session_absolute_hours * 60 {
            violations.push(Violation::new(
                "console.session_idle_minutes",
                "must not be longer than console.session_absolute_hours",
            ));
        }
        if self.mode.is_production() && matches!(tenantry_jose::permissions_are_private(&self.keyring.path), Ok(false))
        {
            violations.push(Violation::new(
                "keyring.path",
                "must be a file that only its owner can read (mode 0600) in production",
            ));
        }
        violations
    }
}
