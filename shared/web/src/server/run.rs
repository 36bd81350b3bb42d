//! From bound to stopped.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use actix_web::dev::ServerHandle as ActixHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use super::serve::{Layers, listen};
use super::{Routes, ServerError, ServerSetup, metrics};
use crate::ingress::Ingress;
use crate::metrics::HttpMetrics;

/// A server that is bound and not yet serving.
#[must_use = "a server serves once it is run or started"]
pub struct Server {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    main: actix_server::Server,
    metrics: Option<actix_server::Server>,
}

impl Server {
    /// Binds the listeners and puts `routes` behind the layers that every request passes.
    ///
    /// # Errors
    /// When an address cannot be listened on.
    pub fn bind(setup: ServerSetup, routes: impl Routes) -> Result<Self, ServerError> {
        let ServerSetup { http, metrics: metrics_config, health, mut registry, reports, problem_base, random, gate } =
            setup;
        let http_metrics = HttpMetrics::register(&mut registry);
        let registry = Arc::new(registry);

        let listener = listen(http.listen)?;
        let address = local_address(&listener)?;
        let metrics_listener = metrics_config.listen.map(listen).transpose()?;
        let metrics_address = metrics_listener.as_ref().map(local_address).transpose()?;

        let problem_base = problem_base.unwrap_or_else(|| http.public_url.as_str().to_owned());
        let ingress = Ingress::new(&http, problem_base, random, http_metrics.clone(), reports.is_some());
        let layers = Layers { http, ingress, reports, health, metrics: http_metrics, gate };
        let main = layers.serve(listener, routes).map_err(ServerError::Workers)?.run();
        let metrics = metrics_listener
            .map(|listener| metrics::serve(listener, registry))
            .transpose()
            .map_err(ServerError::Workers)?;
        Ok(Self { address, metrics_address, main, metrics })
    }

    /// Where it listens; with the port that was found when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Serves until SIGTERM or SIGINT, then answers what is in flight and ends. With a second signal it does not wait.
    ///
    /// # Errors
    /// When the workers cannot be started, or the signals not be listened to.
    pub async fn run(self) -> Result<(), ServerError> {
        let mut stop = StopSignals::listen().map_err(ServerError::Workers)?;
        let mut handle = self.start();
        tokio::select! {
            result = &mut handle.main_task => return ended(result),
            name = stop.next() => tracing::info!("{name}: stopping; requests in flight are answered"),
        }
        tokio::select! {
            () = handle.stop(true) => {}
            // A stop under way cannot be hurried (actix-server takes one command after the other), only left alone: the
            // caller returns from `main`, and what is still in flight ends with the process.
            name = stop.next() => tracing::warn!("{name} again: not waiting for requests in flight"),
        }
        Ok(())
    }

    /// Serves on the current runtime until it is stopped through the handle.
    pub fn start(self) -> ServerHandle {
        let stops =
            Stops { main: self.main.handle(), metrics: self.metrics.as_ref().map(actix_server::Server::handle) };
        let main_task = tokio::spawn(self.main);
        if let Some(metrics) = self.metrics {
            tokio::spawn(metrics);
        }
        ServerHandle { address: self.address, metrics_address: self.metrics_address, stops, main_task }
    }
}

fn local_address(listener: &TcpListener) -> Result<SocketAddr, ServerError> {
    listener.local_addr().map_err(ServerError::Workers)
}

fn ended(result: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), ServerError> {
    result.map_err(std::io::Error::other).and_then(|result| result).map_err(ServerError::Workers)
}

/// A server that is serving.
#[derive(Debug)]
pub struct ServerHandle {
    address: SocketAddr,
    metrics_address: Option<SocketAddr>,
    stops: Stops,
    main_task: JoinHandle<std::io::Result<()>>,
}

impl ServerHandle {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it serves metrics, if it does.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics_address
    }

    /// Stops listening and ends; a graceful stop answers what is in flight first, for as long as
    /// `http.shutdown_timeout`.
    pub async fn stop(&self, graceful: bool) {
        self.stops.stop(graceful).await;
    }
}

#[derive(Debug)]
struct Stops {
    main: ActixHandle,
    metrics: Option<ActixHandle>,
}

impl Stops {
    /// The metrics last, so that the end can be watched.
    async fn stop(&self, graceful: bool) {
        self.main.stop(graceful).await;
        if let Some(metrics) = &self.metrics {
            metrics.stop(false).await;
        }
    }
}

struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
