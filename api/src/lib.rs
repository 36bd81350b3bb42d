//! Tenantry's resource API.
//!
//! It trusts access tokens of the identity provider's tenants and nothing else. One folder per feature, each with the
//! same files: `model` holds the rules, `store` the queries, `routes` the HTTP. [`startup::Application`] wires them;
//! nothing is global.
//!
//! A request's way, one direction only: `routes` → [`authn`] (who) → tenant scope (where) → [`access`] (may they) →
//! model (the rule) → store (one transaction: change, audit entry, outbox) → answer.

pub mod access;
pub mod audit;
pub mod authn;
pub mod change;
pub mod cli;
pub mod config;
pub mod console;
pub mod decisions;
pub mod directory;
mod gauges;
pub mod groups;
pub mod idempotency;
pub mod idp;
pub mod input;
pub mod kinds;
mod maintenance;
pub mod me;
pub mod openapi;
pub mod outbox;
pub mod permissions;
pub mod policies;
pub mod revocations;
pub mod roles;
pub mod routes;
mod schema;
pub mod security_events;
pub mod sessions;
pub mod signals;
pub mod startup;
pub mod state;
pub mod tenants;

pub use config::Config;
pub use startup::Application;
