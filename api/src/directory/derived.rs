//! Identifiers that a repeat of a request finds again.

use std::fmt::Write as _;

use aws_lc_rs::digest;
use tenantry_types::Id;

/// The identifier that this text always gives: a UUID with 122 bits of its SHA-256 (RFC 9562 §5.8).
pub(super) fn derived_id<E>(text: &str) -> Option<Id<E>> {
    let mut hex = String::with_capacity(64);
    for byte in digest::digest(&digest::SHA256, text.as_bytes()).as_ref() {
        let _ = write!(hex, "{byte:02x}");
    }
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    let (time, node) = (part(0, 8), part(20, 32));
    format!("{time}-{}-8{}-a{}-{node}", part(8, 12), part(13, 16), part(17, 20)).parse().ok()
}
