//! How many signatures and verifications this machine makes in a second: the limit that token endpoints are measured
//! against.
//!
//! ```text
//! cargo run --release -p tenantry-jose --example rates -- [SECONDS] [THREADS]
//! ```
//!
//! Prints one line of JSON. Every figure is the sum over the threads, each of which measures for SECONDS (default 2).

use std::error::Error;
use std::io::{self, Write};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tenantry_jose::{Algorithm, Expected, KeySet, Keyring, SigningKey, verify};
use tenantry_types::{Clock, SystemClock, SystemRandom, UtcTime};

type Failure = Box<dyn Error + Send + Sync>;

/// What an access token says, and how long that is as JSON.
const PAYLOAD_BYTES: usize = 600;
const ISSUER: &str = "https://id.example/t/acme";
const AUDIENCE: &str = "https://api.example";

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let threads: usize = arguments.next().map_or(Ok(1), |text| text.parse())?;
    let period = Duration::try_from_secs_f64(seconds)?;
    let now = SystemClock.now();
    let claims = claims(now)?;

    let (mut signed, mut verified) = (Map::new(), Map::new());
    for algorithm in Algorithm::ALL {
        let key = SigningKey::generate(*algorithm)?;
        let rate = rate(threads, period, || key.sign_jwt("at+jwt", &claims).map(drop).map_err(Into::into))?;
        signed.insert(algorithm.to_string(), rate);

        let keys = KeySet::from(key.verifying_key().clone());
        let expected = Expected::new(&["at+jwt"], Some(ISSUER), Some(&[AUDIENCE]), now);
        let token = key.sign_jwt("at+jwt", &claims)?;
        let rate = self::rate(threads, period, || verify(&token, &keys, &expected).map(drop).map_err(Into::into))?;
        verified.insert(algorithm.to_string(), rate);
    }

    let directory = std::env::temp_dir().join(format!("tenantry-rates-{}", std::process::id()));
    let ring = Keyring::load_or_create(&directory.join("keys.json"), &SystemRandom)?;
    std::fs::remove_dir_all(&directory)?;
    let plaintext = serde_json::to_vec(&claims)?;
    let sealed = ring.seal("bench", &plaintext)?;
    let seals = rate(threads, period, || ring.seal("bench", &plaintext).map(drop).map_err(Into::into))?;
    let opens = rate(threads, period, || ring.open("bench", &sealed).map(drop).map_err(Into::into))?;

    let report = json!({
        "seconds": seconds,
        "threads": threads,
        "payload_bytes": plaintext.len(),
        "sign_per_second": signed,
        "verify_per_second": verified,
        "seal_per_second": seals,
        "open_per_second": opens,
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// The claims of an access token (RFC 9068), filled up to the length.
fn claims(now: UtcTime) -> Result<Value, Failure> {
    let mut claims = json!({
        "iss": ISSUER, "sub": "0190a6e2-7c3f-7b1a-9d55-0d6f2a1c4e77", "aud": AUDIENCE, "client_id": "reporting",
        "tenant_id": "0190a6e2-7c3f-7b1a-9d55-0d6f2a1c4e78", "jti": "0190a6e2-7c3f-7b1a-9d55-0d6f2a1c4e79",
        "iat": now.unix_seconds(), "exp": (now + Duration::from_secs(86_400)).unix_seconds(), "scope": "",
    });
    let missing = PAYLOAD_BYTES.saturating_sub(serde_json::to_vec(&claims)?.len());
    claims["scope"] = "a".repeat(missing).into();
    Ok(claims)
}

/// How often a second the threads together do the work, rounded.
fn rate(threads: usize, period: Duration, work: impl Fn() -> Result<(), Failure> + Sync) -> Result<Value, Failure> {
    let measure = || -> Result<f64, Failure> {
        let begin = Instant::now();
        let mut done = 0.0;
        while begin.elapsed() < period {
            for _ in 0..16 {
                work()?;
                done += 1.0;
            }
        }
        Ok(done / begin.elapsed().as_secs_f64())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(measure)).collect();
        let mut sum = 0.0;
        for thread in threads {
            sum += thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(json!(sum.round()))
    })
}
