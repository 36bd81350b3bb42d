//! Limits on how many requests somebody may make.
//!
//! Each limit is kept by the generic cell rate algorithm: so many requests at once, and then one whenever the time of one
//! has passed. One request counts for several: the address that it comes from, before anything else is looked at; and, as
//! soon as it is known who calls, the tenant, the client and the user. Who is refused a lot gets less ([`Kind`] says of
//! whom that is held), in steps that time takes back.
//!
//! The counters are in the memory of the process: a fixed amount of it, whoever comes. With Redis all replicas count
//! together, in one round trip for each request; while Redis is away each goes on with what it knows.
//!
//! [`limit`] goes around a scope, [`identified`] is called as soon as the caller is known. Answers say where the caller
//! stands (`RateLimit`, `RateLimit-Policy`: draft-ietf-httpapi-ratelimit-headers).

mod config;
mod gcra;
mod headers;
mod key;
mod limiter;
mod memory;
mod middleware;
mod shared;

pub use config::{LimitConfig, RateLimitsConfig};
pub use headers::RateLimited;
pub use key::{Caller, Kind};
pub use limiter::RateLimiter;
pub use middleware::{forgive, identified, limit};
