//! The rows of policies, their versions and their assignments.

mod assignments;
mod recorded;
mod rows;
mod versions;

pub use assignments::{
    Assignment, count_assignments, find_assignment, insert_assignment, insert_assignments, list_assignments, missing,
    remove_assignment,
};
pub use recorded::{RecordedRow, recorded_decisions};
pub use rows::{PolicyFilter, Stored, count, delete, find, insert, list, names_but, update, with_ids};
pub use versions::{Version, add_version, find_version, list_versions};
