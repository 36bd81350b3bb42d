//! The description of the API (OpenAPI 3.1), made from the code, and the interactive reference.

mod document;
mod kinds;
mod reference;
pub mod routes;

pub use document::{Document, document};
