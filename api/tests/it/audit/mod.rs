//! The audit trail: sealing, verification, retention, and whoever tampers with it.

mod command_line;
mod crash;
mod retention;
mod sealing;
mod tampering;

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Text};
use serde_json::json;
use tempfile::TempDir;
use tenantry_api::audit::chain::{SealError, Sealer, checkpoint, retention as prune};
use tenantry_api::audit::verify::{Options, Report, verify};
use tenantry_api::audit::{self, AuditEntry, Changes};
use tenantry_api::startup::MIGRATIONS;
use tenantry_db::{Backend, Connection, Db, DbError, TenantScope};
use tenantry_jose::Keyring;
use tenantry_testing::TestDatabase;
use tenantry_types::{Clock, ManualClock, SystemClock, SystemRandom, TenantId};

/// A database with a trail, and whoever seals it.
pub struct Trail {
    pub database: TestDatabase,
    pub db: Db,
    pub clock: Arc<ManualClock>,
    pub keyring: Keyring,
    pub folder: TempDir,
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

impl Trail {
    pub async fn start() -> Self {
        let database = TestDatabase::create().await;
        let db = database.open().await;
        db.migrate(&MIGRATIONS).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::load_or_create(&folder.path().join("api.key"), &SystemRandom).unwrap();
        // Before now, so that nothing of it is in the future of a program with a clock of its own.
        let clock = ManualClock::starting_at(SystemClock.now() - Duration::from_secs(400 * 86_400));
        Self { database, db, clock: Arc::new(clock), keyring, folder }
    }

    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock) as Arc<dyn Clock>
    }

    pub async fn tenant(&self, slug: &str) -> TenantId {
        let id = TenantId::new(&SystemClock, &SystemRandom);
        let time = "'2026-01-01 00:00:00'";
        self.tamper([format!(
            "INSERT INTO tenants (id, slug, name, created_at, updated_at) VALUES ('{id}', '{slug}', '{slug}', {time}, {time})"
        )])
        .await;
        id
    }

    /// A tenant with some batches of some entries each.
    pub async fn sealed(&self, slug: &str, batches: usize, entries: usize) -> TenantId {
        let tenant = self.tenant(slug).await;
        for _ in 0..batches {
            self.record(tenant, entries).await;
            assert_eq!(self.sealer().seal_all().await.unwrap(), entries);
        }
        tenant
    }

    pub async fn record(&self, tenant: TenantId, count: usize) {
        let clock = self.clock();
        for number in 0..count {
            self.clock.advance(Duration::from_millis(1));
            let clock = Arc::clone(&clock);
            self.db.write(move |conn| record(conn, tenant, &*clock, number)).await.unwrap();
        }
    }

    pub fn sealer(&self) -> Sealer {
        Sealer::new(self.db.clone(), self.keyring.clone(), self.clock())
    }

    pub async fn verify(&self) -> Report {
        self.verify_with(Options::default()).await
    }

    pub async fn verify_with(&self, options: Options) -> Report {
        verify(&self.db, &self.keyring, &options).await.unwrap()
    }

    pub async fn checkpoint(&self) -> Vec<String> {
        checkpoint::take(&self.db, &self.keyring, &self.clock(), None).await.unwrap()
    }

    pub async fn prune(&self, days: u32) -> usize {
        self.try_to_prune(days).await.unwrap()
    }

    pub async fn try_to_prune(&self, days: u32) -> Result<usize, SealError> {
        prune::prune(&self.db, &self.keyring, &self.clock(), days).await
    }

    /// Does to the tables what the service would not: references are not checked. Each statement changes something.
    pub async fn tamper(&self, statements: impl IntoIterator<Item = String>) {
        self.run(statements, true).await;
    }

    /// Does something else to the tables.
    pub async fn execute(&self, statements: impl IntoIterator<Item = String>) {
        self.run(statements, false).await;
    }

    async fn run(&self, statements: impl IntoIterator<Item = String>, really: bool) {
        let (url, statements) = (self.database.url().clone(), statements.into_iter().collect::<Vec<_>>());
        let work = move || {
            let mut connection = Connection::connect(&url).unwrap();
            let unchecked = match connection.backend() {
                Backend::Sqlite => "PRAGMA foreign_keys = OFF",
                Backend::Mysql => "SET foreign_key_checks = 0",
            };
            connection.batch_execute(unchecked).unwrap();
            for statement in statements {
                let changed = sql_query(&statement).execute(&mut connection).unwrap();
                assert!(!really || changed > 0, "{statement}");
            }
            connection.close();
        };
        actix_web::rt::task::spawn_blocking(work).await.unwrap();
    }

    pub async fn texts(&self, query: impl Into<String>) -> Vec<String> {
        let query = query.into();
        let rows = self.db.read(move |conn| Ok::<_, DbError>(sql_query(&query).load::<TextRow>(conn)?)).await;
        rows.unwrap().into_iter().map(|row| row.value).collect()
    }

    pub async fn count(&self, of: &str) -> i64 {
        let query = format!("SELECT COUNT(*) AS value FROM {of}");
        let row = self.db.read(move |conn| Ok::<_, DbError>(sql_query(&query).get_result::<CountRow>(conn)?)).await;
        row.unwrap().value
    }

    /// The entries of a chain, in the order in which they are sealed.
    pub async fn entries(&self, tenant: TenantId) -> Vec<String> {
        let query =
            format!("SELECT entry_id AS value FROM audit_leaves WHERE tenant_id = '{tenant}' ORDER BY position");
        self.texts(query).await
    }
}

fn record(conn: &mut Connection, tenant: TenantId, clock: &dyn Clock, number: usize) -> Result<(), DbError> {
    let changes = Changes::between(&json!({"name": "old"}), &json!({"name": format!("new {number} ✓")}));
    let entry = AuditEntry::by_system("test", "thing.update", "thing", number.to_string(), changes);
    audit::record(conn, TenantScope::system(tenant, "test"), clock, &SystemRandom, &entry)
}

/// What was found, as kind, batch and position.
pub fn found(report: &Report) -> Vec<(&'static str, Option<i64>, Option<i64>)> {
    assert_eq!(report.ok, report.findings.is_empty());
    let one = |finding: &audit::verify::Finding| (finding.kind.as_str(), finding.place.batch, finding.place.position);
    report.findings.iter().map(one).collect()
}
