//! The pool of connections to Redis.

use std::borrow::Cow;
use std::time::Duration;

pub use deadpool_redis::Pool;
use deadpool_redis::redis::{
    AsyncCommands as _, AsyncConnectionConfig, ExistenceCheck, RedisError, SetExpiry, SetOptions,
};
use deadpool_redis::{Manager, PoolError, Runtime};

use crate::config::RedisConfig;

/// Why there can be no pool.
#[derive(Debug, thiserror::Error)]
pub enum RedisSetupError {
    /// The URL is not one of a Redis.
    #[error("the URL of Redis is not valid")]
    Url(#[source] RedisError),
    /// The pool cannot be made.
    #[error("the pool of connections to Redis cannot be made")]
    Pool(#[from] deadpool_redis::BuildError),
}

/// A pool for the Redis of `config`; `None` when no URL is set. Connects when it is first used, so that a service starts
/// without Redis and says in `/readyz` that it is missing. Waiting for a connection, making one and each command have
/// the configured time.
///
/// # Errors
/// When the URL is not one.
pub fn connect(config: &RedisConfig) -> Result<Option<Pool>, RedisSetupError> {
    let Some(url) = &config.url else { return Ok(None) };
    let time = Some(Duration::from_millis(config.timeout_ms));
    let connection = AsyncConnectionConfig::new().set_connection_timeout(time).set_response_timeout(time);
    let manager = Manager::new_with_config(url.expose(), connection).map_err(RedisSetupError::Url)?;
    let pool = Pool::builder(manager)
        .max_size(config.max_connections)
        .wait_timeout(time)
        .create_timeout(time)
        .recycle_timeout(time)
        .runtime(Runtime::Tokio1)
        .build()?;
    Ok(Some(pool))
}

/// Takes a key that nobody has taken for this time: `false` for one that is taken.
///
/// # Errors
/// When Redis does not answer.
pub async fn claim(pool: &Pool, key: &str, time: Duration) -> Result<bool, PoolError> {
    let options =
        SetOptions::default().conditional_set(ExistenceCheck::NX).with_expiration(SetExpiry::EX(time.as_secs()));
    let taken: Option<String> = pool.get().await?.set_options(key, 1, options).await?;
    Ok(taken.is_some())
}

/// A check for [`Health`](crate::health::Health): whether Redis answers.
///
/// # Errors
/// That it does not. Why not goes to the log: it can name the host, which whoever asks for `/readyz` need not know.
pub async fn check(pool: Pool) -> Result<(), Cow<'static, str>> {
    let pinged: Result<(), PoolError> = async { Ok(pool.get().await?.ping().await?) }.await;
    pinged.map_err(|error| {
        tracing::debug!(error = %error, "redis does not answer");
        Cow::Borrowed("redis does not answer")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;

    use super::*;

    fn pool(address: &str) -> Pool {
        let url = Some(format!("redis://{address}").as_str().into());
        connect(&RedisConfig { url, timeout_ms: 200, ..RedisConfig::default() }).unwrap().unwrap()
    }

    #[test]
    fn without_a_url_there_is_none() {
        assert!(connect(&RedisConfig::default()).unwrap().is_none());
        let wrong = RedisConfig { url: Some("redis://:hunter2@[".into()), ..RedisConfig::default() };
        let error = connect(&wrong).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }

    #[actix_web::test]
    async fn a_redis_that_answers_is_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            // Just enough of the protocol: every command is `*n` and n pairs of lines.
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            while let Some(count) = lines.next() {
                let parts = count.trim_start_matches('*').parse::<usize>().unwrap() * 2;
                let command: Vec<_> = lines.by_ref().take(parts).collect();
                let answer = if command.iter().any(|part| part == "PING") { "+PONG\r\n" } else { "+OK\r\n" };
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        assert_eq!(check(pool(&address)).await, Ok(()));
    }

    #[actix_web::test]
    async fn a_redis_that_is_silent_or_away_is_not() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let silent_address = silent.local_addr().unwrap().to_string();
        assert_eq!(check(pool(&silent_address)).await, Err("redis does not answer".into()));
        drop(silent);
        assert_eq!(check(pool(&silent_address)).await, Err("redis does not answer".into()));
    }
}
