use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use tenantry_web::config::{LogFormat, SentryConfig, TelemetryConfig};
use tenantry_web::telemetry::{Reports, Telemetry, init_to};
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::client::{PATIENCE, get, send};
use crate::server::{self, Doors, start};

/// What this process has logged, and sent to the listener that stands in for Sentry.
#[derive(Debug, Clone, Default)]
pub struct Collected {
    log: Arc<Kept>,
    envelopes: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    text: Mutex<String>,
    more: Notify,
}

impl Kept {
    fn add(&self, text: &str) {
        self.text.lock().unwrap().push_str(text);
        self.more.notify_waiters();
    }

    /// The first thing that `find` finds in the text, as soon as it is there.
    async fn wait_for<T>(&self, find: impl Fn(&str) -> Option<T>) -> T {
        let look = async {
            loop {
                let more = self.more.notified();
                tokio::pin!(more);
                more.as_mut().enable();
                if let Some(found) = find(&self.text.lock().unwrap()) {
                    return found;
                }
                more.await;
            }
        };
        let found = timeout(PATIENCE, look).await;
        found.unwrap_or_else(|_| panic!("not there in time:\n{}", self.text.lock().unwrap()))
    }
}

impl Collected {
    /// The lines that the request `id` left, once the last of them is there.
    pub async fn lines_of(&self, id: &str) -> Vec<Value> {
        self.log
            .wait_for(|text| {
                let lines = text.lines().filter(|line| line.contains(id));
                let lines: Vec<Value> = lines.filter_map(|line| serde_json::from_str(line).ok()).collect();
                lines.iter().any(|line| line["message"] == "answered").then_some(lines)
            })
            .await
    }

    /// What was sent to Sentry about the request `id`.
    pub async fn envelope_of(&self, id: &str) -> String {
        self.envelopes.wait_for(|text| text.split('\0').find(|envelope| envelope.contains(id)).map(str::to_owned)).await
    }

    pub fn envelopes_of(&self, id: &str) -> usize {
        self.envelopes.text.lock().unwrap().split('\0').filter(|envelope| envelope.contains(id)).count()
    }
}

struct LogWriter(Arc<Kept>);

impl io::Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(str::from_utf8(bytes).unwrap());
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Process {
    collected: Collected,
    reports: Reports,
    _telemetry: Telemetry,
}

/// The log of this test process, switched on by whoever comes first.
fn process() -> &'static Process {
    static PROCESS: OnceLock<Process> = OnceLock::new();
    PROCESS.get_or_init(|| {
        let collected = Collected::default();
        let dsn = format!("http://public@{}/1", collect_envelopes(Arc::clone(&collected.envelopes)));
        let sentry = SentryConfig { dsn: Some(dsn.as_str().into()), environment: "test".to_owned() };
        let reports = Reports::connect(&sentry, "tenantry-web@0.0.0").unwrap();
        let config = TelemetryConfig { format: LogFormat::Json, filter: "debug".to_owned() };
        let writer = LogWriter(Arc::clone(&collected.log));
        let telemetry = init_to(&config, Some(&reports), writer, false).unwrap();
        // A test that fails must still say so to whoever runs it.
        let log_panic = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            log_panic(info);
            eprintln!("{info}");
        }));
        Process { collected, reports, _telemetry: telemetry }
    })
}

pub fn collected() -> Collected {
    process().collected.clone()
}

pub fn reports() -> Reports {
    process().reports.clone()
}

/// Takes what is posted to a port of its own and says thank you.
fn collect_envelopes(kept: Arc<Kept>) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                loop {
                    let mut length = 0;
                    let mut line = String::new();
                    while reader.read_line(&mut line).unwrap_or(0) > 2 {
                        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                            length = value.trim().parse().unwrap();
                        }
                        line.clear();
                    }
                    if line.is_empty() {
                        return;
                    }
                    let mut body = vec![0; length];
                    reader.read_exact(&mut body).unwrap();
                    kept.add(&format!("{}\0", String::from_utf8(body).unwrap()));
                    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
                }
            });
        }
    });
    address
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[actix_web::test]
async fn each_request_leaves_one_line_that_names_it() {
    let server = start();
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let headers = [("X-Request-Id", "log-line-1"), ("traceparent", parent.as_str())];
    get(server.address(), "/items/7", &headers).await;
    let lines = collected().lines_of("log-line-1").await;
    let answered: Vec<_> = lines.iter().filter(|line| line["message"] == "answered").collect();
    assert_eq!(answered.len(), 1);
    let line = answered[0];
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["request_id"], "log-line-1");
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["method"], "GET");
    assert_eq!(line["route"], "/items/{id}");
    assert_eq!(line["status"], 200);
    assert_eq!(line["client"], "127.0.0.1");
    assert_eq!(line["tenant"], "demo");
    assert!(line["latency_ms"].as_f64().unwrap() >= 0.0);
    let handler = lines.iter().find(|line| line["message"] == "looked up").unwrap();
    assert_eq!((&handler["request_id"], &handler["tenant"]), (&line["request_id"], &line["tenant"]));
}

#[actix_web::test]
async fn nothing_a_request_carries_is_logged() {
    let server = start();
    let headers = [
        ("X-Request-Id", "no-secret-1"),
        ("Authorization", "Bearer hunter2-token"),
        ("Cookie", "session=hunter2-cookie"),
        ("Content-Type", "application/json"),
        ("User-Agent", "hunter2-agent"),
    ];
    let path = "/booking?code=hunter2-query";
    let answer = send(server.address(), "POST", path, &headers, r#"{"seats":["hunter2-body"]}"#).await;
    assert_eq!(answer.status, 422);
    let refused = [("X-Request-Id", "no-secret-2"), ("Host", "hunter2 host"), ("Authorization", "Bearer hunter2")];
    assert_eq!(get(server.address(), "/whoami?state=hunter2", &refused).await.status, 400);
    let failed = [("X-Request-Id", "no-secret-3"), ("Authorization", "Bearer hunter2")];
    assert_eq!(get(server.address(), "/fail?code=hunter2", &failed).await.status, 500);

    for (id, status) in [("no-secret-1", 422), ("no-secret-2", 400), ("no-secret-3", 500)] {
        let lines = collected().lines_of(id).await;
        assert!(lines.iter().any(|line| line["status"] == status), "{lines:?}");
        assert!(!format!("{lines:?}").contains("hunter2"), "{lines:?}");
    }
    assert!(!collected().log.text.lock().unwrap().contains("hunter2"));
}

#[actix_web::test]
async fn the_cause_of_a_fault_is_logged_once() {
    let server = start();
    let answer = get(server.address(), "/fail", &[("X-Request-Id", "fault-1")]).await;
    assert_eq!(answer.status, 500);
    assert!(!answer.body.contains("vault") && !answer.body.contains("hinge"), "{answer:?}");
    let lines = collected().lines_of("fault-1").await;
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    assert_eq!(errors[0]["fields"]["cause"], "the vault cannot be opened: the hinge broke");
    assert_eq!(errors[0]["route"], "/fail");
}

#[actix_web::test]
async fn a_panic_is_a_logged_fault_and_the_server_lives_on() {
    let server = server::start_with(server::setup(server::http()), Doors::new());
    let answer = get(server.address(), "/panic", &[("X-Request-Id", "panic-1")]).await;
    assert_eq!((answer.status, answer.problem()["title"].as_str()), (500, Some("Something went wrong on our side")));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    let lines = collected().lines_of("panic-1").await;
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    assert_eq!(errors[0]["message"], "panicked: the floor gave way");
    assert!(errors[0]["fields"]["place"].as_str().unwrap().contains("server.rs"));
    assert_eq!(get(server.address(), "/whoami", &[]).await.status, 200);
}
