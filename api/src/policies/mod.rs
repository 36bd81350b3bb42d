//! Policies as tenants keep them: written, versioned, switched on and off, assigned.
//!
//! What a policy means is [`crate::access::policy`]; here it is made and changed. The rules behind every change are in
//! `escalation`: nobody says by a policy what they do not hold, frees themselves of one, or locks everybody out.

mod assign;
mod change;
pub mod error;
mod escalation;
mod kind;
pub mod model;
pub mod routes;
mod simulation;
mod store;

pub use error::PolicyError;
