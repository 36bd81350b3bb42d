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

/// What a schema has beside the tables of tenants.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shared {
    /// The tables whose rows are nobody's.
    pub tables: &'static [&'static str],
    /// What is one of its kind in all tenants together: tables and the columns of the key.
    pub keys: &'static [(&'static str, &'static [&'static str])],
}

/// Every table is of tenants, unless it is listed: each row says whose it is, can be referred to together with its tenant, is
/// one of its kind in its tenant only, and refers to nothing of another.
///
/// # Panics
/// When it is not so.
pub async fn check_tenancy(migrations: &'static Migrations, shared: Shared) {
    let database = TestDatabase::create().await;
    let db = database.open().await;
    db.migrate(migrations).await.expect("they go up");
    let report = db.schema_report().await.expect("a schema");
    let is_tenant = |column: &String| column == "tenant_id" || column.ends_with("_tenant_id");
    for (name, table) in &report.tables {
        let tenant = table.columns.iter().find(|column| column.name == "tenant_id");
        let is_listed = name == "tenants" || shared.tables.contains(&name.as_str());
        assert_eq!(tenant.is_none(), is_listed, "{name} is of tenants, or is listed");
        for key in &table.foreign_keys {
            let carried =
                key.columns.iter().zip(&key.referenced).any(|(from, to)| is_tenant(from) && to == "tenant_id");
            assert!(key.table == "tenants" || carried, "{name}: {key:?}");
        }
        let Some(tenant) = tenant else { continue };
        assert!(!tenant.nullable, "{name}: every row is somebody's");
        let composite = |key: &Vec<String>| key.first().is_some_and(|column| column == "tenant_id");
        let is_shared = |key: &Vec<String>| shared.keys.iter().any(|(of, columns)| of == name && columns == key);
        let primary = &table.primary_key;
        let both = [&["tenant_id".to_owned()], &primary[..]].concat();
        let can_be_referred_to = composite(primary) || is_shared(primary) || table.unique_keys.contains(&both);
        assert!(can_be_referred_to, "{name} has no composite key");
        for key in table.unique_keys.iter().filter(|key| !composite(key)) {
            assert!(is_shared(key), "{name}: one tenant learns by the key {key:?} what another has");
        }
    }
    for (name, columns) in shared.keys {
        let keys = report.tables.get(*name).map(|table| table.unique_keys.iter().chain([&table.primary_key]));
        let is_there = keys.is_some_and(|mut keys| keys.any(|key| columns == key));
        assert!(is_there, "{name} has no key {columns:?} any more");
    }
}
