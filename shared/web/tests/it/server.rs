//! The server under test and its routes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;
use tenantry_types::Problem;
use tenantry_web::config::{HttpConfig, MetricsConfig};
use tenantry_web::cors;
use tenantry_web::ingress::{ClientAddress, ExternalOrigin, RequestContext, RequestId, TraceContext};
use tenantry_web::problems::{Body, IntoProblem, Json, endpoint};
use tenantry_web::server::{Server, ServerHandle, ServerSetup};
use tenantry_web::telemetry::record_tenant;
use tokio::sync::Semaphore;

/// Opens and closes the doors of `/wait`.
#[derive(Debug)]
pub struct Doors {
    /// Gets a permit for each request that has arrived.
    pub arrived: Semaphore,
    /// Gives a permit to each request that may go on.
    pub leave: Semaphore,
    /// Gets a permit when an answer without end was given up.
    pub dropped: Semaphore,
}

impl Doors {
    pub fn new() -> Arc<Self> {
        Arc::new(Self { arrived: Semaphore::new(0), leave: Semaphore::new(0), dropped: Semaphore::new(0) })
    }
}

pub fn http() -> HttpConfig {
    HttpConfig { listen: "127.0.0.1:0".parse().unwrap(), workers: 1, ..HttpConfig::default() }
}

pub fn setup(http: HttpConfig) -> ServerSetup {
    ServerSetup::new(http, MetricsConfig { listen: Some("127.0.0.1:0".parse().unwrap()) })
}

/// A server with the defaults.
pub fn start() -> ServerHandle {
    start_with(setup(http()), Doors::new())
}

pub fn start_with(setup: ServerSetup, doors: Arc<Doors>) -> ServerHandle {
    bind_with(setup, doors).start()
}

pub fn bind_with(setup: ServerSetup, doors: Arc<Doors>) -> Server {
    super::telemetry::collected();
    Server::bind(setup, move |services: &mut ServiceConfig| routes(services, &doors)).unwrap()
}

fn routes(services: &mut ServiceConfig, doors: &Arc<Doors>) {
    services
        .app_data(web::Data::from(Arc::clone(doors)))
        .service(endpoint("/whoami").get(whoami))
        .service(endpoint("/items/{id}").get(item).delete(item))
        .service(endpoint("/search").get(search))
        .service(endpoint("/booking").post(booking))
        .service(endpoint("/form").post(form))
        .service(endpoint("/body").post(body))
        .service(endpoint("/page").get(page))
        .service(endpoint("/fail").get(fail))
        .service(endpoint("/panic").get(panics))
        .service(endpoint("/wait").get(wait))
        .service(endpoint("/wait-long").get(wait_long))
        .service(endpoint("/endless").get(endless))
        .route("/bare", web::get().to(HttpResponse::ImATeapot))
        .route("/text", web::get().to(text))
        .service(
            web::scope("/shared")
                .wrap(cors::by_origin(|head, origin| {
                    let host = head.headers().get("host").and_then(|host| host.to_str().ok());
                    origin == "https://app.example.com" && host == Some("localhost")
                }))
                .service(endpoint("/tokens").get(whoami).post(body)),
        )
        .service(web::scope("/public").wrap(cors::public()).service(endpoint("/jwks").get(whoami)));
}

async fn whoami(
    request: HttpRequest,
    id: RequestId,
    trace: TraceContext,
    client: ClientAddress,
    origin: ExternalOrigin,
) -> HttpResponse {
    let outgoing: Vec<_> = trace.outgoing().collect();
    #[allow(clippy::disallowed_methods, reason = "what it would say is what the test compares")]
    let info = request.connection_info();
    HttpResponse::Ok().json(json!({
        "id": id.to_string(),
        "trace": trace.trace_id(),
        "outgoing": outgoing,
        "client": client.to_string(),
        "origin": origin.to_string(),
        "actix": format!("{}://{} {:?}", info.scheme(), info.host(), info.realip_remote_addr()),
    }))
}

async fn item(request: HttpRequest, id: web::Path<u64>) -> String {
    record_tenant(&request, "demo");
    tracing::info!("looked up");
    id.to_string()
}

#[derive(Debug, Deserialize)]
pub struct Page {
    limit: u8,
}

async fn search(page: web::Query<Page>) -> String {
    page.limit.to_string()
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    seats: Vec<u8>,
}

async fn booking(booking: Json<Booking>) -> String {
    booking.0.seats.len().to_string()
}

async fn form(page: web::Form<Page>) -> String {
    page.limit.to_string()
}

async fn body(body: Body) -> String {
    body.0.len().to_string()
}

async fn page() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'self'"))
        .content_type(ContentType::html())
        .body("<p>hello</p>")
}

async fn text() -> Result<HttpResponse, actix_web::Error> {
    Err(actix_web::error::ErrorConflict("an error of a library"))
}

/// A fault whose cause nobody outside may see.
#[derive(Debug)]
pub struct Fault(std::io::Error);

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the vault cannot be opened")
    }
}

impl std::error::Error for Fault {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl IntoProblem for Fault {
    fn problem(&self) -> Problem {
        Problem::internal().with_detail(self.to_string())
    }
}

tenantry_web::problem_response!(Fault);

async fn fail() -> Result<HttpResponse, Fault> {
    Err(Fault(std::io::Error::other("the hinge broke")))
}

async fn panics() -> HttpResponse {
    panic!("the floor gave way");
}

async fn wait(doors: web::Data<Doors>) -> &'static str {
    doors.arrived.add_permits(1);
    doors.leave.acquire().await.unwrap().forget();
    "done"
}

async fn wait_long(request: HttpRequest) -> &'static str {
    RequestContext::of(&request).unwrap().allow_time(Duration::from_secs(20));
    actix_web::rt::time::sleep(Duration::from_millis(1500)).await;
    "done"
}

async fn endless(doors: web::Data<Doors>) -> HttpResponse {
    struct Dropped(Arc<Doors>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.dropped.add_permits(1);
        }
    }
    let dropped = Dropped(doors.into_inner());
    HttpResponse::Ok().streaming(futures_util::stream::repeat_with(move || {
        let _ = &dropped;
        Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 16 * 1024]))
    }))
}
