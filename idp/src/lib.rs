//! Tenantry's identity provider: an OpenID Connect provider and OAuth 2.0 authorization server for many tenants.
//!
//! One folder per feature, each with the same files: `model` holds the rules, `store` the queries, `routes` the HTTP.
//! [`startup::Application`] wires them; nothing is global.

pub mod accounts;
pub mod audit;
pub mod cli;
pub mod clients;
pub mod config;
pub mod consent;
pub mod credentials;
pub mod events;
mod fault;
pub mod keys;
pub mod login;
pub mod maintenance;
pub mod management;
pub mod memberships;
pub mod oauth;
pub mod oidc;
pub mod pages;
pub mod params;
pub mod provision;
mod schema;
pub mod sessions;
pub mod startup;
pub mod state;
pub mod tenants;
pub mod users;

pub use config::Config;
pub use fault::Fault;
pub use startup::Application;
