//! `tenantry-idp`.

use std::process::ExitCode;

#[actix_web::main]
async fn main() -> ExitCode {
    tenantry_idp::cli::run().await
}
