//! Counters in Redis, which all replicas share.
//!
//! All counters of a request are read, judged and changed by one script, in one round trip over one connection that is
//! never closed. When that fails, or takes too long, Redis is taken to be away: nobody waits for it any more, until a
//! question in the background is answered again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use deadpool_redis::redis::aio::MultiplexedConnection;
use deadpool_redis::redis::{RedisError, Script};
use deadpool_redis::{Connection, Pool, PoolError};
use parking_lot::Mutex;

use super::gcra::{Counter, FIRST_STEP, Limit, MOST_DISTRUST, MOST_STEPS};
use super::key::Key;

/// How long Redis is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// The same arithmetic as in `gcra`, which a test compares with it. A counter is the text `empty_at trusted_at`, and is
/// gone when there is nothing left to know. Numbers of Lua are exact up to 2⁵³: microseconds since 1970 until the year
/// 2255. What is printed is printed with `%.0f`, because Lua would else write `1.8e+15`.
///
/// Arguments: now, the first step, the number of steps, the most distrust; then for each key the interval, the tolerance,
/// 1 if a request is counted, the distrust to add, and the distrust to add when it is this limit that refuses. The answer:
/// which key refuses, or 0; then both times of each key. When one refuses, nothing is counted for any.
const SCRIPT: &str = r"
local now, first_step, most_steps, most_distrust = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local refusing, counters = 0, {}
for i, key in ipairs(KEYS) do
  local at = i * 5
  local interval, tolerance, counts = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2] == '1'
  local empty, trusted = 0, 0
  local stored = redis.call('GET', key)
  if stored then
    local e, t = string.match(stored, '^(%d+) (%d+)$')
    empty, trusted = tonumber(e) or 0, tonumber(t) or 0
  end
  trusted = math.min(trusted, now + most_distrust)
  local left, factor = trusted - now, 1
  for step = 0, most_steps - 1 do
    if left >= first_step * 2 ^ step then factor = factor * 2 end
  end
  interval = interval * factor
  tolerance = math.max(tolerance, interval)
  empty = math.min(math.max(empty, now), now + tolerance)
  local after = empty
  if counts then
    after = empty + interval
    if refusing == 0 and after - now > tolerance then refusing = i end
  end
  counters[i] = { empty, after, trusted }
end
local answer = { refusing }
for i, key in ipairs(KEYS) do
  local empty, after, trusted = unpack(counters[i])
  if refusing == 0 then empty = after end
  local distrust = tonumber(ARGV[i * 5 + 3])
  if refusing == i then distrust = distrust + tonumber(ARGV[i * 5 + 4]) end
  if distrust > 0 then trusted = math.min(math.max(trusted, now) + distrust, now + most_distrust) end
  local left = math.max(empty, trusted) - now
  if left > 0 then
    redis.call('SET', key, string.format('%.0f %.0f', empty, trusted), 'PX', math.ceil(left / 1000) + 1000)
  end
  answer[i * 2], answer[i * 2 + 1] = empty, trusted
end
return answer
";

/// What is asked of one counter.
#[derive(Debug)]
pub(super) struct Question<'a> {
    pub(super) key: &'a Key<'a>,
    pub(super) limit: &'a Limit,
    /// Whether a request is counted.
    pub(super) counts: bool,
    /// Whether something else was refused to this caller.
    pub(super) was_refused: bool,
    /// Whether it is held against this caller when the limit refuses.
    pub(super) is_responsible: bool,
}

/// What the counters are now.
#[derive(Debug)]
pub(super) struct Answer {
    /// Which question was answered with no.
    pub(super) refusing: Option<usize>,
    /// In the order of the questions.
    pub(super) counters: Vec<Counter>,
}

/// The counters that all replicas share.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

struct Inner {
    pool: Pool,
    /// What all keys begin with.
    prefix: &'static str,
    /// For one script, connecting included.
    time: Duration,
    script: Script,
    connection: Mutex<Option<MultiplexedConnection>>,
    is_away: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
enum SharedError {
    #[error(transparent)]
    Pool(#[from] PoolError),
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("no answer in time")]
    TooLate(#[from] tokio::time::error::Elapsed),
    #[error("the script gave another answer than it should")]
    Answer,
}

impl Shared {
    pub(super) fn new(pool: Pool, time: Duration, prefix: &'static str) -> Self {
        let (script, connection, is_away) = (Script::new(SCRIPT), Mutex::default(), AtomicBool::default());
        Self(Arc::new(Inner { pool, prefix, time, script, connection, is_away }))
    }

    /// Asks all questions at once; `None` while Redis is away.
    pub(super) async fn ask(&self, questions: &[Question<'_>], now: u64) -> Option<Answer> {
        if self.0.is_away.load(Ordering::Relaxed) {
            return None;
        }
        let asked = tokio::time::timeout(self.0.time, self.0.ask_again(questions, now)).await;
        match asked.map_err(SharedError::from).and_then(|answer| answer) {
            Ok(answer) => Some(answer),
            Err(error) => {
                self.went_away(&error);
                None
            }
        }
    }

    fn went_away(&self, error: &SharedError) {
        self.0.connection.lock().take();
        if self.0.is_away.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(%error, "redis does not answer: each replica counts requests by itself until it does");
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(PAUSE).await;
                let Some(inner) = inner.upgrade() else { return };
                if matches!(tokio::time::timeout(inner.time, inner.ping()).await, Ok(Ok(()))) {
                    inner.is_away.store(false, Ordering::Relaxed);
                    tracing::info!("redis answers again: all replicas count requests together");
                    return;
                }
            }
        });
    }
}

impl Inner {
    /// Once more where the connection was an old one, which may have been closed meanwhile.
    async fn ask_again(&self, questions: &[Question<'_>], now: u64) -> Result<Answer, SharedError> {
        let kept = self.connection.lock().clone();
        if let Some(connection) = kept {
            match self.ask(connection, questions, now).await {
                Err(SharedError::Redis(error)) if error.is_io_error() || error.is_connection_dropped() => {
                    self.connection.lock().take();
                }
                answered => return answered,
            }
        }
        self.ask(self.connect().await?, questions, now).await
    }

    async fn connect(&self) -> Result<MultiplexedConnection, SharedError> {
        let connection = Connection::take(self.pool.get().await?);
        *self.connection.lock() = Some(connection.clone());
        Ok(connection)
    }

    async fn ping(&self) -> Result<(), SharedError> {
        let mut connection = self.connect().await?;
        Ok(deadpool_redis::redis::cmd("PING").query_async(&mut connection).await?)
    }

    async fn ask(
        &self,
        mut connection: MultiplexedConnection,
        questions: &[Question<'_>],
        now: u64,
    ) -> Result<Answer, SharedError> {
        let mut invocation = self.script.prepare_invoke();
        invocation.arg(now).arg(FIRST_STEP).arg(MOST_STEPS).arg(MOST_DISTRUST);
        for Question { key, limit, counts, was_refused, is_responsible } in questions {
            let distrust = |applies: &bool| if *applies { limit.distrust } else { 0 };
            invocation
                .key(format!("{}{key}", self.prefix))
                .arg(limit.interval)
                .arg(limit.tolerance)
                .arg(u8::from(*counts))
                .arg(distrust(was_refused))
                .arg(distrust(is_responsible));
        }
        let numbers: Vec<u64> = invocation.invoke_async(&mut connection).await?;
        let [refusing, times @ ..] = numbers.as_slice() else { return Err(SharedError::Answer) };
        let (counters, rest) = times.as_chunks::<2>();
        if counters.len() != questions.len() || !rest.is_empty() {
            return Err(SharedError::Answer);
        }
        let counters = counters.iter().map(|&[empty_at, trusted_at]| Counter { empty_at, trusted_at }).collect();
        let refusing = usize::try_from(*refusing).map_err(|_| SharedError::Answer)?.checked_sub(1);
        Ok(Answer { refusing: refusing.filter(|index| *index < questions.len()), counters })
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("is_away", &self.0.is_away).finish_non_exhaustive()
    }
}
