//! Messages to the outside, written in the transaction of the change that they tell of.
//!
//! Whoever delivers them comes with the first feature that has something to deliver: notifications, webhooks, events.

mod store;

pub use store::{Message, enqueue};
