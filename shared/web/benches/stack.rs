//! What a request costs before and after its handler: `cargo bench -p tenantry-web`.
//!
//! The same handler is asked the same question over one connection, bare under actix and behind all layers of ours,
//! with the log off and with a line of JSON for each request. Counted is the time that the worker's thread was on a
//! processor, so other work on the machine matters little.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpRequest, HttpServer, web};
use tenantry_types::{Id, SystemClock, SystemRandom, TenantId, UserId};
use tenantry_web::config::{HttpConfig, LogFormat, MetricsConfig, TelemetryConfig};
use tenantry_web::problems::endpoint;
use tenantry_web::rate_limit::{Caller, LimitConfig, RateLimited, RateLimiter, RateLimitsConfig, identified, limit};
use tenantry_web::server::{Server, ServerSetup};
use tenantry_web::telemetry::init_to;

/// Requests sent at once.
const BATCH: usize = 16;

#[actix_web::main]
async fn main() {
    // `cargo test --benches` only wants to know that it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { 10_000 } else { 100 };

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let bare = listener.local_addr().unwrap();
    let server = HttpServer::new(|| App::new().service(web::resource("/tenants/{id}").route(web::get().to(handler))));
    actix_web::rt::spawn(server.workers(1).disable_signals().listen(listener).unwrap().run());
    report("bare actix handler", bare, rounds).await;

    let http = HttpConfig { listen: "127.0.0.1:0".parse().unwrap(), workers: 1, ..HttpConfig::default() };
    let setup = ServerSetup::new(http, MetricsConfig::default());
    let routes = |services: &mut web::ServiceConfig| {
        services.service(endpoint("/tenants/{id}").get(handler));
    };
    let ours = Server::bind(setup, routes).unwrap().start();
    report("all layers, log off", ours.address(), rounds).await;

    let counted = |services: &mut web::ServiceConfig| {
        let limits = [LimitConfig { requests: 60_000_000, seconds: 60, burst: None }; 4];
        let [address, tenant, client, user] = limits;
        let config = RateLimitsConfig { enabled: true, address, tenant, client, user };
        let limiter = RateLimiter::new(&config, Arc::new(SystemClock));
        let around = from_fn(move |request, next| limit(limiter.clone(), request, next));
        services.service(web::resource("/tenants/{id}").route(web::get().to(identified_handler)).wrap(around));
    };
    let http = HttpConfig { listen: "127.0.0.1:0".parse().unwrap(), workers: 1, ..HttpConfig::default() };
    let counting = Server::bind(ServerSetup::new(http, MetricsConfig::default()), counted).unwrap().start();
    report("the same, rate limits", counting.address(), rounds).await;

    let config = TelemetryConfig { format: LogFormat::Json, filter: "info".to_owned() };
    let telemetry = init_to(&config, None, std::io::sink(), false).unwrap();
    report("all layers, JSON log", ours.address(), rounds).await;
    println!("{:<24} {:>8} lines dropped", "", telemetry.dropped_lines());
}

async fn handler(id: web::Path<u64>) -> String {
    id.to_string()
}

/// As a guard does that has found out who calls.
async fn identified_handler(request: HttpRequest, id: web::Path<u64>) -> Result<String, RateLimited> {
    static CALLER: LazyLock<(TenantId, UserId)> =
        LazyLock::new(|| (Id::new(&SystemClock, &SystemRandom), Id::new(&SystemClock, &SystemRandom)));
    let (tenant, user) = *CALLER;
    identified(&request, Caller { tenant, client_id: "bench", user: Some(user) }).await?;
    Ok(id.to_string())
}

async fn report(name: &str, address: SocketAddr, rounds: usize) {
    let measured = web::block(move || {
        ask(address, rounds / 10);
        let before = worker_time();
        ask(address, rounds);
        worker_time().saturating_sub(before)
    });
    let spent = measured.await.unwrap();
    let requests = u32::try_from(rounds * BATCH).unwrap();
    println!("{name:<24} {:>8.2} µs of CPU a request", spent.as_secs_f64() * 1e6 / f64::from(requests));
}

fn ask(address: SocketAddr, rounds: usize) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers = "Host: localhost\r\nUser-Agent: bench\r\nAccept: application/json\r\nAuthorization: Bearer x\r\n\r\n";
    let requests = format!("GET /tenants/42?page=1 HTTP/1.1\r\n{headers}").repeat(BATCH);
    let mut buffer = vec![0; 64 * 1024];
    for _ in 0..rounds {
        stream.write_all(requests.as_bytes()).unwrap();
        let mut answers = 0;
        while answers < BATCH {
            let read = stream.read(&mut buffer).unwrap();
            assert_ne!(read, 0, "the server closed the connection");
            answers += buffer[..read].windows(6).filter(|text| text == b"\r\n\r\n42").count();
        }
    }
}

/// The time that the workers of all servers were on a processor.
fn worker_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().map(|task| task.unwrap().path());
    let workers = tasks.filter(|task| std::fs::read_to_string(task.join("comm")).unwrap().starts_with("actix"));
    let nanoseconds = |task: std::path::PathBuf| {
        let statistics = std::fs::read_to_string(task.join("schedstat")).unwrap();
        statistics.split(' ').next().unwrap().parse::<u64>().unwrap()
    };
    Duration::from_nanos(workers.map(nanoseconds).sum())
}
