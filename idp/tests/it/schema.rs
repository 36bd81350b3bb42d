//! The two migration trees.

use tenantry_idp::startup::MIGRATIONS;
use tenantry_testing::schema::{self, Shared};

#[actix_web::test]
async fn both_trees_go_up_and_down_and_end_in_the_same_schema() {
    schema::check_migrations(&MIGRATIONS).await;
}

#[actix_web::test]
async fn every_table_keeps_tenants_apart() {
    // What is a secret is nobody's to guess, and a domain leads to one tenant.
    let shared = Shared {
        tables: &[],
        keys: &[
            ("authorization_codes", &["code_hash"]),
            ("sessions", &["secret_hash"]),
            ("tenant_domains", &["domain"]),
        ],
    };
    schema::check_tenancy(&MIGRATIONS, shared).await;
}
