//! What has to hold for the migrations of every service.

#![allow(clippy::expect_used, reason = "a test whose migrations fail can only stop")]

use tenantry_db::Migrations;

use crate::TestDatabase;

/// Both trees have the same steps; they go up, down and up again, and end in the same schema.
///
/// # Panics
/// When it is not so.
pub async fn check_migrations(migrations: &'static Migrations) {
    let (sqlite, mysql) = migrations.names().expect("readable migrations");
    assert!(!sqlite.is_empty(), "there are migrations");
    assert_eq!(sqlite, mysql, "both trees have the same steps");
    let mut reports = Vec::new();
    for database in TestDatabase::on_each_backend().await {
        let db = database.open().await;
        let applied = db.migrate(migrations).await.expect("they go up");
        let first = db.schema_report().await.expect("a schema");
        let reverted = db.revert_migrations(migrations).await.expect("they go down");
        assert_eq!(reverted.len(), applied.len());
        assert_eq!(db.pending_migrations(migrations).await.expect("a list").len(), applied.len());
        db.migrate(migrations).await.expect("they go up again");
        let second = db.schema_report().await.expect("a schema");
        assert_eq!(first.differences(&second), Vec::<String>::new());
        reports.push(second);
    }
    for other in &reports[1..] {
        assert_eq!(reports[0].differences(other), Vec::<String>::new());
    }
}

/// Every reference between tables of tenants carries the tenant, so that no row can refer to one of another.
///
/// # Panics
/// When it is not so.
pub async fn check_references(migrations: &'static Migrations) {
    let database = TestDatabase::create().await;
    let db = database.open().await;
    db.migrate(migrations).await.expect("they go up");
    let report = db.schema_report().await.expect("a schema");
    for (name, table) in &report.tables {
        for key in &table.foreign_keys {
            let carries = key.columns.iter().any(|column| column == "tenant_id" || column.ends_with("_tenant_id"));
            assert!(key.table == "tenants" || carries, "{name}: {key:?}");
        }
    }
}
