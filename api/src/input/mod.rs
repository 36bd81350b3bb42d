//! Reading what a client sent, with everything that is wrong with it at once.
//!
//! An [`Object`] is read member by member. What cannot be the value that it should be is noted under its JSON Pointer
//! (RFC 6901) and reading goes on; members that nobody asked for are noted when the object is [finished](Object::finish).

mod object;
mod precondition;

pub use object::{Errors, Object};
pub use precondition::{EntityTag, IfMatch, PreconditionError, is_not_modified};

/// What a failure of the database is to the client of any feature.
pub fn database_problem(error: &tenantry_db::DbError) -> tenantry_types::Problem {
    if error.is_transient() { tenantry_types::Problem::unavailable() } else { tenantry_types::Problem::internal() }
}
