//! Messages to the outside, written in the transaction of the change that they tell of, and delivered until they arrive.

mod deliver;
mod metrics;
mod prune;
mod store;

pub use deliver::{Deliveries, Delivery, Letter, Recipient};
pub use prune::prune;
pub use store::{Message, enqueue, enqueue_all};
