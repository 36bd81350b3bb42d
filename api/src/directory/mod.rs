//! The people of a tenant, as far as this service has to know them.

mod newcomers;

pub use newcomers::Directory;
