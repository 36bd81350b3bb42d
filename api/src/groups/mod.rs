//! Groups of users. A group has roles, which all of its members have; a group that is a part of another has that one's
//! roles as well.

pub mod error;
mod kind;
pub mod parts;
pub mod routes;
mod rules;
mod store;

pub use error::GroupError;
