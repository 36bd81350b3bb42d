//! W3C Trace Context: which trace a request belongs to, and how to pass that on.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

use super::NEEDED;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// What vendors may keep in `tracestate`; longer is dropped (§3.3.1.5 lets us).
const TRACESTATE_LIMIT: usize = 512;

/// The trace of a request and the span of this service in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: [u8; 32],
    span_id: [u8; 16],
    flags: u8,
    state: Option<HeaderValue>,
}

impl TraceContext {
    /// Joins the trace of `headers`, or starts one out of `random`.
    pub(super) fn join_or_start(headers: &HeaderMap, random: [u8; NEEDED]) -> Self {
        let (trace_bytes, span_bytes) = random.split_at(16);
        let mut span_id = [0; 16];
        hex(span_bytes, &mut span_id);
        let mut parents = headers.get_all(&TRACEPARENT);
        let joined = parents.next().filter(|_| parents.next().is_none()).and_then(|value| parse(value.as_bytes()));
        if let Some((trace_id, flags)) = joined {
            let state = headers.get(&TRACESTATE).filter(|value| value.len() <= TRACESTATE_LIMIT).cloned();
            return Self { trace_id, span_id, flags, state };
        }
        let mut trace_id = [0; 32];
        hex(trace_bytes, &mut trace_id);
        Self { trace_id, span_id, flags: 0, state: None }
    }

    /// The id of the trace, 32 hexadecimal digits.
    pub fn trace_id(&self) -> &str {
        str::from_utf8(&self.trace_id).unwrap_or_default()
    }

    /// The id of this service's span in it, 16 hexadecimal digits.
    pub fn span_id(&self) -> &str {
        str::from_utf8(&self.span_id).unwrap_or_default()
    }

    /// The headers that carry the trace on: for every request made while this one is answered.
    pub fn outgoing(&self) -> impl Iterator<Item = (&'static str, String)> {
        let parent = format!("00-{}-{}-{:02x}", self.trace_id(), self.span_id(), self.flags);
        let state = self.state.as_ref().and_then(|value| value.to_str().ok()).map(str::to_owned);
        [("traceparent", parent)].into_iter().chain(state.map(|state| ("tracestate", state)))
    }
}

/// `version-trace id-parent id-flags` (§3.2); the trace id and the flags that we pass on.
fn parse(value: &[u8]) -> Option<([u8; 32], u8)> {
    let (known, rest) = value.split_at_checked(55)?;
    let [v1, v2, b'-', ..] = known else { return None };
    let (trace_id, parent_id, flags) = (&known[3..35], &known[36..52], &known[53..55]);
    let version = hex_byte(*v1, *v2)?;
    // Version 00 ends here; a later one may go on after a dash, and 255 is forbidden.
    let well_ended = rest.is_empty() || (version > 0 && rest[0] == b'-');
    let lower_hex = |bytes: &[u8]| bytes.iter().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let zero = |bytes: &[u8]| bytes.iter().all(|b| *b == b'0');
    let good = version != 0xff
        && well_ended
        && known[35] == b'-'
        && known[52] == b'-'
        && lower_hex(trace_id)
        && lower_hex(parent_id)
        && !zero(trace_id)
        && !zero(parent_id);
    // Only the flag "sampled" has a meaning in the version that we write.
    let flags = hex_byte(flags[0], flags[1])? & 1;
    if good { Some((trace_id.try_into().ok()?, flags)) } else { None }
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Writes `bytes` as hexadecimal digits into `out`, which is twice as long.
pub(super) fn hex(bytes: &[u8], out: &mut [u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (byte, pair) in bytes.iter().zip(out.chunks_exact_mut(2)) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn join(parents: &[&str], state: Option<&str>) -> TraceContext {
        let mut headers = HeaderMap::new();
        for parent in parents {
            headers.append(TRACEPARENT.clone(), HeaderValue::from_str(parent).unwrap());
        }
        if let Some(state) = state {
            headers.append(TRACESTATE.clone(), HeaderValue::from_str(state).unwrap());
        }
        TraceContext::join_or_start(&headers, [0xab; NEEDED])
    }

    #[test]
    fn a_trace_is_joined_and_passed_on_under_our_own_span() {
        let trace = join(&[PARENT], Some("vendor=1"));
        assert_eq!(trace.trace_id(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let outgoing: Vec<_> = trace.outgoing().collect();
        assert_eq!(outgoing[0].1, "00-4bf92f3577b34da6a3ce929d0e0e4736-abababababababab-01");
        assert_eq!(outgoing[1], ("tracestate", "vendor=1".to_owned()));
        let later = PARENT.replacen("00", "cc", 1) + "-more";
        assert_eq!(join(&[&later], None).trace_id(), trace.trace_id());
    }

    #[test]
    fn what_is_not_a_traceparent_starts_a_new_trace() {
        for bad in [
            "",
            "x",
            &PARENT.to_uppercase(),
            &PARENT[..54],
            &format!("{PARENT}-more"),
            &PARENT.replacen("00", "ff", 1),
            &PARENT.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &PARENT.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &PARENT.replace('-', "_"),
        ] {
            assert_eq!(join(&[bad], Some("v=1")).trace_id(), "ab".repeat(16), "{bad:?}");
            assert_eq!(join(&[bad], Some("v=1")).outgoing().count(), 1, "its state is dropped too");
        }
        assert_eq!(join(&[PARENT, PARENT], None).trace_id(), "ab".repeat(16));
        assert_eq!(join(&[PARENT], Some(&"x".repeat(513))).outgoing().count(), 1);
    }
}
