//! The passage of a request in and of its answer out.
//!
//! From the outside in: Sentry (when on) → `Ingress`: context, headers, metrics → the root span → `Containment`:
//! refusals, time limit, panics → the routes. [`Server`](crate::server::Server) puts them together.

mod admission;
mod containment;
mod context;
mod finish;
mod forwarded;
mod headers;
mod host;
mod middleware;
mod request_id;
mod trace;

pub(crate) use containment::Containment;
pub use context::{ClientAddress, RequestContext};
pub use host::{ExternalOrigin, Scheme};
pub(crate) use middleware::Ingress;
pub use request_id::RequestId;
pub use trace::TraceContext;

/// The random bytes that a request needs for its names: 16 for the trace, 8 for the span.
const NEEDED: usize = 24;
