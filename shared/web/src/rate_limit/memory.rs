//! Counters in the memory of the process: a fixed amount of it.
//!
//! A counter has one place where it can be: a set of eight, chosen by a hash under a key that is drawn when the process
//! starts, so that nobody can aim at a set. Each set has a lock of its own, held for some nanoseconds.
//!
//! When a set is full, the counter that would be forgotten first makes room. That is what a flood of strangers consists
//! of: a counter with one request in it is forgotten after one interval, some milliseconds. To push out somebody who is
//! near a limit or distrusted, eight others of the same set have to be nearer to theirs, each at the price of the
//! requests that lead there; and whoever is pushed out loses nothing but what was held against them.

use std::hash::{BuildHasher as _, Hash, RandomState};

use parking_lot::Mutex;

use super::gcra::Counter;

/// Counters in a set: with the lock they fill three lines of a processor's cache.
const SET: usize = 8;

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    /// The hash of the key; two keys of a million share one with a probability of one to 10⁷.
    hash: u64,
    counter: Counter,
}

/// A fixed number of counters.
#[derive(Debug)]
pub(super) struct Table {
    sets: Box<[Mutex<[Slot; SET]>]>,
    hasher: RandomState,
}

impl Table {
    /// A table for `counters` at least, each of 24 bytes.
    pub(super) fn new(counters: usize) -> Self {
        let sets = counters.div_ceil(SET).next_power_of_two();
        Self { sets: (0..sets).map(|_| Mutex::default()).collect(), hasher: RandomState::new() }
    }

    /// Does something with the counter of `key`, which is empty when nothing is known.
    pub(super) fn with<T>(&self, key: &impl Hash, change: impl FnOnce(&mut Counter) -> T) -> T {
        let hash = self.hasher.hash_one(key);
        // The set by the upper half, so that within a set the lower half still tells keys apart.
        #[allow(clippy::cast_possible_truncation, reason = "the number of sets is far below 2³²")]
        let index = (hash >> 32) as usize & (self.sets.len() - 1);
        let mut set = self.sets[index].lock();
        let mut place = 0;
        for index in 0..SET {
            if set[index].hash == hash {
                return change(&mut set[index].counter);
            }
            if set[index].counter.forgotten_at() < set[place].counter.forgotten_at() {
                place = index;
            }
        }
        set[place] = Slot { hash, counter: Counter::default() };
        change(&mut set[place].counter)
    }
}

#[cfg(test)]
mod tests {
    use super::super::LimitConfig;
    use super::super::gcra::Limit;
    use super::*;

    const NOW: u64 = 1_800_000_000_000_000;

    #[test]
    fn each_key_has_its_own() {
        let table = Table::new(10_000);
        for key in 0..1_000_u32 {
            table.with(&key, |counter| counter.empty_at = u64::from(key) + 1);
        }
        for key in 0..1_000_u32 {
            assert_eq!(table.with(&key, |counter| counter.empty_at), u64::from(key) + 1);
        }
    }

    #[test]
    fn a_flood_of_strangers_pushes_out_nobody_who_is_near_the_limit() {
        let limit = Limit::new(LimitConfig::per_minute(1_200)).unwrap();
        let table = Table::new(1_024);
        for _ in 0..600 {
            table.with(&"heavy", |counter| limit.take(counter, NOW)).unwrap();
        }
        table.with(&"distrusted", |counter| limit.refused(counter, NOW));
        for stranger in 0..1_000_000_u32 {
            table.with(&stranger, |counter| limit.take(counter, NOW)).unwrap();
        }
        assert_eq!(table.with(&"heavy", |counter| limit.reading(counter, NOW)).remaining, 600);
        assert!(table.with(&"distrusted", |counter| counter.trusted_at) > NOW);
    }

    #[test]
    fn its_size_does_not_grow() {
        let table = Table::new(1_000);
        assert_eq!(table.sets.len() * SET, 1_024);
        assert!(size_of::<Mutex<[Slot; SET]>>() <= 208);
    }
}
