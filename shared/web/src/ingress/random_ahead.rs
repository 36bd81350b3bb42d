//! Random bytes for the ids of requests.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use tenantry_types::Random;

/// What one request needs: 16 bytes for the trace, 8 for the span.
pub(super) const NEEDED: usize = 24;
const REQUESTS: usize = 64;

/// Fetches for many requests at once, in each worker: a call of the generator costs 1.5 µs however much it gives, as
/// much as the rest of admission. The ids are names, not secrets, so it does no harm that they wait in memory.
pub(super) struct RandomAhead {
    random: Arc<dyn Random>,
    fetched: RefCell<Fetched>,
}

struct Fetched {
    bytes: [u8; NEEDED * REQUESTS],
    used: usize,
}

impl RandomAhead {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        Self { random, fetched: RefCell::new(Fetched { bytes: [0; NEEDED * REQUESTS], used: NEEDED * REQUESTS }) }
    }

    pub(super) fn next(&self) -> [u8; NEEDED] {
        let mut fetched = self.fetched.borrow_mut();
        let Fetched { bytes, used } = &mut *fetched;
        if *used == bytes.len() {
            self.random.fill(bytes);
            *used = 0;
        }
        let mut next = [0; NEEDED];
        next.copy_from_slice(&bytes[*used..*used + NEEDED]);
        *used += NEEDED;
        next
    }
}

impl fmt::Debug for RandomAhead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RandomAhead").field("random", &self.random).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tenantry_types::SystemRandom;

    use super::*;

    #[test]
    fn no_request_gets_the_bytes_of_another() {
        let ahead = RandomAhead::new(Arc::new(SystemRandom));
        let given: HashSet<_> = (0..3 * REQUESTS).map(|_| ahead.next()).collect();
        assert_eq!(given.len(), 3 * REQUESTS);
        assert!(!given.contains(&[0; NEEDED]));
    }
}
