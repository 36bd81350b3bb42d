//! Slowing down those who guess passwords.
//!
//! Failures are counted per account, per address and per tenant. After a few free tries each further failure doubles
//! the wait until the next try; a wait is never longer than a quarter of an hour, and failures are forgotten after a
//! day, so that nobody can lock somebody else out for good. A browser that signed in to an account before (it holds a
//! signed device cookie) is counted apart: a flood of wrong passwords from elsewhere does not keep it out.
//!
//! A failure counts when it is known to be one, and checking a password takes a while. So that many guesses at once are not
//! all made before the first is counted, only a few tries for one account are under way at a time, and only one once the
//! free ones are used up ([`Throttle::turn`]).

mod memory;
mod redis;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use tenantry_types::{Sha256Hash, TenantId, UtcTime};

use memory::MemoryThrottle;
use redis::RedisThrottle;

/// Why the throttle could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ThrottleError {
    /// Redis failed. Whoever asks must refuse: an open throttle would be worse than none.
    #[error("the login throttle is not available: {0}")]
    Unavailable(String),
}

/// What a counter is for, and how it counts.
#[derive(Debug, Clone, Copy)]
struct Limit {
    name: &'static str,
    /// Failures that cost nothing.
    free: u32,
    /// The wait after the first failure that costs, in milliseconds. It doubles with each further one.
    first_wait: u64,
}

const ACCOUNT: Limit = Limit { name: "account", free: 5, first_wait: 1_000 };
const DEVICE: Limit = Limit { name: "device", free: 10, first_wait: 1_000 };
const ADDRESS: Limit = Limit { name: "address", free: 20, first_wait: 1_000 };
const TENANT: Limit = Limit { name: "tenant", free: 500, first_wait: 100 };

const LONGEST_WAIT: u64 = 15 * 60 * 1_000;
/// How long a failure is remembered.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

impl Limit {
    /// How long after the `failures`-th failure the next try is refused, in milliseconds.
    fn wait_after(self, failures: u32) -> u64 {
        match failures.saturating_sub(self.free) {
            0 => 0,
            beyond => self.first_wait.saturating_mul(1 << (beyond - 1).min(20)).min(LONGEST_WAIT),
        }
    }
}

/// One try to sign in: whose, from where.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The counter of the account, or of the browser that it knows.
    personal: (Limit, String),
    /// Those that it has in common with other accounts.
    common: Vec<(Limit, String)>,
}

impl Attempt {
    /// A try at `tenant`. `home` is where the account lives that the name stands for, and the tenant itself where it stands
    /// for none: guesses at an account count there, through however many tenants they are made. `known_device` names the
    /// browser when it holds a good device cookie for this account.
    pub fn new(tenant: TenantId, home: TenantId, username: &str, address: IpAddr, known_device: Option<&str>) -> Self {
        // Names are hashed so that neither Redis nor a memory dump lists who tried to sign in.
        let account = Sha256Hash::of(format!("{home}\0{}", username.to_lowercase()));
        let personal = match known_device {
            Some(device) => (DEVICE, format!("{}:{}", account.as_str(), Sha256Hash::of(device).as_str())),
            None => (ACCOUNT, account.as_str().to_owned()),
        };
        let common = match known_device {
            Some(_) => Vec::new(),
            None => vec![(ADDRESS, format!("{tenant}:{}", network_of(address))), (TENANT, tenant.to_string())],
        };
        Self { personal, common }
    }

    fn personal(&self) -> (Limit, String) {
        named(&self.personal)
    }

    fn keys(&self) -> impl Iterator<Item = (Limit, String)> + '_ {
        std::iter::once(&self.personal).chain(&self.common).map(named)
    }
}

fn named((limit, key): &(Limit, String)) -> (Limit, String) {
    (*limit, format!("{}:{key}", limit.name))
}

/// One IPv4 address, or the /64 that one IPv6 customer has at the least.
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

/// How many tries for one account are under way at a time, at each replica.
const AT_ONCE: u32 = 5;

/// Counts failures to sign in: in this process, or in Redis where several replicas must agree.
#[derive(Debug, Clone)]
pub struct Throttle {
    counters: Counters,
    /// Who is trying, by account.
    gates: Cache<String, Arc<Semaphore>>,
}

#[derive(Debug, Clone)]
enum Counters {
    Memory(MemoryThrottle),
    Redis(RedisThrottle),
}

/// Leave to try, until it is dropped.
#[derive(Debug)]
#[must_use = "others wait for their turn until this one is dropped"]
pub struct Turn {
    _permits: OwnedSemaphorePermit,
}

impl Throttle {
    fn with(counters: Counters) -> Self {
        let gates = Cache::builder().max_capacity(200_000).time_to_idle(Duration::from_secs(60)).build();
        Self { counters, gates }
    }

    /// Counters of this process.
    pub fn in_memory() -> Self {
        Self::with(Counters::Memory(MemoryThrottle::new()))
    }

    /// Counters that all replicas share.
    pub fn in_redis(pool: deadpool_redis::Pool) -> Self {
        Self::with(Counters::Redis(RedisThrottle::new(pool)))
    }

    /// Waits for leave to try. To be held from before [`Self::wait`] until the outcome is counted.
    pub async fn turn(&self, attempt: &Attempt) -> Result<Turn, ThrottleError> {
        let (limit, key) = attempt.personal();
        let gate = self.gates.get_with(key.clone(), async { Arc::new(Semaphore::new(AT_ONCE as usize)) }).await;
        // Nobody closes a gate; if somebody did, nobody would be let through.
        let closed = |_| ThrottleError::Unavailable("the gate of the account is closed".to_owned());
        let permits = Arc::clone(&gate).acquire_owned().await.map_err(closed)?;
        let failures = match &self.counters {
            Counters::Memory(memory) => memory.failures(&key).await,
            Counters::Redis(redis) => redis.failures(&key).await?,
        };
        if failures < limit.free {
            return Ok(Turn { _permits: permits });
        }
        drop(permits);
        let permits = gate.acquire_many_owned(AT_ONCE).await.map_err(closed)?;
        Ok(Turn { _permits: permits })
    }

    /// How long this try must wait; `None` when it may go ahead now.
    pub async fn wait(&self, attempt: &Attempt, now: UtcTime) -> Result<Option<Duration>, ThrottleError> {
        let blocked_until = match &self.counters {
            Counters::Memory(memory) => memory.blocked_until(attempt).await,
            Counters::Redis(redis) => redis.blocked_until(attempt).await?,
        };
        let now = millis(now);
        Ok((blocked_until > now).then(|| Duration::from_millis(blocked_until - now)))
    }

    /// The try was a failure.
    pub async fn failed(&self, attempt: &Attempt, now: UtcTime) -> Result<(), ThrottleError> {
        match &self.counters {
            Counters::Memory(memory) => memory.failed(attempt, millis(now)).await,
            Counters::Redis(redis) => redis.failed(attempt, millis(now)).await?,
        }
        Ok(())
    }

    /// The try was right: the account's own counter starts anew. Those of the address and the tenant do not, or an
    /// attacker could clear them with an account of their own.
    pub async fn succeeded(&self, attempt: &Attempt) -> Result<(), ThrottleError> {
        match &self.counters {
            Counters::Memory(memory) => memory.forget_account(attempt).await,
            Counters::Redis(redis) => redis.forget_account(attempt).await?,
        }
        Ok(())
    }
}

fn millis(time: UtcTime) -> u64 {
    time.unix_millis()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_types::{Clock, Id, ManualClock, SystemClock, SystemRandom};

    #[test]
    fn waits_double_and_end() {
        assert_eq!(ACCOUNT.wait_after(5), 0);
        assert_eq!(ACCOUNT.wait_after(6), 1_000);
        assert_eq!(ACCOUNT.wait_after(8), 4_000);
        assert_eq!(ACCOUNT.wait_after(1_000), LONGEST_WAIT);
        assert_eq!(ACCOUNT.wait_after(u32::MAX), LONGEST_WAIT);
    }

    #[test]
    fn one_ipv6_customer_is_one_address() {
        let network = |text: &str| network_of(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[tokio::test]
    async fn guessing_is_slowed_and_a_known_device_is_not_kept_out() {
        let clock = ManualClock::starting_at(SystemClock.now());
        let (tenant, home) = (Id::new(&SystemClock, &SystemRandom), Id::new(&SystemClock, &SystemRandom));
        let (owner, attacker) = ("192.0.2.1".parse().unwrap(), "198.51.100.1".parse().unwrap());
        let throttle = Throttle::in_memory();
        let guess = Attempt::new(tenant, home, "Ada", attacker, None);
        for _ in 0..8 {
            throttle.failed(&guess, clock.now()).await.unwrap();
        }
        assert_eq!(throttle.wait(&guess, clock.now()).await.unwrap(), Some(Duration::from_secs(4)));
        let stranger = Attempt::new(tenant, home, "ada", owner, None);
        assert!(throttle.wait(&stranger, clock.now()).await.unwrap().is_some(), "case does not matter");
        let known = Attempt::new(tenant, home, "ada", owner, Some("device"));
        assert_eq!(throttle.wait(&known, clock.now()).await.unwrap(), None);
        let elsewhere = Attempt::new(Id::new(&SystemClock, &SystemRandom), home, "ada", owner, None);
        assert!(throttle.wait(&elsewhere, clock.now()).await.unwrap().is_some(), "it is the same account");
        let another = Attempt::new(tenant, tenant, "ada", owner, None);
        assert_eq!(throttle.wait(&another, clock.now()).await.unwrap(), None);
        clock.advance(Duration::from_secs(4));
        assert_eq!(throttle.wait(&guess, clock.now()).await.unwrap(), None);
        throttle.succeeded(&guess).await.unwrap();
        throttle.failed(&guess, clock.now()).await.unwrap();
        assert_eq!(throttle.wait(&guess, clock.now()).await.unwrap(), None);
    }
}
