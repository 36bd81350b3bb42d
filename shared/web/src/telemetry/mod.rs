//! What the service tells about itself: the log, and reports of errors.

mod cause;
mod json;
mod reports;
mod root_span;
mod start;

pub use cause::{Cause, with_causes};
pub use reports::Reports;
pub(crate) use root_span::RequestSpan;
pub use root_span::record_tenant;
pub use start::{Telemetry, TelemetryError, init, init_to};
