//! Reading what a client sent, with everything that is wrong with it at once.
//!
//! An [`Object`] is read member by member. What cannot be the value that it should be is noted under its JSON Pointer
//! (RFC 6901) and reading goes on; members that nobody asked for are noted when the object is [finished](Object::finish).

mod name;
mod precondition;
mod versioned;

pub use name::{Look, name};
pub use precondition::{EntityTag, IfMatch, OptionalIfMatch, PreconditionError};
pub use versioned::versioned;

use precondition::is_not_modified;
pub use tenantry_web::input::{Errors, Object};

/// Reads a text of one line: 1 to `MOST` characters, none of which is a control character.
///
/// # Errors
/// What it must be.
pub fn line<const MOST: usize>(text: &str) -> Result<String, String> {
    let good = (1..=MOST).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if good { Ok(text.to_owned()) } else { Err(format!("must be 1 to {MOST} characters, without control characters")) }
}

/// What a failure of the database is to the client of any feature.
pub fn database_problem(error: &tenantry_db::DbError) -> tenantry_types::Problem {
    if error.is_transient() { tenantry_types::Problem::unavailable() } else { tenantry_types::Problem::internal() }
}
