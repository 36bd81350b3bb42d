//! Asking what somebody may do: explained in words, and over the network (AuthZEN Authorization API 1.0).
//!
//! Both put the same [`Question`] to the roles and policies that the guard of every route asks.

pub mod authzen;
pub mod error;
pub mod explain;
mod question;
pub mod store;

pub use error::DecisionError;
pub use question::{Answered, Asked, Question, is_base, is_open};

use crate::access::{Permission, Routes};

/// To ask what others may do, and why.
pub const EXPLAIN: Permission = Permission::new("access.explain");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    explain::configure(routes);
    authzen::configure(routes);
}
