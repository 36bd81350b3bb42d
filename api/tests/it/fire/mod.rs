//! Both services as they are, killed at random moments while tenants are made and people are changed.
//!
//! Whoever asks repeats a request under its key until it is acknowledged. Afterwards both sides agree, nothing is
//! half-made, what was acknowledged is there once, and every security event has arrived. `make test-extended` runs the
//! full figures; `TENANTRY_TEST_SEED` repeats the choices of a run (the moments are those of the machine).

mod agreement;
mod caller;
mod killer;
mod people;
mod random;
mod services;
mod work;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use random::Dice;
use services::Services;
use tokio::sync::watch;
use work::{Ledger, Tenants};

/// How much is asked for.
struct Size {
    provisionings: usize,
    people: usize,
    changes: usize,
    workers: usize,
    /// About how many requests are begun between one kill and the next.
    calm: u64,
    deadline: Duration,
}

impl Size {
    fn of_this_run() -> Self {
        if std::env::var("TENANTRY_TEST_EXTENDED").is_ok_and(|value| value == "1") {
            return Self {
                provisionings: 500,
                people: 250,
                changes: 2_000,
                workers: 8,
                calm: 40,
                deadline: Duration::from_secs(3_600),
            };
        }
        Self { provisionings: 20, people: 12, changes: 80, workers: 4, calm: 16, deadline: Duration::from_secs(120) }
    }
}

/// What has happened so far.
#[derive(Default)]
pub struct Counts {
    /// Requests that were sent, repeats included.
    pub sent: watch::Sender<u64>,
    /// Those of them that were not acknowledged.
    pub lost: AtomicUsize,
    /// Changes of people that were acknowledged.
    pub changes: AtomicUsize,
}

#[allow(clippy::print_stdout, reason = "the seed of a failure, and the figures of a run")]
#[actix_web::test]
async fn both_sides_agree_whatever_is_killed() {
    let size = Size::of_this_run();
    let seed = random::seed();
    println!("TENANTRY_TEST_SEED={seed}");
    let begun = Instant::now();
    let run = async {
        let services = Services::start().await;
        let tenants = Tenants::make(&services).await;
        let counts = Counts::default();
        let ledger = Ledger::of(&size, &mut Dice::new(seed));
        let working = async {
            let workers = (0..size.workers).map(|_| ledger.work(&services, &tenants, &counts));
            futures_util::future::join_all(workers).await;
        };
        let kills = killer::while_it_lasts(working, &services, &counts, size.calm, Dice::new(seed ^ 1)).await;
        let worked = begun.elapsed();
        let events = agreement::check(&services, &tenants, &ledger).await;
        let (sent, lost) = (*counts.sent.borrow(), counts.lost.load(Ordering::Relaxed));
        println!(
            "{} provisionings and {} changes of people in {worked:?}, {:?} with what is checked: {kills}, {sent} requests, \
             {lost} of them repeats, {events} security events",
            size.provisionings,
            counts.changes.load(Ordering::Relaxed),
            begun.elapsed(),
        );
        assert!(kills.idp > 0 && kills.api > 0, "{kills}");
        assert!(lost > 0);
    };
    tokio::time::timeout(size.deadline, run).await.expect("it ends in time");
}
