//! The modules of the service: which of them a tenant has, and how they are set up.
//!
//! A tenant has every module until it is switched off. The routes of a module say so in the table of routes, and are not
//! there for a tenant that has switched it off.

mod model;
pub mod routes;
mod store;

pub use model::{BOOKINGS, CONTENT, NOTIFICATIONS, PROVIDERS, WORKFLOWS};
