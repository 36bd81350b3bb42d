//! Consent: what a user has allowed a client.

pub mod store;
