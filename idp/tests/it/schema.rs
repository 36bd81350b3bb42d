//! The two migration trees.

use tenantry_idp::startup::MIGRATIONS;
use tenantry_testing::TestDatabase;

#[actix_web::test]
async fn both_trees_have_the_same_steps() {
    let (sqlite, mysql) = MIGRATIONS.names().unwrap();
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, mysql);
}

#[actix_web::test]
async fn they_go_up_down_and_up_again_and_end_in_the_same_schema() {
    let mut reports = Vec::new();
    for database in TestDatabase::on_each_backend().await {
        let db = database.open().await;
        let applied = db.migrate(&MIGRATIONS).await.unwrap();
        let first = db.schema_report().await.unwrap();
        assert_eq!(db.revert_migrations(&MIGRATIONS).await.unwrap().len(), applied.len());
        assert_eq!(db.pending_migrations(&MIGRATIONS).await.unwrap().len(), applied.len());
        db.migrate(&MIGRATIONS).await.unwrap();
        let second = db.schema_report().await.unwrap();
        assert_eq!(first.differences(&second), Vec::<String>::new());
        reports.push(second);
    }
    for other in &reports[1..] {
        assert_eq!(reports[0].differences(other), Vec::<String>::new());
    }
}

#[actix_web::test]
async fn every_reference_between_tables_of_tenants_carries_the_tenant() {
    let database = TestDatabase::create().await;
    let db = database.open().await;
    db.migrate(&MIGRATIONS).await.unwrap();
    let report = db.schema_report().await.unwrap();
    for (name, table) in &report.tables {
        for key in &table.foreign_keys {
            let to_tenant = key.table == "tenants";
            let carries = key.columns.iter().any(|column| column == "tenant_id");
            assert!(to_tenant || carries, "{name}: {key:?}");
        }
    }
}
