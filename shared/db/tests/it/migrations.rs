//! Migrations: once each, both ways, with the same result on both backends.

use std::sync::Arc;

use diesel_migrations::embed_migrations;
use tenantry_db::{Backend, Db, DbError, Migrations, PoolOptions, SchemaReport};
use tenantry_testing::TestDatabase;
use tokio::sync::Barrier;

use crate::support::MIGRATIONS;

static BROKEN: Migrations = Migrations {
    sqlite: embed_migrations!("tests/broken_migrations/sqlite"),
    mysql: embed_migrations!("tests/broken_migrations/mysql"),
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starters_at_the_same_time_apply_each_step_once() {
    for database in TestDatabase::on_each_backend().await {
        let start = Arc::new(Barrier::new(4));
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let (url, start) = (database.url().clone(), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    let db = Db::open(&url, PoolOptions::default()).await.unwrap();
                    let applied = db.migrate(&MIGRATIONS).await.unwrap();
                    assert_eq!(db.pending_migrations(&MIGRATIONS).await.unwrap(), Vec::<String>::new());
                    applied
                })
            })
            .collect();
        let mut applied = Vec::new();
        for starter in starters {
            applied.extend(starter.await.unwrap());
        }
        assert_eq!(applied, MIGRATIONS.names().unwrap().0, "{:?}", database.url());
    }
}

#[tokio::test]
async fn both_folders_go_up_down_and_up_to_the_same_schema() {
    let (sqlite, mysql) = MIGRATIONS.names().unwrap();
    assert_eq!(sqlite, mysql);
    let mut schemas = Vec::new();
    for database in TestDatabase::on_each_backend().await {
        let db = database.open().await;
        let mut names = MIGRATIONS.names().unwrap().0;
        assert_eq!(db.pending_migrations(&MIGRATIONS).await.unwrap(), names);
        assert_eq!(db.migrate(&MIGRATIONS).await.unwrap(), names);
        let once = db.schema_report().await.unwrap();
        names.reverse();
        assert_eq!(db.revert_migrations(&MIGRATIONS).await.unwrap(), names);
        assert_eq!(db.schema_report().await.unwrap(), SchemaReport::default());
        names.reverse();
        assert_eq!(db.migrate(&MIGRATIONS).await.unwrap(), names);
        let twice = db.schema_report().await.unwrap();
        assert_eq!(once.differences(&twice), Vec::<String>::new());
        let bookings = &twice.tables["bookings"];
        assert_eq!(bookings.primary_key, ["tenant_id", "id"]);
        assert_eq!(bookings.foreign_keys.len(), 1);
        assert_eq!(bookings.indexes.len(), 1);
        schemas.push(twice);
    }
    for schema in &schemas[1..] {
        assert_eq!(schemas[0].differences(schema), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_difference_between_schemas_is_told() {
    let database = TestDatabase::sqlite();
    let db = database.open().await;
    db.migrate(&MIGRATIONS).await.unwrap();
    let before = db.schema_report().await.unwrap();
    let mut after = before.clone();
    after.tables.get_mut("jobs").unwrap().columns[1].nullable = false;
    after.tables.remove("bookings");
    let differences = before.differences(&after);
    assert_eq!(differences.len(), 2, "{differences:?}");
    assert!(differences[0].contains("bookings") && differences[1].contains("nullable"), "{differences:?}");
}

#[tokio::test]
async fn a_step_that_fails_is_named_and_leaves_nothing_half_done_where_that_is_possible() {
    for database in TestDatabase::on_each_backend().await {
        let db = database.open().await;
        let error = db.migrate(&BROKEN).await.unwrap_err();
        assert!(matches!(&error, DbError::Migration(text) if text.contains("000002_bad")), "{error}");
        let pending = db.pending_migrations(&BROKEN).await.unwrap();
        assert_eq!(pending.len(), if db.backend() == Backend::Sqlite { 2 } else { 1 });
        // The connection, its transaction and the lock are as before.
        db.ping().await.unwrap();
        assert!(db.migrate(&BROKEN).await.is_err());
    }
}
