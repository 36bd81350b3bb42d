//! One unit of work on one connection, and when it is worth another attempt.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use diesel::connection::TransactionManager;

use crate::connection::Connection;
use crate::error::{DbError, Trouble};
use crate::pool::Session;

/// How often a unit of work is tried.
const ATTEMPTS: u32 = 5;
/// A lock that was waited for in vain costs seconds: not as often.
const ATTEMPTS_AT_A_LOCK: u32 = 2;

/// How an attempt ended.
pub(crate) enum Outcome<T, E> {
    /// For good.
    Done(Result<T, E>),
    /// Undone by the database, for reasons that may have passed the next time.
    Undone(Trouble, E),
    /// Undone because the connection broke.
    Lost(E),
}

impl<T, E> Outcome<T, E> {
    pub(crate) fn into_result(self) -> Result<T, E> {
        match self {
            Self::Done(result) => result,
            Self::Undone(_, error) | Self::Lost(error) => Err(error),
        }
    }
}

/// Repeats an attempt as long as another is worth it.
pub(crate) fn repeat<T, E>(mut attempt: impl FnMut() -> Outcome<T, E>) -> Result<T, E> {
    let mut failures = 0;
    loop {
        let outcome = attempt();
        failures += 1;
        let limit = match &outcome {
            Outcome::Done(_) => return outcome.into_result(),
            Outcome::Undone(Trouble::LockTimeout, _) => ATTEMPTS_AT_A_LOCK,
            Outcome::Undone(..) | Outcome::Lost(_) => ATTEMPTS,
        };
        if failures >= limit {
            return outcome.into_result();
        }
        if let Outcome::Undone(trouble, _) = &outcome {
            tracing::debug!(?trouble, failures, "a transaction was undone and is tried again");
            std::thread::sleep(pause(failures));
        }
    }
}

/// A pause that grows and differs between threads, so that two victims of each other do not meet again.
fn pause(failures: u32) -> Duration {
    use std::hash::{BuildHasher, RandomState};
    // Nothing depends on these eight bits but which of two threads goes first.
    let [spread, ..] = RandomState::new().hash_one(Instant::now()).to_le_bytes();
    let longest = Duration::from_millis(4) * 2_u32.pow(failures.min(5));
    longest.mul_f64(f64::from(u16::from(spread) + 32) / 288.0)
}

/// Runs queries without a transaction.
pub(crate) fn read<T, E: From<DbError>>(
    session: &mut Session,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Outcome<T, E> {
    // What an earlier unit of work met is not this one's.
    let _ = session.connection.take_trouble();
    let result = guarded(session, work);
    match (result, session.connection.take_trouble()) {
        (Err(error), Some(trouble)) => undone(session, trouble, error),
        (result, trouble) => {
            if trouble == Some(Trouble::Lost) {
                session.discard();
            }
            Outcome::Done(result)
        }
    }
}

/// Runs a transaction.
pub(crate) fn write<T, E: From<DbError>>(
    session: &mut Session,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Outcome<T, E> {
    let _ = session.connection.take_trouble();
    if let Err(error) = session.connection.begin_write() {
        let trouble = Trouble::of(&error);
        let error = DbError::from(error).into();
        return match trouble {
            Some(trouble) => undone(session, trouble, error),
            None => Outcome::Done(Err(error)),
        };
    }
    let result = guarded(session, work);
    let trouble = session.connection.take_trouble();
    match (result, trouble) {
        // A closure that took a deadlock for something harmless: the database has undone what came before it, so what
        // came after must not be committed.
        (Ok(_), Some(trouble @ (Trouble::Deadlock | Trouble::Lost))) => {
            roll_back(session);
            undone(session, trouble, DbError::Busy(format!("the transaction was undone ({trouble:?})")).into())
        }
        (Ok(value), _) => commit(session, value),
        (Err(error), trouble) => {
            roll_back(session);
            match trouble {
                Some(trouble) => undone(session, trouble, error),
                None => Outcome::Done(Err(error)),
            }
        }
    }
}

fn commit<T, E: From<DbError>>(session: &mut Session, value: T) -> Outcome<T, E> {
    let Err(error) = session.connection.commit() else {
        return Outcome::Done(Ok(value));
    };
    match Trouble::of(&error) {
        Some(Trouble::Lost) => {
            session.discard();
            Outcome::Done(Err(DbError::OutcomeUnknown(error.to_string()).into()))
        }
        Some(trouble) => {
            if session.is_broken() {
                roll_back(session);
            }
            undone(session, trouble, DbError::from(error).into())
        }
        None => Outcome::Done(Err(DbError::from(error).into())),
    }
}

fn undone<T, E>(session: &mut Session, trouble: Trouble, error: E) -> Outcome<T, E> {
    if trouble == Trouble::Lost {
        session.discard();
        return Outcome::Lost(error);
    }
    Outcome::Undone(trouble, error)
}

/// Rolls back whatever is open. A connection that cannot is closed, which has the same effect.
fn roll_back(session: &mut Session) {
    let still_open = |connection: &mut Connection| {
        let status = <Connection as diesel::Connection>::TransactionManager::transaction_manager_status_mut(connection);
        matches!(status.transaction_depth(), Ok(Some(_)))
    };
    while still_open(&mut session.connection) {
        if let Err(error) = session.connection.roll_back() {
            tracing::debug!(%error, "a transaction could not be rolled back: its connection is closed");
            session.discard();
            return;
        }
    }
}

/// Runs work that may panic. After that nobody knows what state the connection is in, so it is not used again.
pub(crate) fn guarded<T, E: From<DbError>>(
    session: &mut Session,
    work: impl FnOnce(&mut Connection) -> Result<T, E>,
) -> Result<T, E> {
    let connection = &mut session.connection;
    match catch_unwind(AssertUnwindSafe(|| work(connection))) {
        Ok(result) => result,
        Err(panic) => {
            session.discard();
            Err(DbError::Panicked(message(&*panic)).into())
        }
    }
}

/// What a panic said.
pub(crate) fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "for no stated reason".to_owned())
}
