//! A proxy in front of several replicas.

#![allow(clippy::expect_used, reason = "a test without its proxy can only stop")]

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use reqwest::redirect::Policy;
use tokio::sync::OnceCell;

/// An HTTP proxy that sends every request to the next replica than the one before, as if there were no sticky sessions.
/// It serves until the process ends.
#[derive(Debug, Clone)]
pub struct RoundRobin(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    address: SocketAddr,
    replicas: OnceCell<Vec<Replica>>,
    turn: AtomicUsize,
    http: reqwest::Client,
}

#[derive(Debug)]
struct Replica {
    address: SocketAddr,
    requests: AtomicUsize,
}

impl RoundRobin {
    /// Listens, with nobody behind it yet: the replicas have to know its address.
    ///
    /// # Panics
    /// When it cannot listen, or outside of a runtime.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().expect("a client");
        let inner = Arc::new(Inner { address, replicas: OnceCell::new(), turn: AtomicUsize::new(0), http });
        let data = Data::from(Arc::clone(&inner));
        let server = HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(forward)));
        let server = server.workers(1).disable_signals().listen(listener).expect("a server").run();
        tokio::spawn(server);
        Self(inner)
    }

    /// Where browsers and clients reach the service.
    pub fn url(&self) -> String {
        format!("http://localhost:{}", self.0.address.port())
    }

    /// Names the replicas, once.
    ///
    /// # Panics
    /// The second time.
    pub fn send_to(&self, replicas: impl IntoIterator<Item = SocketAddr>) {
        let replicas = replicas.into_iter().map(|address| Replica { address, requests: AtomicUsize::new(0) });
        self.0.replicas.set(replicas.collect()).expect("replicas that are named once");
    }

    /// How many requests each replica has had.
    ///
    /// # Panics
    /// Before the replicas are named.
    pub fn requests(&self) -> Vec<usize> {
        let replicas = self.0.replicas.get().expect("replicas");
        replicas.iter().map(|replica| replica.requests.load(Ordering::SeqCst)).collect()
    }
}

async fn forward(proxy: Data<Inner>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let Some(replicas) = proxy.replicas.get() else { return HttpResponse::BadGateway().finish() };
    let replica = &replicas[proxy.turn.fetch_add(1, Ordering::SeqCst) % replicas.len()];
    replica.requests.fetch_add(1, Ordering::SeqCst);
    let method = request.method().as_str().parse().expect("a method");
    let url = format!("http://{}{}", replica.address, request.uri());
    // Host among them: the replica has to see the address that the client used.
    let mut forwarded = proxy.http.request(method, url).body(body);
    for (name, value) in end_to_end(request.headers()) {
        forwarded = forwarded.header(name.as_str(), value.as_bytes());
    }
    let Ok(answer) = forwarded.send().await else { return HttpResponse::BadGateway().finish() };
    let status = actix_web::http::StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        if !is_hop_by_hop(name.as_str()) {
            response.append_header((name.as_str(), value.as_bytes()));
        }
    }
    match answer.bytes().await {
        Ok(body) => response.body(body),
        Err(_) => HttpResponse::BadGateway().finish(),
    }
}

fn end_to_end(headers: &HeaderMap) -> impl Iterator<Item = (&HeaderName, &header::HeaderValue)> {
    headers.iter().filter(|(name, _)| !is_hop_by_hop(name.as_str()))
}

/// What belongs to one connection (RFC 9110 §7.6.1), and the length, which is counted anew.
fn is_hop_by_hop(name: &str) -> bool {
    matches!(name, "connection" | "keep-alive" | "te" | "trailer" | "transfer-encoding" | "upgrade" | "content-length")
}
