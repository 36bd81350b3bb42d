//! What a decision over policies costs, beside Cedar and casbin with the same rules and the same requests:
//! `cargo bench -p tenantry-api --bench policies`; with `-- --json` as JSON.
//!
//! A tenant has 10 to 5,000 policies over twenty kinds of resources with five actions each. One of ten denies; one of ten is
//! for whoever owns the resource, the others are for two roles, under a condition on the resource each. Requests go round
//! over all kinds and actions, some by callers whom a policy names. The three must decide alike before they are timed.
//!
//! What takes less than ten microseconds is timed in batches; shown are the median and the 99th percentile of a decision
//! in a batch, and how many were decided a second over all of them.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod engines;

use std::hint::black_box;
use std::time::{Duration, Instant};

use engines::{Casbin, Cedar, Engine, Request, Tenantry};

/// How much one figure is measured, in time and in batches.
const LONGEST: Duration = Duration::from_secs(2);
const MOST_BATCHES: usize = 20_000;
/// A batch takes at least so long, so that reading the clock does not count.
const SHORTEST_BATCH: Duration = Duration::from_micros(10);

struct Figure {
    engine: &'static str,
    policies: usize,
    median: Duration,
    p99: Duration,
    per_second: f64,
}

fn main() {
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    // `cargo test --benches` only wants to know that it runs.
    let is_test = !has("--bench");
    let counts: &[usize] = if is_test { &[10] } else { &[10, 50, 500, 5_000] };
    let mut figures = Vec::new();
    for count in counts {
        let rules = engines::rules(*count);
        let requests = engines::requests(*count);
        let engines: [Box<dyn Engine>; 3] = [
            Box::new(Tenantry::new(&rules, &requests)),
            Box::new(Cedar::new(&rules, &requests)),
            Box::new(Casbin::new(&rules, &requests)),
        ];
        agree(&engines, &requests);
        for engine in &engines {
            figures.push(measure(&**engine, *count, requests.len(), if is_test { Duration::ZERO } else { LONGEST }));
        }
    }
    if has("--json") { print_json(&figures) } else { print_table(&figures) }
}

fn agree(engines: &[Box<dyn Engine>], requests: &[Request]) {
    let decided = |engine: &dyn Engine| (0..requests.len()).map(|at| engine.allows(at)).collect::<Vec<_>>();
    let first = decided(&*engines[0]);
    assert!(first.contains(&true) && first.contains(&false), "some requests are allowed and some are not");
    for engine in engines {
        assert_eq!(decided(&**engine), first, "{} decides otherwise", engine.name());
    }
}

fn measure(engine: &dyn Engine, policies: usize, requests: usize, longest: Duration) -> Figure {
    let once = |batch: usize, first: usize| {
        let started = Instant::now();
        for at in 0..batch {
            black_box(engine.allows(black_box((first + at) % requests)));
        }
        started.elapsed()
    };
    // Whole rounds over the requests, so that every batch asks for the same.
    let round = once(requests, 0);
    let batch = if round >= SHORTEST_BATCH * u32::try_from(requests).unwrap() { 1 } else { requests };
    let started = Instant::now();
    let mut times = Vec::new();
    while times.is_empty() || (times.len() < MOST_BATCHES && started.elapsed() < longest) {
        times.push(once(batch, times.len()));
    }
    let batch = u32::try_from(batch).unwrap();
    let all: Duration = times.iter().sum();
    #[allow(clippy::cast_precision_loss)]
    let per_second = times.len() as f64 * f64::from(batch) / all.as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100] / batch;
    Figure { engine: engine.name(), policies, median: at(50), p99: at(99), per_second }
}

fn ratio(figures: &[Figure], figure: &Figure) -> f64 {
    let ours = figures.iter().find(|other| other.policies == figure.policies);
    ours.map_or(1.0, |ours| figure.median.as_secs_f64() / ours.median.as_secs_f64())
}

fn print_table(figures: &[Figure]) {
    println!(
        "{:>8}  {:<24} {:>12} {:>12} {:>14} {:>9}",
        "policies", "engine", "median", "99 %", "decisions/s", "ratio"
    );
    for figure in figures {
        let Figure { engine, policies, median, p99, per_second } = figure;
        let ratio = ratio(figures, figure);
        let (median, p99) = (median.as_nanos(), p99.as_nanos());
        println!("{policies:>8}  {engine:<24} {median:>9} ns {p99:>9} ns {per_second:>14.0} {ratio:>7.1} ×");
    }
}

fn print_json(figures: &[Figure]) {
    let list = figures.iter().map(|figure| {
        serde_json::json!({
            "engine": figure.engine,
            "policies": figure.policies,
            "median_ns": u64::try_from(figure.median.as_nanos()).unwrap(),
            "p99_ns": u64::try_from(figure.p99.as_nanos()).unwrap(),
            "per_second": figure.per_second,
            "ratio": ratio(figures, figure),
        })
    });
    println!("{}", serde_json::Value::Array(list.collect()));
}
