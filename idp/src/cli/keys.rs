//! `keys rotate` and `keys list`.

use clap::Subcommand;
use serde_json::json;
use tenantry_types::Slug;
use tenantry_web::command_line::{CommandError, Output};

use super::context::Context;
use crate::keys::{RotationPlan, rotation, store};

/// What can be done with signing keys.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a new signing key. It is published at once and signs later; the old one stays published until the last
    /// token that it signed has expired.
    Rotate {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// Sign with the new key at once, when the old one is no longer trusted. Clients that have cached the key set
        /// refuse new tokens until they fetch it again.
        #[arg(long)]
        now: bool,
    },
    /// List the published keys.
    List {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
    },
}

/// Runs the command.
pub async fn run(context: &Context, command: KeysCommand, output: Output) -> Result<(), CommandError> {
    match command {
        KeysCommand::Rotate { tenant, now } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let plan = RotationPlan::configured(&context.config, context.clock().now(), now);
            let maker = context.maker.clone();
            let rotated = context.db.write(move |conn| rotation::rotate(conn, scope, &maker, plan, "operator"));
            let key = rotated.await?;
            let value = json!({
                "kid": key.kid(),
                "signs_from": plan.signs_from,
                "old_keys_published_until": plan.old_published_until,
            });
            output.result(&value, || {
                format!(
                    "New key {} signs from {}; the old ones stay published until {}.",
                    key.kid(),
                    plan.signs_from,
                    plan.old_published_until
                )
            });
        }
        KeysCommand::List { tenant } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let (keyring, now) = (context.maker.keyring.clone(), context.clock().now());
            let keys = context.db.read(move |conn| store::load(conn, scope, &keyring, now)).await?;
            let signing = keys.signer(now).ok().map(|key| key.kid().to_owned());
            let rows: Vec<_> = keys
                .keys()
                .iter()
                .map(|key| {
                    json!({
                        "kid": key.key.kid(),
                        "algorithm": key.key.algorithm(),
                        "signs_from": key.signs_from,
                        "published_until": key.published_until,
                        "signs_now": signing.as_deref() == Some(key.key.kid()),
                    })
                })
                .collect();
            output.result(&json!({ "keys": rows }), || {
                let lines = keys.keys().iter().map(|key| {
                    let mark = if signing.as_deref() == Some(key.key.kid()) { "*" } else { " " };
                    let until = key.published_until.map_or_else(|| "-".to_owned(), |until| until.to_string());
                    format!("{mark} {} {} from {} until {until}", key.key.kid(), key.key.algorithm(), key.signs_from)
                });
                lines.collect::<Vec<_>>().join("\n")
            });
        }
    }
    Ok(())
}
