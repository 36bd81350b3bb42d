//! Reading what a client sent, with everything that is wrong with it at once.
//!
//! An [`Object`] is read member by member. What cannot be the value that it should be is noted under its JSON Pointer
//! (RFC 6901) and reading goes on; members that nobody asked for are noted when the object is [finished](Object::finish).

mod object;

pub use object::{Change, Errors, Object};
