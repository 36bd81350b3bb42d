//! Performing tasks: at once for the request that made one, later for what was left over.

use std::sync::Arc;
use std::time::Duration;

use tenantry_db::DbError;
use tenantry_jose::Keyring;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::{Task, TaskKind, store};
use crate::idempotency::Answer;
use crate::idp::ManagementClient;
use crate::signals::Signal;
use crate::state::Api;
use crate::tenants::{TenantError, domains, provision, update};

/// How often the worker looks for what was left over.
const EVERY: Duration = Duration::from_secs(1);
/// Tasks that it performs at once.
const AT_ONCE: i64 = 8;
/// Newer wishes that are performed one after the other under one lease.
const MOST_ROUNDS: u32 = 5;

/// Performs tasks. Clones share everything.
#[derive(Debug, Clone)]
pub struct Tasks(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    api: Api,
    management: ManagementClient,
    keyring: Keyring,
    wake: Notify,
}

/// How performing a task ended.
#[derive(Debug)]
pub(in crate::tenants) enum Settled {
    /// Both sides agree. The request that made the task may have an answer of it.
    Done {
        /// The answer.
        answer: Option<Answer>,
        /// What other replicas were told.
        signals: Vec<Signal>,
    },
    /// Something newer is wanted.
    Newer,
}

impl Settled {
    pub(in crate::tenants) const fn done() -> Self {
        Self::Done { answer: None, signals: Vec::new() }
    }
}

impl Tasks {
    /// Performs the tasks in the database of `api` through the management API.
    pub fn new(api: Api, management: ManagementClient, keyring: Keyring) -> Self {
        Self(Arc::new(Inner { api, management, keyring, wake: Notify::new() }))
    }

    /// The management API.
    pub(in crate::tenants) fn management(&self) -> &ManagementClient {
        &self.0.management
    }

    /// The keys under which what a task must not show is sealed.
    pub(in crate::tenants) fn keyring(&self) -> &Keyring {
        &self.0.keyring
    }

    /// The database and its surroundings.
    pub(in crate::tenants) fn api(&self) -> &Api {
        &self.0.api
    }

    /// Begins to look for what was left over. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    () = this.0.wake.notified() => {}
                }
                if let Err(error) = this.perform_due().await {
                    tracing::debug!(%error, "tasks of tenants could not be looked for");
                }
            }
        })
    }

    async fn perform_due(&self) -> Result<(), DbError> {
        let now = self.0.api.clock.now();
        let due = self.0.api.db.write(move |conn| store::lease_due(conn, now, AT_ONCE)).await?;
        let mut performing = JoinSet::new();
        for task in due {
            let this = self.clone();
            performing.spawn(async move {
                let (tenant, kind) = (task.tenant_id, task.kind);
                match this.perform(task).await {
                    Ok(_) => tracing::info!(%tenant, kind = kind.as_str(), "the identity provider was told what was left over"),
                    Err(error) => tracing::warn!(%tenant, kind = kind.as_str(), %error, "the identity provider could not be told"),
                }
            });
        }
        while performing.join_next().await.is_some() {}
        Ok(())
    }

    /// Performs a task, and newer ones in its place. Where it cannot be done now, it stays for the worker.
    ///
    /// # Errors
    /// Why it was not done.
    pub(in crate::tenants) async fn perform(&self, mut task: Task) -> Result<Option<Answer>, TenantError> {
        for _ in 0..MOST_ROUNDS {
            match self.perform_once(&task).await {
                Ok(Settled::Done { answer, signals }) => {
                    self.0.api.signals.pass_on(&signals);
                    return Ok(answer);
                }
                Ok(Settled::Newer) => {
                    let (last, clock) = (task, Arc::clone(&self.0.api.clock));
                    let renew = move |conn: &mut _| store::renew(conn, &*clock, &last);
                    let Some(newer) = self.0.api.db.write(renew).await? else { return Ok(None) };
                    task = newer;
                }
                Err(error) => return Err(self.leave(task, error).await),
            }
        }
        self.0.wake.notify_one();
        Ok(None)
    }

    async fn perform_once(&self, task: &Task) -> Result<Settled, TenantError> {
        match task.kind {
            TaskKind::Provision => provision::perform(self, task).await,
            TaskKind::Name => update::perform_name(self, task).await,
            TaskKind::Status => update::perform_status(self, task).await,
            TaskKind::Domain => domains::perform(self, task).await,
        }
    }

    /// What becomes of a task that could not be performed: refused, it is given up; otherwise it waits.
    async fn leave(&self, task: Task, error: TenantError) -> TenantError {
        let is_refused = matches!(&error, TenantError::Provider(error) if !error.is_passing());
        // What is not taken here is what it is there.
        let record = if is_refused && task.kind == TaskKind::Name {
            self.0.management.tenant(task.tenant_id).await.ok().flatten()
        } else {
            None
        };
        let (api, text) = (self.0.api.clone(), error.to_string());
        let left = self.0.api.db.write(move |conn| {
            let signals = match (is_refused, task.kind) {
                (false, _) => {
                    store::postpone(conn, &*api.clock, &task, &text)?;
                    Vec::new()
                }
                (true, TaskKind::Provision) => provision::undo(conn, &task)?,
                (true, TaskKind::Name) => update::give_up_name(conn, &api, &task, record.as_ref())?,
                (true, TaskKind::Status) => update::give_up_status(conn, &api, &task)?,
                (true, TaskKind::Domain) => domains::give_up(conn, &api, &task)?,
            };
            Ok::<_, TenantError>(signals)
        });
        match left.await {
            Ok(signals) => self.0.api.signals.pass_on(&signals),
            // Its lease ends by itself, and the worker comes to it.
            Err(error) => tracing::warn!(%error, "a task of a tenant stays until its lease ends"),
        }
        error
    }
}
