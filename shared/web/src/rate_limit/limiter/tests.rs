use std::net::TcpListener;

use tenantry_types::{Id, ManualClock, SystemClock, SystemRandom, TenantId, UserId};

use super::super::LimitConfig;
use super::*;
use crate::config::RedisConfig;

const HOME: &str = "192.0.2.1";

struct World {
    limiter: RateLimiter,
    clock: Arc<ManualClock>,
    tenant: TenantId,
    user: UserId,
}

/// Limits of 10 a minute for the address, 8 for the tenant, 6 for the client, 4 for the user.
fn config() -> RateLimitsConfig {
    let [address, tenant, client, user] = [10, 8, 6, 4].map(LimitConfig::per_minute);
    RateLimitsConfig { enabled: true, address, tenant, client, user }
}

fn world(config: &RateLimitsConfig) -> World {
    let clock = Arc::new(ManualClock::starting_at(SystemClock.now()));
    let limiter = RateLimiter::new(config, Arc::clone(&clock) as Arc<dyn Clock>);
    World { limiter, clock, tenant: Id::new(&SystemClock, &SystemRandom), user: Id::new(&SystemClock, &SystemRandom) }
}

fn redis(url: &str) -> Pool {
    let config = RedisConfig { url: Some(url.into()), ..RedisConfig::default() };
    crate::redis::connect(&config).unwrap().unwrap()
}

/// A prefix that no other test has.
fn prefix() -> &'static str {
    let id: TenantId = Id::new(&SystemClock, &SystemRandom);
    format!("test:{id}:").leak()
}

impl World {
    fn through(mut self, url: &str) -> Self {
        self.limiter = self.limiter.shared_through(redis(url), Duration::from_secs(5), prefix());
        self
    }

    /// One request: which limit refuses, and what is known at its end.
    async fn request(&self, address: &str, client_id: &str, user: Option<UserId>, is_refused: bool) -> Tab {
        let mut tab = Tab::default();
        if self.limiter.arrived(&mut tab, address.parse().unwrap()).is_ok() {
            let caller = Caller { tenant: self.tenant, client_id, user };
            let _ = self.limiter.identified(&mut tab, &caller).await;
        }
        self.limiter.answered(&tab, is_refused).await;
        tab
    }

    /// How many requests of this kind get through, and what stops them.
    async fn many(&self, address: &str, client_id: &str, user: Option<UserId>) -> (usize, Kind) {
        for count in 0..1_000 {
            if let Some(kind) = self.request(address, client_id, user, false).await.refused {
                return (count, kind);
            }
        }
        panic!("nothing stops them");
    }

    fn somebody(&self) -> UserId {
        Id::new(&*self.clock, &SystemRandom)
    }
}

#[tokio::test]
async fn each_kind_is_counted_by_itself() {
    let world = world(&config());
    assert_eq!(world.many(HOME, "app", Some(world.user)).await, (4, Kind::User));
    assert_eq!(world.many("192.0.2.2", "app", Some(world.somebody())).await, (2, Kind::Client));
    assert_eq!(world.many("192.0.2.3", "other", Some(world.somebody())).await, (2, Kind::Tenant));
    // What was refused has not been counted for the others, but for the address that it came from.
    assert_eq!(world.many(HOME, "third", Some(world.somebody())).await, (0, Kind::Tenant));
    world.clock.advance(Duration::from_secs(60));
    for _ in 0..5 {
        assert_eq!(
            world.request(HOME, "app", Some(world.user), false).await.refused.filter(|k| *k != Kind::User),
            None
        );
    }
    let mut tab = Tab::default();
    for _ in 0..5 {
        world.limiter.arrived(&mut tab, HOME.parse().unwrap()).unwrap();
    }
    let refusal = world.limiter.arrived(&mut tab, HOME.parse().unwrap()).unwrap_err();
    assert_eq!((refusal.kind, refusal.retry_after), (Kind::Address, 6));
    assert_eq!(refusal.to_string(), "the limit for each address is reached: 10 requests in 60 seconds");
}

#[tokio::test]
async fn a_limit_can_be_switched_off() {
    let off = LimitConfig { requests: 0, ..LimitConfig::default() };
    let world = world(&RateLimitsConfig { user: off, address: off, ..config() });
    assert_eq!(world.many(HOME, "app", Some(world.user)).await, (6, Kind::Client));
    let tab = world.request(HOME, "app", Some(world.user), true).await;
    assert_eq!(tab.readings.map(|reading| reading.is_some()), [false, true, true, false]);
}

async fn refusals_are_held_against_who_is_responsible(world: World) {
    let quota = |tab: &Tab, kind: Kind| tab.readings[kind as usize].unwrap().quota;
    // A refusal costs 6 seconds of trust at these limits: ten of them are a minute.
    for _ in 0..10 {
        world.request(HOME, "app", Some(world.user), true).await;
        world.clock.advance(Duration::from_millis(1));
    }
    world.clock.advance(Duration::from_secs(12));
    let tab = world.request(HOME, "app", Some(world.user), false).await;
    // Six of the ten were refused by the limit, and then once more by what was asked for.
    assert_eq!(quota(&tab, Kind::User), 2);
    assert_eq!([Kind::Address, Kind::Tenant, Kind::Client].map(|kind| quota(&tab, kind)), [10, 8, 6]);
    world.clock.advance(Duration::from_secs(600));
    let tab = world.request(HOME, "app", Some(world.user), false).await;
    assert_eq!(quota(&tab, Kind::User), 4, "time takes it back");

    for _ in 0..12 {
        world.request(HOME, "machine", None, true).await;
    }
    // Six, then three by the limit as well, then three of the address, which are not its own.
    world.clock.advance(Duration::from_secs(5));
    let tab = world.request("192.0.2.2", "machine", None, false).await;
    assert_eq!(quota(&tab, Kind::Client), 3);

    // Nobody is known.
    world.clock.advance(Duration::from_secs(600));
    for _ in 0..10 {
        let mut tab = Tab::default();
        world.limiter.arrived(&mut tab, HOME.parse().unwrap()).unwrap();
        world.limiter.answered(&tab, true).await;
    }
    let mut tab = Tab::default();
    assert!(world.limiter.arrived(&mut tab, HOME.parse().unwrap()).is_err());
    assert_eq!(quota(&tab, Kind::Address), 5);
}

#[tokio::test]
async fn refusals_count_in_memory() {
    refusals_are_held_against_who_is_responsible(world(&config())).await;
}

#[tokio::test]
async fn refusals_count_in_redis() {
    if let Ok(url) = std::env::var("TEST_REDIS_URL") {
        refusals_are_held_against_who_is_responsible(world(&config()).through(&url)).await;
    }
}

#[tokio::test]
async fn replicas_count_together() {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else { return };
    let first = world(&config()).through(&url);
    let clock = Arc::clone(&first.clock);
    let shared = first.limiter.0.shared.clone();
    let inner = Arc::into_inner(RateLimiter::new(&config(), clock.clone() as Arc<dyn Clock>).0).unwrap();
    let limiter = RateLimiter(Arc::new(Inner { shared, ..inner }));
    let second = World { limiter, clock, tenant: first.tenant, user: first.user };
    let (user, other) = (Some(first.user), Some(first.somebody()));
    for replica in [&first, &second, &first, &second] {
        assert_eq!(replica.request(HOME, "app", user, false).await.refused, None);
    }
    for replica in [&first, &second] {
        assert_eq!(replica.request(HOME, "app", user, false).await.refused, Some(Kind::User));
    }
    assert_eq!(first.many("192.0.2.9", "app", other).await, (2, Kind::Client));
    assert_eq!(second.request("192.0.2.10", "app", Some(first.somebody()), false).await.refused, Some(Kind::Client));
}

#[tokio::test]
async fn without_redis_each_replica_counts_by_itself() {
    // One that refuses connections, and one that takes them and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for address in [closed, silent.local_addr().unwrap()] {
        let mut world = world(&config());
        let pool = redis(&format!("redis://{address}"));
        world.limiter = world.limiter.shared_through(pool, Duration::from_millis(50), "test:");
        assert_eq!(world.many(HOME, "app", Some(world.user)).await, (4, Kind::User));
        assert!(format!("{:?}", world.limiter).contains("is_away: true"));
    }
}

/// Random steps at the script and at the arithmetic of this process, which have to agree.
#[tokio::test]
async fn the_script_counts_as_the_process_does() {
    let Ok(url) = std::env::var("TEST_REDIS_URL") else { return };
    let shared = Shared::new(redis(&url), Duration::from_secs(5), prefix());
    let limits = [(10, 60, 10), (3, 1, 1), (1, 3_600, 1), (1_200, 60, 100), (1_000_000, 1, 5)];
    let limits = limits.map(|(requests, seconds, burst)| (requests, seconds, Some(burst)));
    let limits = limits.map(|(requests, seconds, burst)| Limit::new(LimitConfig { requests, seconds, burst }).unwrap());
    let keys = [1, 2, 3, 4, 5].map(|last| Key::Address(Network::V4([192, 0, 2, last].into())));
    let mut here = [Counter::default(); 5];
    let mut now = u64::try_from(SystemClock.now().unix_micros()).unwrap();
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |bound: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % bound
    };
    for step in 0..3_000 {
        now += [0, next(100), next(2_000_000), next(120_000_000)][usize::try_from(next(4)).unwrap()];
        let chosen: Vec<usize> = (0..5).filter(|_| next(2) == 0).collect();
        let flags: Vec<[bool; 3]> = chosen.iter().map(|_| [next(4) > 0, next(3) == 0, next(2) == 0]).collect();
        let questions: Vec<Question<'_>> = chosen
            .iter()
            .zip(&flags)
            .map(|(index, [counts, was_refused, is_responsible])| Question {
                key: &keys[*index],
                limit: &limits[*index],
                counts: *counts,
                was_refused: *was_refused,
                is_responsible: *is_responsible,
            })
            .collect();
        let answer = shared.ask(&questions, now).await.unwrap();

        let before = here;
        let refusing = chosen
            .iter()
            .zip(&questions)
            .position(|(index, question)| question.counts && question.limit.take(&mut here[*index], now).is_err());
        if refusing.is_some() {
            here = before;
        }
        assert_eq!(answer.refusing, refusing, "step {step}");
        for (place, (index, question)) in chosen.iter().zip(&questions).enumerate() {
            question.limit.settle(&mut here[*index], now);
            if question.was_refused {
                question.limit.refused(&mut here[*index], now);
            }
            if refusing == Some(place) && question.is_responsible {
                question.limit.refused(&mut here[*index], now);
            }
            let (there, here) = (answer.counters[place], here[*index]);
            assert_eq!(there.trusted_at.max(now), here.trusted_at.max(now), "step {step}");
            let reading = |counter| question.limit.reading(&counter, now);
            assert_eq!(reading(there), reading(here), "step {step}: {there:?} {here:?} at {now}");
        }
    }
}

#[test]
fn what_proves_itself_does_not_count_and_nobody_is_distrusted_for_others() {
    let world = world(&config());
    let steady = world.limiter.steady(LimitConfig::per_minute(3));
    let address = HOME.parse().unwrap();
    let arrive = |steady: &RateLimiter| {
        let mut tab = Tab::default();
        steady.arrived(&mut tab, address).map(|()| tab)
    };
    for _ in 0..10 {
        let mut tab = arrive(&steady).unwrap();
        steady.forgive(&mut tab);
    }
    for _ in 0..3 {
        drop(arrive(&steady).unwrap());
    }
    for _ in 0..100 {
        assert!(arrive(&steady).is_err());
    }
    // The time of one request later there is one, however often the address was refused.
    world.clock.advance(Duration::from_secs(20));
    assert!(arrive(&steady).is_ok());
    assert!(arrive(&world.limiter).is_ok(), "the other limits know nothing of it");
}
