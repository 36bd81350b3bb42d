//! What the machine allows at most, for `make bench` to put beside the service's own figures.
//!
//! - `limits argon2 [SECONDS]` prints how many argon2id hashes a second one thread and two threads make, with the
//!   service's default parameters, as JSON.
//! - `limits serve PORT` answers every request with two bytes: the framework alone.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a measuring tool, not the service")]

use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use argon2::{Algorithm, Argon2, Block, Params, Version};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["argon2"] => argon2_rates(5.0),
        ["argon2", seconds] => argon2_rates(seconds.parse().expect("seconds")),
        ["serve", port] => serve(port.parse().expect("port")),
        _ => {
            eprintln!("usage: limits argon2 [SECONDS] | limits serve PORT");
            std::process::exit(2);
        }
    }
}

fn argon2_rates(seconds: f64) {
    let time = Duration::from_secs_f64(seconds);
    let one = rate(1, time);
    let two = rate(2, time);
    println!("{}", serde_json::json!({ "threads_1": one, "threads_2": two }));
}

/// Hashes a second of that many threads together. Memory is taken once: what is measured is the hash.
fn rate(threads: usize, time: Duration) -> f64 {
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            std::thread::spawn(move || {
                let params = Params::new(19_456, 2, 1, Some(32)).unwrap();
                let mut memory = vec![Block::default(); params.block_count()];
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                let mut hash = [0_u8; 32];
                let start = Instant::now();
                let mut hashes = 0_u32;
                while start.elapsed() < time {
                    argon2
                        .hash_password_into_with_memory(b"correct horse battery", &[7; 16], &mut hash, &mut memory)
                        .unwrap();
                    hashes += 1;
                }
                f64::from(hashes) / start.elapsed().as_secs_f64()
            })
        })
        .collect();
    workers.into_iter().map(|worker| worker.join().unwrap()).sum()
}

fn serve(port: u16) {
    actix_web::rt::System::new()
        .block_on(async {
            HttpServer::new(|| App::new().default_service(web::to(|| async { HttpResponse::Ok().body("ok") })))
                .bind(("127.0.0.1", port))?
                .run()
                .await
        })
        .unwrap();
}
