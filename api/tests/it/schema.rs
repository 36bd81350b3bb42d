//! The two migration trees.

use tenantry_api::startup::MIGRATIONS;
use tenantry_testing::schema::{self, Shared};

#[actix_web::test]
async fn both_trees_go_up_and_down_and_end_in_the_same_schema() {
    schema::check_migrations(&MIGRATIONS).await;
}

#[actix_web::test]
async fn every_table_keeps_tenants_apart() {
    // Keys of the audit trail sign for all tenants; a secret is nobody's to guess, and a domain leads to one tenant.
    let shared = Shared {
        tables: &["audit_keys"],
        keys: &[("console_sessions", &["secret_hash"]), ("tenant_domains", &["verified_domain"])],
    };
    schema::check_tenancy(&MIGRATIONS, shared).await;
}
