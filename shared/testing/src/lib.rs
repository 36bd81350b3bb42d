//! What tests of several crates need: databases, a browser, a reader of pages.

pub mod markup;

mod chromium;
mod database;
pub use chromium::Chromium;
pub use database::*;
