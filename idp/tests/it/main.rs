//! The identity provider, driven over HTTP. Modules mirror the URLs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::missing_panics_doc)]

mod attacks;
mod authorize;
mod cli;
mod crash;
mod discovery;
mod end_session;
mod events;
mod faults;
mod login_domain;
mod management;
mod members;
mod operations;
mod ratchets;
mod relying_party;
mod schema;
mod sign_in;
mod support;
mod token;
mod userinfo;
