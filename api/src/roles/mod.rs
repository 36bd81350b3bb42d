//! Roles, permissions, groups, and who has which.
//!
//! What these rows mean for a decision is [`crate::access`]; here they are made and changed.

pub mod model;
pub mod seed;
