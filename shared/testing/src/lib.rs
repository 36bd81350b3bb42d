//! What tests of several crates need: databases, services in processes of their own, a proxy in front of replicas, a
//! browser, a reader of pages, and rules that hold for every schema and source.

pub mod markup;
pub mod ratchet;
pub mod schema;

mod chromium;
mod database;
mod port;
mod process;
mod property;
mod proxy;

pub use chromium::Chromium;
pub use database::*;
pub use port::free_port;
pub use process::ServiceProcess;
pub use property::{PROPTEST_CASES, cases};
pub use proxy::RoundRobin;
