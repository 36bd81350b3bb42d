//! All limits of a service.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::Pool;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter as Count;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use tenantry_types::Clock;

use super::gcra::{Counter, Limit, Reading};
use super::headers::{Policies, RateLimited};
use super::key::{Caller, Key, Kind, Network};
use super::memory::Table;
use super::shared::{Question, Shared};
use super::{LimitConfig, RateLimitsConfig};

/// Counters of addresses, and as many of everybody else: 3 MB each.
const COUNTERS: usize = 1 << 17;
/// Counters of addresses that other services send from.
const STEADY_COUNTERS: usize = 1 << 13;

/// All limits of a service. Clones share the counters.
#[derive(Debug, Clone)]
pub struct RateLimiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    is_enabled: bool,
    /// Whether who is refused a lot gets less.
    is_adaptive: bool,
    /// By kind.
    limits: [Option<Limit>; 4],
    policies: Policies,
    /// Apart, because anybody can come from many addresses, while the provider knows how many callers there are.
    addresses: Table,
    callers: Table,
    shared: Option<Shared>,
    clock: Arc<dyn Clock>,
    refusals: Family<Labels, Count>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    limit: &'static str,
}

/// What has been counted for one request, by kind.
#[derive(Debug, Default, Clone)]
pub(super) struct Tab {
    pub(super) readings: [Option<Reading>; 4],
    pub(super) refused: Option<Kind>,
    /// Whom refusals are held against.
    pub(super) responsible: Option<Key<'static>>,
    pub(super) address: Option<Key<'static>>,
    /// Whether the other replicas know of the request.
    pub(super) is_shared: bool,
}

impl RateLimiter {
    /// The limits of this configuration, counted in this process.
    pub fn new(config: &RateLimitsConfig, clock: Arc<dyn Clock>) -> Self {
        let limits = [config.address, config.tenant, config.client, config.user].map(Limit::new);
        let size = if config.enabled { COUNTERS } else { 1 };
        Self(Arc::new(Inner {
            is_enabled: config.enabled,
            is_adaptive: true,
            policies: Policies::new(&limits),
            limits,
            addresses: Table::new(size),
            callers: Table::new(size),
            shared: None,
            clock,
            refusals: Family::default(),
        }))
    }

    /// The same, together with all replicas that have this Redis. Nobody waits for it longer than `time`; the names of
    /// its keys begin with `prefix`.
    #[must_use]
    pub fn shared_through(self, pool: Pool, time: Duration, prefix: &'static str) -> Self {
        let Self(inner) = self;
        let shared = Some(Shared::new(pool, time, prefix));
        Self(match Arc::try_unwrap(inner) {
            Ok(inner) => Arc::new(Inner { shared, ..inner }),
            // Somebody counts with it already.
            Err(inner) => inner,
        })
    }

    /// A limiter of its own, in this process, for what other services send without anybody's token: by address alone, and
    /// nobody gets less for being refused. What strangers do from the same address is not held against them.
    #[must_use]
    pub fn steady(&self, address: LimitConfig) -> Self {
        let limits = [Limit::new(address), None, None, None];
        Self(Arc::new(Inner {
            is_enabled: self.0.is_enabled,
            is_adaptive: false,
            policies: Policies::new(&limits),
            limits,
            addresses: Table::new(if self.0.is_enabled { STEADY_COUNTERS } else { 1 }),
            callers: Table::new(1),
            shared: None,
            clock: Arc::clone(&self.0.clock),
            refusals: self.0.refusals.clone(),
        }))
    }

    /// Adds the count of refusals to the metrics of the service.
    pub fn register(&self, registry: &mut Registry) {
        for kind in Kind::ALL {
            drop(self.0.refusals.get_or_create(&Labels { limit: kind.as_str() }));
        }
        registry.register("rate_limit_refusals", "Requests refused by a rate limit", self.0.refusals.clone());
    }

    /// Whether requests are counted at all.
    pub fn is_enabled(&self) -> bool {
        self.0.is_enabled
    }

    pub(super) fn policies(&self) -> &Policies {
        &self.0.policies
    }

    /// Counts a request of which nothing is known but where it came from, by what this process knows.
    pub(super) fn arrived(&self, tab: &mut Tab, address: IpAddr) -> Result<(), RateLimited> {
        let now = self.now();
        let key = Key::Address(Network::from(address));
        let counted = match self.limit(Kind::Address) {
            Some(limit) => self
                .0
                .addresses
                .with(&key, |counter| limit.take(counter, now).inspect_err(|_| self.distrust(limit, counter, now))),
            None => return Ok(()),
        };
        tab.address = Some(key.clone());
        tab.responsible = Some(key);
        tab.readings[Kind::Address as usize] = Some(counted.unwrap_or_else(|refusal| refusal));
        counted.map(drop).map_err(|refusal| self.refuse(tab, Kind::Address, refusal))
    }

    fn distrust(&self, limit: &Limit, counter: &mut Counter, now: u64) {
        if self.0.is_adaptive {
            limit.refused(counter, now);
        }
    }

    /// The request does not count, because it proved itself.
    pub(super) fn forgive(&self, tab: &mut Tab) {
        let now = self.now();
        tab.responsible = None;
        let (Some(key), Some(limit)) = (tab.address.take(), self.limit(Kind::Address)) else { return };
        let reading = self.0.addresses.with(&key, |counter| {
            limit.give_back(counter, now);
            limit.reading(counter, now)
        });
        tab.readings[Kind::Address as usize] = Some(reading);
    }

    /// Counts the same request for its caller, who is known now.
    pub(super) async fn identified(&self, tab: &mut Tab, caller: &Caller<'_>) -> Result<(), RateLimited> {
        let now = self.now();
        let responsible = caller.responsible();
        let keys: Vec<Key<'_>> =
            tab.address.iter().cloned().chain(caller.keys()).filter(|key| self.limit(key.kind()).is_some()).collect();
        let refusing = match self.share(&keys, &responsible, now).await {
            Some((refusing, readings)) => {
                tab.is_shared = true;
                for (key, reading) in keys.iter().zip(readings) {
                    tab.readings[key.kind() as usize] = Some(reading);
                }
                refusing
            }
            None => self.count_here(tab, &keys, &responsible, now),
        };
        tab.responsible = Some(responsible.into_owned());
        match refusing.and_then(|index| keys.get(index)).map(Key::kind) {
            None => Ok(()),
            Some(kind) => {
                let refusal = tab.readings[kind as usize].unwrap_or_default();
                Err(self.refuse(tab, kind, refusal))
            }
        }
    }

    /// The request is about to be answered. What was `refused` by others than a limit is held against who is responsible.
    pub(super) async fn answered(&self, tab: &Tab, refused: bool) {
        let now = self.now();
        let responsible = tab.responsible.as_ref().filter(|_| refused);
        let Some(shared) = &self.0.shared else {
            if let Some(key) = responsible {
                self.hold_against(key, now);
            }
            return;
        };
        // The address of a request whose caller never became known is not shared yet.
        let counts = tab.address.as_ref().filter(|_| !tab.is_shared && tab.refused.is_none());
        let Some(key) = responsible.or(counts) else { return };
        let Some(limit) = self.limit(key.kind()) else { return };
        let counts = counts == Some(key);
        let question = Question { key, limit, counts, was_refused: refused, is_responsible: false };
        match shared.ask(&[question], now).await {
            Some(answer) => self.remember(std::slice::from_ref(key), &answer.counters),
            None if refused => self.hold_against(key, now),
            None => {}
        }
    }

    /// All keys at once, with all replicas; `None` when there are no others, or they cannot be asked.
    async fn share<'k>(
        &'k self,
        keys: &'k [Key<'k>],
        responsible: &Key<'_>,
        now: u64,
    ) -> Option<(Option<usize>, Vec<Reading>)> {
        let shared = self.0.shared.as_ref()?;
        let ask = |key: &'k Key<'k>| {
            let is_responsible = key == responsible || matches!(key, Key::Address(_));
            Some(Question { key, limit: self.limit(key.kind())?, counts: true, was_refused: false, is_responsible })
        };
        let questions: Vec<_> = keys.iter().filter_map(ask).collect();
        let answer = shared.ask(&questions, now).await?;
        self.remember(keys, &answer.counters);
        let reading = |(index, (question, counter)): (usize, (&Question<'_>, &Counter))| {
            if answer.refusing == Some(index) {
                question.limit.refusal(counter, now)
            } else {
                question.limit.reading(counter, now)
            }
        };
        let readings = questions.iter().zip(&answer.counters).enumerate().map(reading).collect();
        Some((answer.refusing, readings))
    }

    /// So that this process can go on by itself, and refuse without asking.
    fn remember(&self, keys: &[Key<'_>], counters: &[Counter]) {
        for (key, other) in keys.iter().zip(counters) {
            self.table(key).with(key, |counter| counter.merge(*other));
        }
    }

    /// All keys but the address, which has been counted, or none of them. Says which refuses.
    fn count_here(&self, tab: &mut Tab, keys: &[Key<'_>], responsible: &Key<'_>, now: u64) -> Option<usize> {
        let mut refusing = None;
        for (index, key) in keys.iter().enumerate() {
            let (Some(limit), false) = (self.limit(key.kind()), matches!(key, Key::Address(_))) else { continue };
            let reading = self.0.callers.with(key, |counter| match limit.take(counter, now) {
                _ if refusing.is_some() => limit.reading(counter, now),
                Ok(reading) => reading,
                Err(refusal) => {
                    if key == responsible {
                        self.distrust(limit, counter, now);
                    }
                    refusing = Some(index);
                    refusal
                }
            });
            tab.readings[key.kind() as usize] = Some(reading);
        }
        for key in &keys[..refusing.unwrap_or(0)] {
            let (Some(limit), false) = (self.limit(key.kind()), matches!(key, Key::Address(_))) else { continue };
            let reading = self.0.callers.with(key, |counter| {
                limit.give_back(counter, now);
                limit.reading(counter, now)
            });
            tab.readings[key.kind() as usize] = Some(reading);
        }
        refusing
    }

    fn hold_against(&self, key: &Key<'_>, now: u64) {
        if let Some(limit) = self.limit(key.kind()) {
            self.table(key).with(key, |counter| self.distrust(limit, counter, now));
        }
    }

    fn refuse(&self, tab: &mut Tab, kind: Kind, refusal: Reading) -> RateLimited {
        tab.refused = Some(kind);
        self.0.refusals.get_or_create(&Labels { limit: kind.as_str() }).inc();
        RateLimited { kind, requests: refusal.quota, seconds: refusal.window, retry_after: refusal.reset }
    }

    fn limit(&self, kind: Kind) -> Option<&Limit> {
        self.0.limits[kind as usize].as_ref()
    }

    fn table(&self, key: &Key<'_>) -> &Table {
        if matches!(key, Key::Address(_)) { &self.0.addresses } else { &self.0.callers }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.clock.now().unix_micros()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
