//! What the identity provider is still to be told about a tenant.
//!
//! A task says what is wanted, not what is to be done: it can be performed again and again, and a newer wish takes the
//! place of an older one. It is written in the transaction of the change that brought it about. The request that made it
//! performs it at once; the worker performs what was left over, by a crash of this process, or because the identity
//! provider was away. A lease keeps two from performing one task at once, so that an older wish never arrives after a
//! newer one.

mod model;
mod runner;
pub(super) mod store;

pub use model::TaskKind;
pub(super) use model::{Author, Task};
pub(super) use runner::Settled;
pub use runner::Tasks;
