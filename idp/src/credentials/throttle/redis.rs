//! Counters in Redis, so that all replicas see the same failures.

use std::fmt;

use deadpool_redis::redis::{self, AsyncCommands as _};
use deadpool_redis::{Connection, Pool};

use super::{Attempt, MEMORY, ThrottleError};

/// Counters that all replicas share.
#[derive(Clone)]
pub struct RedisThrottle {
    pool: Pool,
}

impl fmt::Debug for RedisThrottle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RedisThrottle")
    }
}

impl RedisThrottle {
    pub(super) const fn new(pool: Pool) -> Self {
        Self { pool }
    }

    pub(super) async fn blocked_until(&self, attempt: &Attempt) -> Result<u64, ThrottleError> {
        let keys: Vec<String> = attempt.keys().map(|(_, key)| blocked(&key)).collect();
        let times: Vec<Option<u64>> = self.connection().await?.mget(keys).await.map_err(unavailable)?;
        Ok(times.into_iter().flatten().max().unwrap_or(0))
    }

    pub(super) async fn failures(&self, key: &str) -> Result<u32, ThrottleError> {
        let count: Option<u32> = self.connection().await?.get(failures(key)).await.map_err(unavailable)?;
        Ok(count.unwrap_or(0))
    }

    pub(super) async fn failed(&self, attempt: &Attempt, now: u64) -> Result<(), ThrottleError> {
        let mut connection = self.connection().await?;
        let mut count = redis::pipe();
        for (_, key) in attempt.keys() {
            let key = failures(&key);
            count.incr(&key, 1).expire(&key, seconds(MEMORY.as_secs())).ignore();
        }
        let counts: Vec<u32> = count.query_async(&mut connection).await.map_err(unavailable)?;
        let mut block = redis::pipe();
        let mut any = false;
        for ((limit, key), failures) in attempt.keys().zip(counts) {
            let wait = limit.wait_after(failures);
            if wait > 0 {
                any = true;
                block.pset_ex(blocked(&key), now + wait, wait).ignore();
            }
        }
        if any {
            block.query_async::<()>(&mut connection).await.map_err(unavailable)?;
        }
        Ok(())
    }

    pub(super) async fn forget_account(&self, attempt: &Attempt) -> Result<(), ThrottleError> {
        let (_, key) = attempt.personal();
        let keys = [failures(&key), blocked(&key)];
        self.connection().await?.del::<_, ()>(&keys[..]).await.map_err(unavailable)
    }

    async fn connection(&self) -> Result<Connection, ThrottleError> {
        self.pool.get().await.map_err(unavailable)
    }
}

fn failures(key: &str) -> String {
    format!("idp:throttle:failures:{key}")
}

fn blocked(key: &str) -> String {
    format!("idp:throttle:blocked:{key}")
}

fn seconds(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn unavailable(error: impl fmt::Display) -> ThrottleError {
    ThrottleError::Unavailable(error.to_string())
}
