//! Who was asked about and is nobody of the tenant.

use std::time::Duration;

use moka::sync::Cache;
use tenantry_types::{TenantId, UserId};

/// How long it is believed that somebody is not there, unless a signal tells of them before.
const ABSENT_FOR: Duration = Duration::from_secs(30);
/// How many are remembered.
const MOST: u64 = 10_000;

/// People whom a tenant does not have, so that they are not looked for each time that somebody asks about them.
#[derive(Debug)]
pub(super) struct Absent(Cache<(TenantId, UserId), ()>);

impl Absent {
    pub(super) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_live(ABSENT_FOR).build())
    }

    /// Whether they were not there a moment ago.
    pub(super) fn has(&self, person: &(TenantId, UserId)) -> bool {
        self.0.contains_key(person)
    }

    /// Remembers that they are not there, if that `is_still_so`: asked after it is remembered, so that nobody comes between.
    pub(super) fn remember(&self, person: (TenantId, UserId), is_still_so: impl FnOnce() -> bool) {
        self.0.insert(person, ());
        if !is_still_so() {
            self.forget(&person);
        }
    }

    /// They may be there now.
    pub(super) fn forget(&self, person: &(TenantId, UserId)) {
        self.0.invalidate(person);
    }

    /// Anybody may be there now.
    pub(super) fn forget_all(&self) {
        self.0.invalidate_all();
    }
}
