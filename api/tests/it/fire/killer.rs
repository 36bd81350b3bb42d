//! Whoever kills.

use std::fmt;
use std::time::Duration;

use futures_util::future::{Either, select};

use super::Counts;
use super::random::Dice;
use super::services::Services;

/// What counts as the past once the service that had it is dead. A service that comes back after a minute finds its leases
/// over; here it comes back at once, and finds them over too.
const LEASES_OF_API: [&str; 4] = [
    "UPDATE idempotency_keys SET held_until = created_at WHERE answer IS NULL",
    "UPDATE tenant_tasks SET leased_until = created_at, available_at = created_at",
    "UPDATE account_doubts SET available_at = created_at",
    "UPDATE outbox SET available_at = created_at WHERE delivered_at IS NULL",
];
const WAITS_OF_IDP: &str =
    "UPDATE security_events SET available_at = created_at WHERE delivered_at IS NULL AND failed_at IS NULL";

/// How often each service was killed.
#[derive(Default)]
pub struct Kills {
    pub idp: usize,
    pub api: usize,
    pub both: usize,
}

impl fmt::Display for Kills {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "idp killed {} times, api {} times, {} times both at once", self.idp, self.api, self.both)
    }
}

/// Kills and starts again while the work goes on, and leaves both running.
pub async fn while_it_lasts(
    work: impl Future<Output = ()>,
    services: &Services,
    counts: &Counts,
    calm: u64,
    mut dice: Dice,
) -> Kills {
    let mut kills = Kills::default();
    let mut work = std::pin::pin!(work);
    loop {
        let next = *counts.sent.borrow() + 1 + dice.below(2 * calm);
        let moment = Duration::from_micros(dice.below(30_000));
        let reached = std::pin::pin!(async {
            counts.sent.subscribe().wait_for(|sent| *sent >= next).await.unwrap();
            // Somewhere in the work of these requests, not always at its beginning.
            tokio::time::sleep(moment).await;
        });
        match select(&mut work, reached).await {
            Either::Left(((), _)) => return kills,
            Either::Right(((), _)) => {}
        }
        let victims = dice.pick(&[(true, false), (true, false), (false, true), (false, true), (true, true)]);
        kills.idp += usize::from(victims.0);
        kills.api += usize::from(victims.1);
        kills.both += usize::from(victims == (true, true));
        let strike = std::pin::pin!(strike(services, victims));
        if let Either::Left(((), strike)) = select(&mut work, strike).await {
            strike.await;
            return kills;
        }
    }
}

async fn strike(services: &Services, (idp, api): (bool, bool)) {
    if idp {
        services.idp.kill();
    }
    if api {
        services.api.kill();
        for statement in LEASES_OF_API {
            services.api.execute(statement).await;
        }
    }
    if idp {
        forget_waits(services).await;
        services.idp.serve().await;
    }
    if api {
        services.api.serve().await;
    }
}

/// Makes what waits at the identity provider be due.
pub async fn forget_waits(services: &Services) {
    services.idp.execute(WAITS_OF_IDP).await;
}
