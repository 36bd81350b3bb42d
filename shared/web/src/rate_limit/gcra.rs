//! The generic cell rate algorithm, and how it gets tighter. Times are microseconds since 1970.
//!
//! A counter holds the time at which it will be empty again (the theoretical arrival time of ITU-T I.371). Each request
//! moves it by one interval; a request that would move it further than the tolerance beyond now is refused.
//!
//! The same idea measures distrust: a refusal moves the time at which the caller will be trusted again. The further off
//! that is, the longer is each interval, by a power of two, within a tolerance that stays.

use super::LimitConfig;

const SECOND: u64 = 1_000_000;

/// From this much distrust on the limit is halved; with each doubling of it once more.
pub(super) const FIRST_STEP: u64 = 60 * SECOND;

/// How often the limit is halved at most.
pub(super) const MOST_STEPS: u32 = 4;

/// More distrust than this is not remembered.
pub(super) const MOST_DISTRUST: u64 = 600 * SECOND;

/// A refusal costs the trust that so many intervals of the limit win back: a twentieth of the requests may be refused
/// for ever.
const INTERVALS_A_REFUSAL: u64 = 20;

/// A refusal does not cost more than this, however low the limit is.
const MOST_A_REFUSAL: u64 = 6 * SECOND;

/// One limit, ready to be applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) requests: u32,
    pub(super) seconds: u32,
    /// Between two requests, in the long run.
    pub(super) interval: u64,
    /// How far beyond now a counter may be.
    pub(super) tolerance: u64,
    /// What a refusal costs.
    pub(super) distrust: u64,
}

/// What is known of one caller. One that is empty and trusted is as good as none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counter {
    /// When it is empty.
    pub(super) empty_at: u64,
    /// When the caller is trusted again.
    pub(super) trusted_at: u64,
}

/// Where somebody stands with one limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Reading {
    /// Requests in the window, as it is for this caller now.
    pub(super) quota: u32,
    /// The window, in seconds.
    pub(super) window: u32,
    /// Requests that would be let through now.
    pub(super) remaining: u64,
    /// Seconds until all of them are there again; after a refusal, until one is.
    pub(super) reset: u64,
}

impl Limit {
    /// `None` when it is switched off.
    pub(super) fn new(config: LimitConfig) -> Option<Self> {
        let LimitConfig { requests, seconds, burst } = config;
        if requests == 0 {
            return None;
        }
        let interval = (u64::from(seconds) * SECOND / u64::from(requests)).max(1);
        let tolerance = interval * u64::from(burst.unwrap_or(requests).max(1));
        let distrust = (interval * INTERVALS_A_REFUSAL).min(MOST_A_REFUSAL);
        Some(Self { requests, seconds, interval, tolerance, distrust })
    }

    /// Counts a request.
    ///
    /// # Errors
    /// When it is one too many; it does not count then.
    pub(super) fn take(&self, counter: &mut Counter, now: u64) -> Result<Reading, Reading> {
        let (interval, tolerance) = self.settle(counter, now);
        let after = counter.empty_at + interval;
        if after - now > tolerance {
            return Err(self.refusal(counter, now));
        }
        counter.empty_at = after;
        Ok(self.reading(counter, now))
    }

    /// Brings the times of a counter to where they can be: the clock may have been set back. Gives the interval and the
    /// tolerance for this caller.
    pub(super) fn settle(&self, counter: &mut Counter, now: u64) -> (u64, u64) {
        counter.trusted_at = counter.trusted_at.min(now + MOST_DISTRUST);
        let (interval, tolerance) = self.applied_to(counter, now);
        counter.empty_at = counter.empty_at(now, tolerance);
        (interval, tolerance)
    }

    /// Takes a request back that was counted.
    pub(super) fn give_back(&self, counter: &mut Counter, now: u64) {
        let (interval, _) = self.applied_to(counter, now);
        counter.empty_at = counter.empty_at.saturating_sub(interval);
    }

    /// Where the caller stands.
    pub(super) fn reading(&self, counter: &Counter, now: u64) -> Reading {
        let (interval, tolerance) = self.applied_to(counter, now);
        let used = counter.empty_at(now, tolerance) - now;
        Reading {
            quota: (self.requests >> counter.steps(now)).max(1),
            window: self.seconds,
            remaining: (tolerance - used) / interval,
            reset: used.div_ceil(SECOND),
        }
    }

    /// Where a caller stands whose request was refused: how long the next has to wait.
    pub(super) fn refusal(&self, counter: &Counter, now: u64) -> Reading {
        let (interval, tolerance) = self.applied_to(counter, now);
        let wait = (counter.empty_at(now, tolerance) + interval).saturating_sub(now + tolerance);
        Reading { remaining: 0, reset: wait.div_ceil(SECOND).max(1), ..self.reading(counter, now) }
    }

    /// Something was refused to the caller.
    pub(super) fn refused(&self, counter: &mut Counter, now: u64) {
        counter.trusted_at = (counter.trusted_at.max(now) + self.distrust).min(now + MOST_DISTRUST);
    }

    /// Interval and tolerance for this caller. One request is let through however far off trust is.
    fn applied_to(&self, counter: &Counter, now: u64) -> (u64, u64) {
        let interval = self.interval << counter.steps(now);
        (interval, self.tolerance.max(interval))
    }
}

impl Counter {
    /// How often the limit is halved.
    pub(super) fn steps(&self, now: u64) -> u32 {
        let left = self.trusted_at.saturating_sub(now).min(MOST_DISTRUST);
        (0..MOST_STEPS).map(|step| u32::from(left >= FIRST_STEP << step)).sum()
    }

    /// When it is empty, neither before now nor further off than it can have come.
    fn empty_at(&self, now: u64, tolerance: u64) -> u64 {
        self.empty_at.clamp(now, now + tolerance)
    }

    /// The more that another replica knows.
    pub(super) fn merge(&mut self, other: Self) {
        self.empty_at = self.empty_at.max(other.empty_at);
        self.trusted_at = self.trusted_at.max(other.trusted_at);
    }

    /// When there is nothing left to know.
    pub(super) fn forgotten_at(&self) -> u64 {
        self.empty_at.max(self.trusted_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000 * SECOND;

    fn limit(requests: u32, seconds: u32, burst: u32) -> Limit {
        Limit::new(LimitConfig { requests, seconds, burst: Some(burst) }).unwrap()
    }

    fn taken(limit: &Limit, counter: &mut Counter, now: u64) -> usize {
        (0..1_000_000).take_while(|_| limit.take(counter, now).is_ok()).count()
    }

    #[test]
    fn a_burst_and_then_one_an_interval() {
        let (limit, mut counter) = (limit(60, 60, 5), Counter::default());
        assert_eq!(limit.take(&mut counter, NOW).unwrap(), Reading { quota: 60, window: 60, remaining: 4, reset: 1 });
        assert_eq!(taken(&limit, &mut counter, NOW), 4);
        assert_eq!(limit.take(&mut counter, NOW).unwrap_err().reset, 1);
        assert_eq!(taken(&limit, &mut counter, NOW + SECOND - 1), 0);
        assert_eq!(taken(&limit, &mut counter, NOW + SECOND), 1);
        assert_eq!(taken(&limit, &mut counter, NOW + 1_000 * SECOND), 5, "no more is saved up than the burst");
    }

    #[test]
    fn in_the_long_run_it_is_the_rate() {
        let (limit, mut counter) = (limit(1_200, 60, 100), Counter::default());
        let through: usize = (0..600).map(|tenth| taken(&limit, &mut counter, NOW + tenth * SECOND / 10)).sum();
        assert!((1_200..=1_300).contains(&through), "{through}");
    }

    #[test]
    fn a_clock_that_is_set_back_locks_nobody_out() {
        let (limit, mut counter) = (limit(60, 60, 60), Counter::default());
        taken(&limit, &mut counter, NOW);
        let refusal = limit.take(&mut counter, NOW - 100_000 * SECOND).unwrap_err();
        assert_eq!(refusal.reset, 1);
        assert_eq!(taken(&limit, &mut counter, NOW - 99_940 * SECOND), 60);
    }

    #[test]
    fn a_twentieth_may_be_refused_for_ever() {
        let (limit, mut counter) = (limit(1_200, 60, 1_200), Counter::default());
        for second in 0..10_000 {
            limit.refused(&mut counter, NOW + second * SECOND);
            assert_eq!(counter.steps(NOW + second * SECOND), 0);
        }
    }

    #[test]
    fn refusals_halve_the_limit_step_by_step_and_time_takes_it_back() {
        let (limit, mut counter) = (limit(1_200, 60, 1_200), Counter::default());
        let mut steps_after = Vec::new();
        for refusals in 1..=700 {
            limit.refused(&mut counter, NOW);
            if steps_after.len() < counter.steps(NOW) as usize {
                steps_after.push(refusals);
            }
        }
        assert_eq!(steps_after, [60, 120, 240, 480]);
        assert_eq!(limit.reading(&counter, NOW), Reading { quota: 75, window: 60, remaining: 75, reset: 0 });
        assert_eq!(taken(&limit, &mut counter.clone(), NOW), 75);
        let recovered = |seconds| counter.steps(NOW + seconds * SECOND);
        assert_eq!([0, 120, 121, 361, 481, 541].map(recovered), [4, 4, 3, 2, 1, 0]);
        assert_eq!(taken(&limit, &mut counter.clone(), NOW + 541 * SECOND), 1_200);
    }

    #[test]
    fn the_tightest_limit_lets_something_through() {
        let (limit, mut counter) = (limit(1, 60, 1), Counter::default());
        for _ in 0..1_000 {
            limit.refused(&mut counter, NOW);
        }
        assert_eq!(counter.steps(NOW), MOST_STEPS);
        assert_eq!(taken(&limit, &mut counter, NOW), 1);
        assert_eq!(limit.reading(&counter, NOW).quota, 1);
    }

    #[test]
    fn what_is_given_back_was_never_taken() {
        let (limit, mut counter) = (limit(10, 60, 10), Counter::default());
        limit.take(&mut counter, NOW).unwrap();
        limit.give_back(&mut counter, NOW);
        assert_eq!(taken(&limit, &mut counter, NOW), 10);
    }

    #[test]
    fn extremes_do_not_overflow() {
        for limit in [limit(1, 86_400, 1), limit(u32::MAX, 86_400, u32::MAX), limit(4_000_000, 4, 4_000_000)] {
            let mut counter = Counter { empty_at: u64::MAX / 2, trusted_at: u64::MAX / 2 };
            let _ = limit.take(&mut counter, NOW);
            limit.refused(&mut counter, NOW);
            limit.give_back(&mut counter, NOW);
            assert!(limit.reading(&counter, NOW).window > 0);
        }
    }
}
