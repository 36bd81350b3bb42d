//! A load generator on one thread, for the work that has state and that `wrk` cannot do: sign-ins, code flows, refreshes.
//!
//! `load SCENARIO TARGET CONNECTIONS SECONDS`, where TARGET is a JSON file with a [`scenarios::Target`] and SCENARIO one of
//! `client-credentials`, `refresh`, `code-flow`, `sign-in`. What a scenario needs first (a session, a refresh token) is
//! made before the clock starts. Prints one line of JSON: operations, their rate, latency, and what went wrong.
//!
//! `load token TARGET` signs the first of the target's people in and prints what the token endpoint says.
//!
//! It speaks to any OpenID provider, so that others can be measured with the same generator.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measuring tool, not the service")]

mod connection;
mod scenarios;

use std::rc::Rc;
use std::time::{Duration, Instant};

use scenarios::{Provider, Scenario, Target, Worker};

/// What one connection saw while the clock ran.
#[derive(Default)]
struct Tally {
    micros: Vec<u32>,
    errors: u64,
    first_error: Option<String>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let tasks = tokio::task::LocalSet::new();
    let result = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["token", target] => tasks.block_on(&runtime, token(read(target))),
        [scenario, target, connections, seconds] => {
            let scenario = Scenario::named(scenario).expect("a scenario of the list");
            let connections: usize = connections.parse().expect("a number of connections");
            let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
            tasks.block_on(&runtime, run(scenario, read(target), connections, time))
        }
        _ => {
            eprintln!("usage: load client-credentials|refresh|code-flow|sign-in TARGET.json CONNECTIONS SECONDS");
            eprintln!("       load token TARGET.json");
            std::process::exit(2);
        }
    };
    match result {
        Ok(result) => println!("{result}"),
        Err(reason) => {
            eprintln!("load: {reason}");
            std::process::exit(1);
        }
    }
}

fn read(target: &str) -> Target {
    serde_json::from_slice(&std::fs::read(target).expect("the target's file")).expect("a target in the file")
}

async fn token(target: Target) -> Result<serde_json::Value, String> {
    Worker::new(Rc::new(Provider::discover(target).await?), 0).tokens().await
}

async fn run(
    scenario: Scenario,
    target: Target,
    connections: usize,
    time: Duration,
) -> Result<serde_json::Value, String> {
    let provider = Rc::new(Provider::discover(target).await?);
    let mut workers = Vec::new();
    for number in 0..connections {
        let mut worker = Worker::new(Rc::clone(&provider), number);
        worker.prepare(scenario).await?;
        workers.push(worker);
    }

    let start = Instant::now();
    let tasks: Vec<_> =
        workers.into_iter().map(|worker| tokio::task::spawn_local(drive(worker, scenario, start, time))).collect();
    let mut all = Tally::default();
    for task in tasks {
        let tally = task.await.map_err(|error| error.to_string())?;
        all.micros.extend(tally.micros);
        all.errors += tally.errors;
        all.first_error = all.first_error.or(tally.first_error);
    }
    let elapsed = start.elapsed().as_secs_f64();

    all.micros.sort_unstable();
    let operations = u32::try_from(all.micros.len()).map_err(|error| error.to_string())?;
    Ok(serde_json::json!({
        "ops": operations,
        "per_second": (f64::from(operations) / elapsed * 10.0).round() / 10.0,
        "p50_ms": percentile(&all.micros, 50),
        "p99_ms": percentile(&all.micros, 99),
        "errors": all.errors,
        "first_error": all.first_error,
    }))
}

async fn drive(mut worker: Worker, scenario: Scenario, start: Instant, time: Duration) -> Tally {
    let mut tally = Tally::default();
    while start.elapsed() < time {
        let begun = Instant::now();
        match worker.operate(scenario).await {
            Ok(()) => tally.micros.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX)),
            Err(reason) => {
                tally.errors += 1;
                tally.first_error.get_or_insert(reason);
                // The state may be spent (a refresh token of unknown fate): begin anew, without hammering.
                tokio::time::sleep(Duration::from_millis(20)).await;
                if let Err(reason) = worker.prepare(scenario).await {
                    tally.first_error = Some(reason);
                    break;
                }
            }
        }
    }
    tally
}

/// In milliseconds; `sorted` is in microseconds.
fn percentile(sorted: &[u32], percent: usize) -> Option<f64> {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).map(|micros| f64::from(*micros) / 1000.0)
}
