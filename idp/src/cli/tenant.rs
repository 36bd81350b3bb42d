//! `tenant create` and `tenant list`.

use clap::Subcommand;
use serde_json::json;
use tenantry_types::{Slug, TenantId};
use tenantry_web::command_line::{CommandError, Output};

use super::context::Context;
use crate::provision::NewTenant;
use crate::tenants::{TenantName, TenantStatus, store};

/// What can be done with tenants.
#[derive(Debug, Subcommand)]
pub enum TenantCommand {
    /// Make a tenant with its signing key and console.
    Create {
        /// Its short name in URLs.
        #[arg(long)]
        slug: Slug,
        /// Its name for people.
        #[arg(long)]
        name: TenantName,
        /// It is the operator's own: its clients can be given the scopes of the management API.
        #[arg(long)]
        platform: bool,
    },
    /// List tenants by their short names.
    List {
        /// Begin after this one.
        #[arg(long)]
        after: Option<Slug>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
}

/// Runs the command.
pub async fn run(context: &Context, command: TenantCommand, output: Output) -> Result<(), CommandError> {
    match command {
        TenantCommand::Create { slug, name, platform } => {
            let (author, provisioner) = (context.author(), context.provisioner());
            let id = TenantId::new(&*author.clock, &*author.random);
            let new = NewTenant { id, slug, name, status: TenantStatus::Active, is_platform: platform };
            let tenant = context.db.write(move |conn| provisioner.establish(conn, &author, &new)).await?;
            let issuer = tenant.issuer_url(&context.config.http.public_url);
            output.result(&json!({ "tenant": tenant, "issuer": issuer }), || {
                format!("Made tenant {} ({}).\nIssuer: {issuer}", tenant.slug, tenant.id)
            });
        }
        TenantCommand::List { after, limit } => {
            let tenants = context.db.read(move |conn| store::page(conn, after.as_ref(), limit)).await?;
            output.result(&json!({ "tenants": tenants }), || {
                let line = |t: &crate::tenants::Tenant| format!("{:<24} {:<10} {} {}", t.slug, t.status, t.id, t.name);
                tenants.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(())
}
