//! A real server on a free port, spoken to over TCP.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bodies;
mod client;
mod connections;
mod cors;
mod headers;
mod health;
mod lifecycle;
mod limits;
mod metrics;
mod origin;
mod problems;
mod reports;
mod server;
mod telemetry;
