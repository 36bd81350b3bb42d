//! The service as its callers see it: modules mirror the URLs.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod access;
mod access_log;
mod api;
mod audit;
mod authority;
mod browser;
mod cli;
mod connected;
mod console;
mod console_gateway;
mod console_pages;
mod console_refusals;
mod contract;
mod cors;
mod crossings;
mod delegation;
mod dns;
mod docs;
mod dpop;
mod fake_accounts;
mod fake_idp;
mod fake_management;
mod faults;
mod fire;
mod health;
mod http;
mod isolation;
mod outbox;
mod provider;
mod ratchets;
mod rate_limits;
mod replicas;
mod roles_told;
mod schema;
mod support;
mod together;
mod watched;
