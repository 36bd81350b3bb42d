//! Telling every replica that what it remembers is not so any more.
//!
//! A signal is a row that is written in the transaction of the change. The process that made the change forgets at once;
//! the others look for new rows several times a second. Whoever cannot look for longer than a moment trusts nothing that
//! it remembers ([`Signals::is_current`]): what is stale is never an answer.

mod model;
mod store;
mod watch;

pub use model::{Signal, SignalKind};
pub use store::send;
pub use watch::Signals;
