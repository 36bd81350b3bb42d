//! The tenants of this service: made, renamed, switched off and on, with their domains, modules and settings.
//!
//! A tenant is made at the identity provider and here, under one id. What one side does not know yet is a row of
//! [`tasks`], written in the transaction of the change and gone when both sides agree; whoever breaks off in between, the
//! worker goes on.

pub mod domains;
mod error;
mod model;
pub mod modules;
mod provision;
pub mod routes;
pub mod settings;
mod store;
mod target;
pub mod tasks;
mod update;
mod view;

pub use error::TenantError;
