//! Binding, serving and stopping.
//!
//! In `main`, under `#[actix_web::main]`: [`Server::bind`], then [`Server::run`], which ends on SIGTERM or SIGINT. In a
//! test, under `#[actix_web::test]` or any Tokio runtime: `bind` with port 0, then [`Server::start`], which gives a
//! [`ServerHandle`]. Nothing in a server is global, so several live in one process.

mod connection;
mod environment;
mod gate;
mod metrics;
mod run;
mod serve;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::web::ServiceConfig;
use prometheus_client::registry::Registry;
use tenantry_types::{Random, SystemRandom};

pub(crate) use connection::ConnectionState;
pub use environment::Environment;
pub use gate::{Gate, Passage};
pub use run::{Server, ServerHandle};

use crate::config::{HttpConfig, MetricsConfig};
use crate::health::Health;
use crate::telemetry::Reports;

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The threads cannot be started.
    #[error("cannot start the workers")]
    Workers(#[source] io::Error),
}

/// What a server is made of, besides its routes.
#[derive(Debug)]
pub struct ServerSetup {
    /// `[http]`.
    pub http: HttpConfig,
    /// `[metrics]`.
    pub metrics: MetricsConfig,
    /// The checks behind `/readyz`.
    pub health: Health,
    /// The metrics of the service; those of HTTP are added.
    pub registry: Registry,
    /// Where errors are reported.
    pub reports: Option<Reports>,
    /// What stands before `/problems/…` in the type of a problem. The public URL, unless set.
    pub problem_base: Option<String>,
    /// Where request and trace ids come from.
    pub random: Arc<dyn Random>,
    /// What stands before the routes, if anything does.
    pub gate: Option<Gate>,
}

impl ServerSetup {
    /// A server with the defaults for everything that is not configured.
    pub fn new(http: HttpConfig, metrics: MetricsConfig) -> Self {
        Self {
            http,
            metrics,
            health: Health::default(),
            registry: Registry::default(),
            reports: None,
            problem_base: None,
            random: Arc::new(SystemRandom),
            gate: None,
        }
    }
}

/// What adds the routes of a service to a worker; called once in each.
pub trait Routes: Fn(&mut ServiceConfig) + Clone + Send + 'static {}
impl<F: Fn(&mut ServiceConfig) + Clone + Send + 'static> Routes for F {}
