//! Counters of one process, bounded in number.

use moka::future::Cache;
use moka::ops::compute::Op;

use super::{Attempt, MEMORY};

#[derive(Debug, Clone, Copy)]
struct Counter {
    failures: u32,
    blocked_until: u64,
}

/// Counters of this process; the least used go first when there are too many.
#[derive(Debug, Clone)]
pub struct MemoryThrottle {
    counters: Cache<String, Counter>,
}

impl MemoryThrottle {
    pub(super) fn new() -> Self {
        Self { counters: Cache::builder().max_capacity(200_000).time_to_idle(MEMORY).build() }
    }

    pub(super) async fn blocked_until(&self, attempt: &Attempt) -> u64 {
        let mut latest = 0;
        for (_, key) in attempt.keys() {
            latest = latest.max(self.counters.get(&key).await.map_or(0, |counter| counter.blocked_until));
        }
        latest
    }

    pub(super) async fn failures(&self, key: &str) -> u32 {
        self.counters.get(key).await.map_or(0, |counter| counter.failures)
    }

    pub(super) async fn failed(&self, attempt: &Attempt, now: u64) {
        for (limit, key) in attempt.keys() {
            self.counters
                .entry(key)
                .and_compute_with(|entry| {
                    let failures = entry.map_or(0, |entry| entry.into_value().failures).saturating_add(1);
                    std::future::ready(Op::Put(Counter { failures, blocked_until: now + limit.wait_after(failures) }))
                })
                .await;
        }
    }

    pub(super) async fn forget_account(&self, attempt: &Attempt) {
        self.counters.invalidate(&attempt.personal().1).await;
    }
}
