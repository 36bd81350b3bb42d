#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::ffi::OsString;
use std::io::Write as _;

use super::*;

#[derive(Debug, Default, Serialize, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct TestConfig {
    /// How strict start-up is.
    mode: Mode,
    http: HttpConfig,
    database: DatabaseConfig,
    redis: RedisConfig,
    telemetry: TelemetryConfig,
    metrics: MetricsConfig,
    sentry: SentryConfig,
    passwords: Passwords,
}

/// Password hashing.
#[derive(Debug, Serialize, serde::Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct Passwords {
    /// Kibibytes |
    /// of memory.
    memory: u32,
    /// Mixed into every hash.
    pepper: Option<Secret>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self { memory: 19_456, pepper: None }
    }
}

impl Configuration for TestConfig {
    fn validate(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        violations.extend(Violation::under("http", self.http.validate(self.mode)));
        violations.extend(Violation::under("database", self.database.validate()));
        violations.extend(Violation::under("redis", self.redis.validate()));
        violations.extend(Violation::under("telemetry", self.telemetry.validate()));
        violations.extend(Violation::under("sentry", self.sentry.validate()));
        violations
    }
}

fn load_text(file: &str, variables: &[(&str, &str)]) -> Result<TestConfig, ConfigError> {
    let mut on_disk = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let environment = variables.iter().map(|(k, v)| (OsString::from(k), OsString::from(v))).collect();
    load_from("TENANTRY_TEST", &Sources { file: Some(on_disk.path().to_owned()), environment })
}

/// Each problem as `key (file|variable NAME|default value): reason`.
fn problems(file: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let error = load_text(file, variables).unwrap_err();
    let text = |p: &ConfigProblem| match &p.source {
        Source::File(path) => p.to_string().replace(&format!("file {}", path.display()), "file"),
        _ => p.to_string(),
    };
    error.problems.iter().map(text).collect()
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_the_defaults() {
    let config = load_text(
        "mode = \"production\"\n[http]\nworkers = 3\nbody_limit = 2048\ntrusted_proxies = [\"10.0.0.0/8\"]\n",
        &[
            ("TENANTRY_TEST__HTTP__WORKERS", "5"),
            ("TENANTRY_TEST__HTTP__TRUST_FORWARDED_HOST", "true"),
            ("TENANTRY_TEST__HTTP__TRUSTED_PROXIES", "192.168.0.0/16, fd00::/8"),
            ("TENANTRY_TEST__TELEMETRY__FORMAT", "json"),
            ("TENANTRY_TEST__PASSWORDS__PEPPER", "12345"),
            ("TENANTRY_TEST__REDIS__URL", ""),
            ("TENANTRY_TEST_PORT", "tcp://10.0.0.1:80"),
            ("PATH", "/bin"),
        ],
    )
    .unwrap();
    assert!(config.mode.is_production());
    assert_eq!(config.http.workers, 5);
    assert_eq!(config.http.body_limit, 2048);
    assert_eq!(config.http.keep_alive, HttpConfig::default().keep_alive);
    assert!(config.http.trust_forwarded_host);
    assert_eq!(config.http.trusted_proxies.len(), 2);
    assert_eq!(config.telemetry.format, LogFormat::Json);
    assert_eq!(config.passwords.pepper.unwrap().expose(), "12345", "a number is still a text where a text is wanted");
    assert!(config.redis.url.is_none(), "an empty variable is not set");
}

#[test]
fn well_known_names_fill_in_and_our_own_win() {
    let url = |c: TestConfig| c.redis.url.unwrap().expose().to_owned();
    let alias = ("REDIS_URL", "redis://alias");
    assert_eq!(url(load_text("[redis]\nurl = \"redis://file\"\n", &[alias]).unwrap()), "redis://alias");
    let own = ("TENANTRY_TEST__REDIS__URL", "redis://own");
    assert_eq!(url(load_text("", &[alias, own]).unwrap()), "redis://own");
    assert_eq!(url(load_text("", &[own, alias]).unwrap()), "redis://own");
}

#[test]
fn every_problem_is_reported_at_once_with_its_source() {
    let found = problems(
        "colour = \"red\"\nredis = 1\n[http]\nlisten = \"nowhere\"\npublic_url = \"ftp://x\"\nworkers = \"two\"\nkeep_alive = 0\n[metrics]\nlitsen = \"x\"\n",
        &[
            ("TENANTRY_TEST__HTTP__BODY_LIMIT", "plenty"),
            ("TENANTRY_TEST__HTTP__TRUST_FORWARDED_HOST", "maybe"),
            ("TENANTRY_TEST__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,elsewhere"),
            ("TENANTRY_TEST__HTTP__LISSTEN", "x"),
            ("TENANTRY_TEST__MODE", "staging"),
            ("TENANTRY_TEST__HTTP", "x"),
            ("TENANTRY_TEST__DATABASE__URL", "postgres://root:hunter2@db/idp"),
        ],
    );
    let expected = [
        "colour (file): there is no such key; here are: database, http, metrics, mode, passwords, redis, sentry, telemetry",
        "http.keep_alive (file): expected a whole number from 1 to 3600, found",
        "http.workers (file): expected a whole number from 0 to 512, found the text \"two\"",
        "metrics.litsen (file): there is no such key; here are: listen",
        "redis (file): expected a table with: max_connections, timeout_ms, url",
        "http.body_limit (variable TENANTRY_TEST__HTTP__BODY_LIMIT): expected a whole number from 1024, found the text \"plenty\"",
        "http.trust_forwarded_host (variable TENANTRY_TEST__HTTP__TRUST_FORWARDED_HOST): expected true or false, found the text \"maybe\"",
        "http.lissten (variable TENANTRY_TEST__HTTP__LISSTEN): there is no such key; here are: body_limit,",
        "mode (variable TENANTRY_TEST__MODE): expected one of development, production, found the text \"staging\"",
        "http (variable TENANTRY_TEST__HTTP): is a section, not a key",
        "http.listen (file): invalid socket address syntax",
        "http.public_url (file): must be an address like https://id.example.com",
        "http.trusted_proxies.1 (variable TENANTRY_TEST__HTTP__TRUSTED_PROXIES): invalid IP address syntax",
        "database.url (variable TENANTRY_TEST__DATABASE__URL): must start with sqlite:// or mysql://",
    ];
    for line in expected {
        assert!(found.iter().any(|f| f.starts_with(line)), "missing {line:?} in {found:#?}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    assert!(!found.concat().contains("hunter2"));
}

#[test]
fn broken_rules_name_the_variable_too() {
    let found = problems(
        "mode = \"production\"\n",
        &[("TENANTRY_TEST__HTTP__PUBLIC_URL", "http://id.example.com"), ("TENANTRY_TEST__TELEMETRY__FILTER", "a=b=c")],
    );
    assert_eq!(
        found[0],
        "http.public_url (variable TENANTRY_TEST__HTTP__PUBLIC_URL): must be https in production, except on loopback"
    );
    assert!(found[1].starts_with("telemetry.filter (variable TENANTRY_TEST__TELEMETRY__FILTER): is not a filter"));
}

#[test]
fn messages_never_hold_a_secret() {
    for (file, variables) in [
        ("[passwords]\npepper = [\"hunter2\"]\n", &[][..]),
        ("[passwords]\npepper = \"hunter2\n", &[]),
        ("[database]\nurl = \"postgres://root:hunter2@db\"\n", &[]),
        ("", &[("SENTRY_DSN", "https://hunter2")]),
    ] {
        let found = problems(file, variables);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }
    assert!(problems("[passwords]\npepper = \"x\n", &[])[0].starts_with("file: is not TOML, line 2: "));
}

#[test]
fn a_named_file_must_be_there() {
    let sources = Sources { file: Some("/nonexistent/tenantry.toml".into()), environment: Vec::new() };
    let error = load_from::<TestConfig>("TENANTRY_TEST", &sources).unwrap_err();
    assert!(error.to_string().contains("file /nonexistent/tenantry.toml: cannot be read"), "{error}");
}

#[test]
fn the_dump_shows_everything_but_secrets() {
    let config = load_text(
        "[database]\nurl = \"mysql://root:hunter2@db/idp\"\n[passwords]\npepper = \"hunter2\"\n[sentry]\ndsn = \"https://hunter2@sentry.example.com/1\"\n",
        &[],
    )
    .unwrap();
    let dump = redacted_toml(&config).unwrap();
    assert!(dump.contains("url = \"mysql://root:***@db/idp\""), "{dump}");
    assert!(dump.contains("pepper = \"[redacted]\""), "{dump}");
    assert!(dump.contains("body_limit = 262144"), "{dump}");
    assert!(!dump.contains("hunter2") && !redacted_json(&config).unwrap().to_string().contains("hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn the_reference_lists_every_key() {
    let page = reference_markdown::<TestConfig>("tenantry-test", "TENANTRY_TEST");
    for line in [
        "## tenantry-test",
        "| Key | Type | Default | Variable | Meaning |",
        "| `mode` | one of development, production | `\"development\"` | `TENANTRY_TEST__MODE` | How strict start-up is. |",
        "### `[http]`",
        "| `listen` | text | `\"127.0.0.1:8080\"` | `TENANTRY_TEST__HTTP__LISTEN` | The address and port to listen on. Port 0 takes any free one. |",
        "| `trusted_proxies` | list of text | `[]` | `TENANTRY_TEST__HTTP__TRUSTED_PROXIES` |",
        "| `forwarding_headers` | one of x-forwarded, forwarded | `\"x-forwarded\"` |",
        "| `url` | text | not set | `TENANTRY_TEST__REDIS__URL` or `REDIS_URL` |",
        "| `keep_alive` | whole number from 1 to 3600 | `75` |",
        "### `[passwords]`",
        "Password hashing.",
        "| `memory` | whole number | `19456` | `TENANTRY_TEST__PASSWORDS__MEMORY` | Kibibytes \\| of memory. |",
    ] {
        assert!(page.contains(line), "missing {line:?} in\n{page}");
    }
    let rows = page.lines().filter(|l| l.starts_with("| `")).count();
    let values = serde_json::to_value(TestConfig::default()).unwrap();
    let keys: usize = values.as_object().unwrap().values().map(|v| v.as_object().map_or(1, serde_json::Map::len)).sum();
    assert_eq!(rows, keys, "{page}");
}
