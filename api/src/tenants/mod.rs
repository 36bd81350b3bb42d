//! The tenants of this service, and their settings.
//!
//! The identity provider says which tenants there are. A row of ours is made, or brought up to date, when something is
//! first written for a tenant.

pub mod settings;
