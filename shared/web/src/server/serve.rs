//! The layers around the routes, and the connections below them.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::HttpService;
use actix_server::ServerBuilder;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::body::MessageBody;
use actix_web::dev::{AppConfig, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Condition, Next, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::{App, Error, web};
use socket2::{Domain, Protocol, Socket, Type};
use tracing_actix_web::TracingLogger;

use super::connection::{Connection, ConnectionState, Patience};
use super::{Gate, Routes, ServerError};
use crate::config::HttpConfig;
use crate::health::Health;
use crate::ingress::{Containment, Ingress};
use crate::metrics::HttpMetrics;
use crate::problems::{ProblemResponse, configure_extractors};
use crate::telemetry::{Reports, RequestSpan};

/// Connections that wait for a worker.
const BACKLOG: i32 = 1024;

/// What each worker makes its application from.
#[derive(Clone)]
pub(super) struct Layers {
    pub(super) http: HttpConfig,
    pub(super) ingress: Ingress,
    pub(super) reports: Option<Reports>,
    pub(super) health: Health,
    pub(super) metrics: HttpMetrics,
    pub(super) gate: Option<Gate>,
}

impl Layers {
    /// The application of one worker. `wrap` adds outwards: the last is the first to see a request.
    fn application<R: Routes>(
        &self,
        routes: R,
    ) -> App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody + use<R>>,
            Error = Error,
            InitError = (),
        > + use<R>,
    > {
        let request_timeout = Duration::from_secs(self.http.request_timeout);
        let sentry = sentry_actix::Sentry::builder().capture_server_errors(false);
        let sentry = match &self.reports {
            Some(reports) => sentry.with_hub(reports.hub()),
            None => sentry,
        };
        let http = self.http.clone();
        let health = self.health.clone();
        let gate = self.gate.clone().unwrap_or_else(Gate::open);
        let gated = from_fn(move |request: ServiceRequest, next: Next<_>| gate.pass(request, next));
        App::new()
            .configure(move |services| configure_extractors(&http, services))
            .configure(move |services| health.configure(services))
            .configure(routes)
            .default_service(web::to(|| async { ProblemResponse::from(tenantry_types::Problem::not_found()) }))
            .wrap(Condition::new(self.gate.is_some(), gated))
            .wrap(Containment { request_timeout })
            .wrap(TracingLogger::<RequestSpan>::new())
            .wrap(self.ingress.clone())
            .wrap(Condition::new(self.reports.is_some(), sentry.finish()))
    }

    /// Serves the application on `listener`.
    pub(super) fn serve<R: Routes>(self, listener: TcpListener, routes: R) -> io::Result<ServerBuilder> {
        let address = listener.local_addr()?;
        let mut builder = actix_server::Server::build()
            .disable_signals()
            .max_concurrent_connections(self.http.max_connections)
            .shutdown_timeout(self.http.shutdown_timeout);
        if self.http.workers > 0 {
            builder = builder.workers(self.http.workers);
        }
        let stopping = builder.graceful_shutdown_signal();
        builder.listen("http", listener, move || {
            let (layers, stopping) = (self.clone(), stopping.clone());
            let patience = Patience::new(&layers.http);
            let seconds = Duration::from_secs;
            let service = HttpService::build()
                .keep_alive(seconds(layers.http.keep_alive))
                .client_request_timeout(seconds(layers.http.header_timeout))
                .client_disconnect_timeout(seconds(1))
                .local_addr(address)
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert::<ConnectionState>(connection.state());
                })
                .h1(map_config(layers.application(routes.clone()), |()| AppConfig::default()));
            let metrics = layers.metrics.clone();
            fn_service(move |stream: TcpStream| {
                // Answers are written whole; waiting for more to send with them only costs time.
                let _ = stream.set_nodelay(true);
                let peer = stream.peer_addr().ok();
                let connection = Connection::new(stream, patience, metrics.connection());
                async move { Ok::<_, actix_http::error::DispatchError>((connection, peer)) }
            })
            .and_then(service)
        })
    }
}

/// A listener on `address` that a restarted service can take over at once.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, ServerError> {
    let open = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        Ok(TcpListener::from(socket))
    };
    open().map_err(|source| ServerError::Listen { address, source })
}
