//! A bound on how often something is done.

use std::time::Duration;

use parking_lot::Mutex;
use tenantry_types::UtcTime;

/// A token bucket: `burst` at once, then one every `interval`.
#[derive(Debug)]
pub(crate) struct RateLimit {
    burst: u32,
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    left: u32,
    counted: UtcTime,
}

impl RateLimit {
    pub(crate) fn new(burst: u32, interval: Duration, now: UtcTime) -> Self {
        Self { burst, interval, state: Mutex::new(State { left: burst, counted: now }) }
    }

    /// Whether it may be done now; counts it when it may.
    pub(crate) fn take(&self, now: UtcTime) -> bool {
        let mut state = self.state.lock();
        let earned = now.since(state.counted).as_micros() / self.interval.as_micros().max(1);
        let earned = u32::try_from(earned).unwrap_or(u32::MAX);
        if earned > 0 {
            state.left = state.left.saturating_add(earned).min(self.burst);
            state.counted = if state.left == self.burst { now } else { state.counted + self.interval * earned };
        }
        let may = state.left > 0;
        state.left -= u32::from(may);
        may
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let start = UtcTime::from_unix_seconds(1_000).unwrap();
        let limit = RateLimit::new(2, Duration::from_secs(10), start);
        assert!(limit.take(start) && limit.take(start) && !limit.take(start));
        let later = start + Duration::from_secs(15);
        assert!(limit.take(later) && !limit.take(later));
        // The five seconds that were over still count.
        assert!(limit.take(start + Duration::from_secs(20)));
        let much_later = start + Duration::from_secs(1_000_000_000);
        assert!(limit.take(much_later) && limit.take(much_later) && !limit.take(much_later));
        assert!(!limit.take(start), "a clock that goes back earns nothing");
    }
}
