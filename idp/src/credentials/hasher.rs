//! Argon2id on threads of its own.
//!
//! A hash takes about 17 ms of a core and 19 MiB of memory. So that a flood of sign-ins cannot starve the issue of
//! tokens, it runs on a few threads with a short queue in front; when the queue is full the caller is told to come back.
//! Programs that make many accounts have half of the threads at most, and wait for each other before they come to the queue:
//! people sign in meanwhile.

use std::fmt;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordHash, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};
use tenantry_types::Random;
use tokio::sync::{Semaphore, oneshot};

/// After so long without a task a thread gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

/// How long a program waits for its turn.
const LONGEST_TURN: Duration = Duration::from_secs(5);

/// Why a password was not hashed or checked.
#[derive(Debug, thiserror::Error)]
pub enum HasherError {
    /// Too many are waiting already.
    #[error("too many passwords are waiting to be checked")]
    Busy,
    /// The hash that is stored, or the library, is broken.
    #[error("the password hash could not be handled: {0}")]
    Broken(String),
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the password.
    Correct {
        /// The hash was made with weaker parameters than are used now and should be made again.
        outdated: bool,
    },
    /// It is not.
    Wrong,
}

enum Task {
    Hash { password: SecretString, salt: [u8; 16], reply: oneshot::Sender<Result<String, HasherError>> },
    Verify { password: SecretString, hash: String, reply: oneshot::Sender<Result<Verdict, HasherError>> },
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct PasswordHasher {
    queue: SyncSender<Task>,
    random: Arc<dyn Random>,
    decoy: Arc<str>,
    /// The turns of programs.
    turns: Arc<Semaphore>,
}

impl fmt::Debug for PasswordHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHasher")
    }
}

impl PasswordHasher {
    /// Starts the threads. `memory_kib` and `passes` are argon2's m and t (one lane); `queue` is how many may wait.
    ///
    /// # Errors
    /// When the parameters are not ones of argon2, or no thread can be started.
    pub fn start(
        random: Arc<dyn Random>,
        memory_kib: u32,
        passes: u32,
        threads: usize,
        queue: usize,
    ) -> Result<Self, HasherError> {
        let params = Params::new(memory_kib, passes, 1, None).map_err(broken)?;
        let (sender, receiver) = sync_channel(queue.max(1));
        let receiver = Arc::new(Mutex::new(receiver));
        for number in 0..threads.max(1) {
            let receiver = Arc::clone(&receiver);
            let worker = Worker { params: params.clone(), memory: Vec::new() };
            thread::Builder::new()
                .name(format!("password-{number}"))
                .spawn(move || worker.run(&receiver))
                .map_err(broken)?;
        }
        // A hash of the same cost that no password has: its digest is not the digest of anything.
        let decoy = format!(
            "$argon2id$v=19$m={memory_kib},t={passes},p=1$c29tZXNhbHRvZmRlY295cw$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        );
        let turns = Arc::new(Semaphore::new((threads / 2).max(1)));
        Ok(Self { queue: sender, random, decoy: decoy.into(), turns })
    }

    /// The hash of a new password, in the PHC string format.
    pub async fn hash(&self, password: SecretString) -> Result<String, HasherError> {
        let mut salt = [0_u8; 16];
        self.random.fill(&mut salt);
        let (reply, answer) = oneshot::channel();
        self.send(Task::Hash { password, salt, reply })?;
        answer.await.map_err(broken)?
    }

    /// The same for a program, which waits for its turn.
    pub async fn hash_in_turn(&self, password: SecretString) -> Result<String, HasherError> {
        let turn = tokio::time::timeout(LONGEST_TURN, self.turns.acquire()).await.map_err(|_| HasherError::Busy)?;
        let _turn = turn.map_err(broken)?;
        self.hash(password).await
    }

    /// Whether this is the password of the hash. Without a hash it costs the same time and is never right, so that
    /// nobody learns from the time whether an account exists.
    pub async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<Verdict, HasherError> {
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let (reply, answer) = oneshot::channel();
        self.send(Task::Verify { password, hash, reply })?;
        answer.await.map_err(broken)?
    }

    fn send(&self, task: Task) -> Result<(), HasherError> {
        self.queue.try_send(task).map_err(|_| HasherError::Busy)
    }
}

/// A thread of its own for hashing, with the memory that argon2 fills. The memory is kept between hashes, because
/// taking it anew costs a tenth of a hash, and given back when there is nothing to do.
struct Worker {
    params: Params,
    memory: Vec<Block>,
}

impl Worker {
    fn run(mut self, tasks: &Mutex<Receiver<Task>>) {
        loop {
            let next = match tasks.lock() {
                Ok(tasks) => tasks.recv_timeout(IDLE),
                Err(_) => return,
            };
            // Nobody waits for a reply whose receiver is gone.
            match next {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.memory = Vec::new(),
                Ok(Task::Hash { password, salt, reply }) => {
                    let _ = reply.send(self.hash(&password, &salt));
                }
                Ok(Task::Verify { password, hash, reply }) if !reply.is_closed() => {
                    let _ = reply.send(self.verify(&password, &hash));
                }
                Ok(Task::Verify { .. }) => {}
            }
        }
    }

    fn digest(&mut self, params: &Params, password: &SecretString, salt: &[u8]) -> Result<[u8; 32], HasherError> {
        let blocks = params.block_count();
        if self.memory.len() < blocks {
            self.memory.resize(blocks, Block::default());
        }
        let mut digest = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
            .hash_password_into_with_memory(
                password.expose_secret().as_bytes(),
                salt,
                &mut digest,
                &mut self.memory[..blocks],
            )
            .map_err(broken)?;
        Ok(digest)
    }

    fn hash(&mut self, password: &SecretString, salt: &[u8]) -> Result<String, HasherError> {
        let params = self.params.clone();
        let digest = self.digest(&params, password, salt)?;
        let hash = PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(broken)?,
            salt: Some(Salt::new(salt).map_err(broken)?),
            hash: Some(Output::new(&digest).map_err(broken)?),
        };
        Ok(hash.to_string())
    }

    fn verify(&mut self, password: &SecretString, hash: &str) -> Result<Verdict, HasherError> {
        let stored = PasswordHash::new(hash).map_err(broken)?;
        let (Some(salt), Some(expected)) = (&stored.salt, &stored.hash) else { return Err(broken("it is not whole")) };
        if stored.algorithm != ARGON2ID_IDENT || stored.version != Some(Version::V0x13.into()) {
            return Err(broken("it is not of argon2id"));
        }
        let params = Params::try_from(&stored).map_err(broken)?;
        let digest = self.digest(&params, password, salt)?;
        if verify_slices_are_equal(&digest, expected.as_bytes()).is_err() {
            return Ok(Verdict::Wrong);
        }
        let outdated = params.m_cost() < self.params.m_cost() || params.t_cost() < self.params.t_cost();
        Ok(Verdict::Correct { outdated })
    }
}

fn broken(error: impl fmt::Display) -> HasherError {
    HasherError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_types::SystemRandom;

    fn hasher(memory: u32, threads: usize, queue: usize) -> PasswordHasher {
        PasswordHasher::start(Arc::new(SystemRandom), memory, 1, threads, queue).unwrap()
    }

    #[tokio::test]
    async fn knows_the_password_and_nothing_else() {
        let hasher = hasher(64, 1, 8);
        let hash = hasher.hash("correct horse".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
        let verdict = hasher.verify("correct horse".into(), Some(hash.clone())).await.unwrap();
        assert_eq!(verdict, Verdict::Correct { outdated: false });
        assert_eq!(hasher.verify("wrong".into(), Some(hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify("correct horse".into(), None).await.unwrap(), Verdict::Wrong);
        assert!(matches!(hasher.verify("x".into(), Some("junk".into())).await, Err(HasherError::Broken(_))));
    }

    #[tokio::test]
    async fn says_when_a_hash_is_weaker_than_what_is_used_now() {
        let hash = hasher(64, 1, 8).hash("pw".into()).await.unwrap();
        let verdict = hasher(128, 1, 8).verify("pw".into(), Some(hash)).await.unwrap();
        assert_eq!(verdict, Verdict::Correct { outdated: true });
    }

    #[tokio::test]
    async fn programs_leave_room_for_people() {
        let hasher = hasher(64, 1, 2);
        // Far more than the queue has room for: they wait before it.
        let all = futures_util::future::join_all((0..64).map(|_| hasher.hash_in_turn("pw".into())));
        let people = async {
            for _ in 0..16 {
                hasher.verify("pw".into(), None).await.unwrap();
            }
        };
        let (made, ()) = tokio::join!(all, people);
        assert!(made.iter().all(Result::is_ok));
    }

    #[tokio::test]
    async fn pushes_back_when_too_many_wait() {
        let hasher = hasher(19_456, 1, 1);
        let all = (0..16).map(|_| hasher.verify("pw".into(), None));
        let answers = futures_util::future::join_all(all).await;
        assert!(answers.iter().any(|answer| matches!(answer, Err(HasherError::Busy))));
        assert!(answers.iter().any(|answer| matches!(answer, Ok(Verdict::Wrong))));
    }
}
