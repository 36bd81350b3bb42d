//! Ports that are known before anybody listens on them.

#![allow(clippy::expect_used, reason = "a test without its port can only stop")]

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

const FIRST: u32 = 10_000;
/// Where Linux begins to give out ports of its own accord, unless it is told otherwise.
const EPHEMERAL: u32 = 32_768;
const RANGE: &str = "/proc/sys/net/ipv4/ip_local_port_range";

static GIVEN: AtomicU32 = AtomicU32::new(0);

/// A port of the loopback address that nobody listens on, for a service whose public URL has to be known before it starts.
///
/// The system gives ports of its ephemeral range to whoever asks for any port or opens a connection, so that one found
/// there may be gone a moment later. These lie below, and none is given twice in one process.
///
/// # Panics
/// When all are taken.
pub fn free_port() -> u16 {
    let end = std::fs::read_to_string(RANGE)
        .ok()
        .and_then(|range| range.split_whitespace().next()?.parse().ok())
        .filter(|&end| end > FIRST)
        .unwrap_or(EPHEMERAL);
    let count = end - FIRST;
    // Test programs that run at once begin at different places.
    let start = process::id().wrapping_mul(2_654_435_761) % count;
    for _ in 0..count {
        let given = GIVEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + (start + given % count) % count).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}
