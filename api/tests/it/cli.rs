//! The program itself: its commands, its log, its end.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use tempfile::TempDir;
use tenantry_api::startup::MIGRATIONS;
use tenantry_db::{DatabaseUrl, Db, PoolOptions};
use tenantry_testing::{ServiceProcess, free_port};
use tenantry_types::{Clock, ManualClock, SystemClock};

use crate::browser::{Browser, location};
use crate::fake_idp::FakeIdp;
use crate::support::client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tenantry-api");

/// The program in a folder of its own, with nothing of this process' environment.
fn program(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.current_dir(folder).env_clear().args(arguments).envs(variables.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    program(folder, arguments, variables).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_defaults_are_a_configuration_that_works() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["config", "check", "--json"], &[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    let config = &checked["config"];
    assert_eq!(config["http"]["listen"], "127.0.0.1:8081");
    assert_eq!(config["http"]["public_url"], "http://localhost:8081");
    assert_eq!(config["database"]["url"], "sqlite://data/api.db");
    assert_eq!(config["idp"]["url"], "http://localhost:8080");
    assert_eq!(config["keyring"]["path"], "data/api.key");
    assert_eq!(config["metrics"]["listen"], "127.0.0.1:9081");
    assert_eq!(config["console"]["tenant"], "demo");
    assert_eq!(config["console"]["client_id"], "tenantry-console");
}

#[test]
fn mistakes_stop_start_up_and_are_all_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("api.toml"), "[idp]\nurl = \"ftp://x\"\ncolour = 1\n").unwrap();
    let variables = [("TENANTRY_API__CONSOLE__TENANT", "Not A Slug"), ("TENANTRY_API__HTTP__PORT", "1")];
    for command in ["serve", "migrate", "doctor"] {
        let output = run(folder.path(), &[command, "--config", "api.toml"], &variables);
        assert_eq!(output.status.code(), Some(1));
        let message = format!("{}{}", text(&output.stdout), text(&output.stderr));
        for part in
            ["idp.url (file api.toml)", "idp.colour (file api.toml)", "TENANTRY_API__CONSOLE__TENANT", "http.port"]
        {
            assert!(message.contains(part), "{part} in {message}");
        }
    }
}

#[test]
fn production_refuses_what_is_not_secure() {
    let folder = tempfile::tempdir().unwrap();
    let production = ("TENANTRY_API__MODE", "production");
    for (key, value) in [
        ("TENANTRY_API__HTTP__PUBLIC_URL", "http://api.example.com"),
        ("TENANTRY_API__IDP__URL", "http://id.example.com"),
    ] {
        let output = run(folder.path(), &["serve"], &[production, (key, value)]);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("must be https in production"), "{}", text(&output.stderr));
    }
    // A key file that others can read.
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let key = folder.path().join("data/api.key");
    std::fs::write(&key, "{}").unwrap();
    let output = run(folder.path(), &["config", "check"], &[production]);
    assert!(text(&output.stderr).contains("keyring.path"), "{}", text(&output.stderr));
}

#[test]
fn the_reference_names_every_key() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), &["config", "reference"], &[]);
    let page = text(&output.stdout);
    for key in [
        "`TENANTRY_API__IDP__INTERNAL_URL`",
        "`TENANTRY_API__RESOURCE__ALLOWED_ORIGINS`",
        "`TENANTRY_API__KEYRING__PATH`",
    ] {
        assert!(page.contains(key), "{key}");
    }
    // What is kept in the repository is what the code says: `make docs` writes it anew.
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md")).unwrap();
    assert!(kept.contains(page.trim_end()), "docs/configuration.md is stale: run `make docs`");
}

#[test]
fn the_description_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["openapi"][..], &["openapi", "--json"]] {
        let document: Value = serde_json::from_slice(&run(folder.path(), arguments, &[]).stdout).unwrap();
        assert!(document["paths"]["/api/v1/me"].is_object());
    }
}

#[test]
fn tables_are_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let first: Value = serde_json::from_slice(&run(folder.path(), &["migrate", "--json"], &[]).stdout).unwrap();
    assert!(!first["applied"].as_array().unwrap().is_empty());
    assert_eq!(text(&run(folder.path(), &["migrate"], &[]).stdout), "the tables are up to date\n");
}

#[actix_web::test]
async fn the_doctor_says_what_is_missing() {
    let idp = FakeIdp::start(Arc::new(ManualClock::starting_at(SystemClock.now())));
    let folder = tempfile::tempdir().unwrap();
    let url = idp.url().to_owned();
    let doctor = move |folder: &Path| {
        let mut command = program(folder, &["doctor", "--json"], &[("TENANTRY_API__IDP__URL", &url)]);
        async move { actix_web::rt::task::spawn_blocking(move || command.output().unwrap()).await.unwrap() }
    };
    let output = doctor(folder.path()).await;
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    assert!(report["checks"][1]["detail"].as_str().unwrap().contains("run `tenantry-api migrate`"));
    assert!(run(folder.path(), &["migrate"], &[]).status.success());
    let unmanaged = doctor(folder.path()).await;
    assert!(text(&unmanaged.stdout).contains("run `tenantry-api keys client`"), "{}", text(&unmanaged.stdout));
    let printed: Value = serde_json::from_slice(&run(folder.path(), &["keys", "client"], &[]).stdout).unwrap();
    assert!(printed["keys"][0]["kid"].is_string() && printed["keys"][0].get("d").is_none());
    let output = doctor(folder.path()).await;
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("tenantry-api of the tenant platform is let in"));
    idp.remove_tenant("demo");
    let report: Value = serde_json::from_slice(&doctor(folder.path()).await.stdout).unwrap();
    assert!(report["checks"][3]["detail"].as_str().unwrap().contains("has no tenant demo"));
}

/// The program serving, and where.
struct Service {
    process: ServiceProcess,
    url: String,
    folder: TempDir,
}

impl Service {
    /// Starts with these variables too, and waits until it listens.
    fn start(idp: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let url = format!("http://localhost:{port}");
        let listen = format!("127.0.0.1:{port}");
        let mut all = vec![
            ("TENANTRY_API__HTTP__LISTEN", listen.as_str()),
            ("TENANTRY_API__HTTP__PUBLIC_URL", &url),
            ("TENANTRY_API__HTTP__WORKERS", "1"),
            ("TENANTRY_API__METRICS__LISTEN", "127.0.0.1:0"),
            ("TENANTRY_API__IDP__URL", idp),
            ("TENANTRY_API__TELEMETRY__FORMAT", "json"),
        ];
        all.extend_from_slice(variables);
        assert!(run(folder.path(), &["migrate"], &all).status.success());
        let process = ServiceProcess::start(program(folder.path(), &["serve"], &all));
        Self { process, url, folder }
    }
}

#[actix_web::test]
async fn no_secret_is_in_the_log() {
    let idp = FakeIdp::start(Arc::new(ManualClock::starting_at(SystemClock.now())));
    let filter = ("TENANTRY_API__TELEMETRY__FILTER", "debug,tenantry_api=trace,tenantry_web=trace");
    let service = Service::start(idp.url(), &[filter]);
    let token = idp.sign("demo", &idp.user_claims("demo", &service.url));
    let me = format!("{}/api/v1/me", service.url);
    assert_eq!(client().get(&me).bearer_auth(&token).send().await.unwrap().status(), StatusCode::OK);
    let spoiled = format!("{token}x");
    client().get(&me).bearer_auth(&spoiled).send().await.unwrap();
    client().get(format!("{me}?access_token={token}")).send().await.unwrap();

    let browser = Browser::new();
    let to_provider = location(&browser.get(&format!("{}/console/sign-in", service.url)).await);
    let pending = browser.cookie("tenantry-console-sign-in").unwrap();
    let callback = location(&client().get(&to_provider).send().await.unwrap());
    assert_eq!(location(&browser.get(&callback).await), "/console");
    let session = browser.cookie("tenantry-console").unwrap();
    let overview = browser.get(&format!("{}/console", service.url)).await.text().await.unwrap();
    let csrf = overview.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();

    let (status, log) = service.process.stop();
    assert!(status.success(), "{log}");
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}"));
    }
    let lines = log.lines().filter(|line| line.contains("\"answered\"")).count();
    assert!(lines >= 6, "{log}");
    assert!(
        log.contains("\"tenant\":\"demo\"") && log.contains("\"request_id\":\"") && log.contains("\"trace_id\":\"")
    );
    let url = url::Url::parse(&callback).unwrap();
    let parameters: HashMap<_, _> = url.query_pairs().into_owned().collect();
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    for (name, secret) in [
        ("token", token.clone()),
        ("signature", signature(&token)),
        ("code", parameters["code"].clone()),
        ("state", parameters["state"].clone()),
        ("sign-in cookie", signature(&pending)),
        ("session cookie", session),
        ("CSRF token", csrf),
    ] {
        assert!(!log.contains(&secret), "the {name} is in the log");
    }
    // Nor anything that looks like a token of the ones that nobody here has seen.
    assert!(!log.contains("eyJ"), "{log}");
}

#[actix_web::test]
async fn faults_are_reported_with_their_request_and_nothing_that_it_carried() {
    let idp = FakeIdp::start(Arc::new(ManualClock::starting_at(SystemClock.now())));
    let sentry = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("http://key@{}/1", sentry.local_addr().unwrap());
    let service = Service::start(idp.url(), &[("SENTRY_DSN", &dsn)]);
    let url = DatabaseUrl::sqlite(&service.folder.path().join("data/api.db")).unwrap();
    Db::open(&url, PoolOptions::default()).await.unwrap().revert_migrations(&MIGRATIONS).await.unwrap();
    let token = idp.sign("demo", &idp.user_claims("demo", &service.url));
    let request = client().get(format!("{}/api/v1/tenant/settings", service.url)).bearer_auth(&token);
    let response = request.header("X-Request-Id", "request-7").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let (sender, received) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(receive(&sentry)));
    let envelope = received.recv_timeout(Duration::from_secs(30)).expect("a report");
    assert!(envelope.starts_with("POST /api/1/envelope/"), "{envelope}");
    assert!(envelope.contains("request-7"), "{envelope}");
    assert!(!envelope.contains(&token) && !envelope.to_lowercase().contains("bearer"), "{envelope}");
    service.process.stop();
}

/// One HTTP request, answered.
fn receive(listener: &TcpListener) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let from = head.len();
        reader.read_line(&mut head).unwrap();
        if let Some(value) = head[from..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    format!("{head}{}", String::from_utf8_lossy(&body))
}
