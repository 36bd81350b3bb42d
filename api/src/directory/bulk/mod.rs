//! Many people at once: what comes in and what goes out is never in memory as a whole.

mod csv;
pub(crate) mod export;
pub(crate) mod import;
mod lease;
mod lines;
mod report;
