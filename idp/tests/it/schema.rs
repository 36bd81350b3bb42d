//! The two migration trees.

use tenantry_idp::startup::MIGRATIONS;
use tenantry_testing::schema;

#[actix_web::test]
async fn both_trees_go_up_and_down_and_end_in_the_same_schema() {
    schema::check_migrations(&MIGRATIONS).await;
}

#[actix_web::test]
async fn every_reference_between_tables_of_tenants_carries_the_tenant() {
    schema::check_references(&MIGRATIONS).await;
}
