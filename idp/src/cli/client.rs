//! `client create`, `client list` and `client rotate-secret`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tenantry_types::{ClientRowId, ScopeSet, Sha256Hash, Slug, random_token};
use tenantry_web::command_line::{CommandError, Output};

use super::context::Context;
use super::user::operator;
use crate::audit;
use crate::clients::{
    AuthMethod, Client, ClientError, ClientName, GrantType, NewClient, PublicClientId, RedirectUri, store,
};

/// What kind of program a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClientKind {
    /// A browser, mobile or desktop app: it signs people in and cannot keep a secret.
    Public,
    /// A web application with a server: it signs people in and keeps a secret.
    Confidential,
    /// A program that acts for itself.
    Machine,
}

/// What can be done with clients.
#[derive(Debug, Subcommand)]
pub enum ClientCommand {
    /// Register a client.
    Create {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// Its name for people.
        #[arg(long)]
        name: ClientName,
        /// Its home page, shown to people who are asked for consent.
        #[arg(long)]
        client_uri: Option<String>,
        /// What kind of program it is.
        #[arg(long = "type", value_enum)]
        kind: ClientKind,
        /// Its name in the protocol; made if not given.
        #[arg(long)]
        client_id: Option<PublicClientId>,
        /// Where codes may be sent; can be given several times.
        #[arg(long = "redirect-uri")]
        redirect_uris: Vec<RedirectUri>,
        /// Where browsers may go after sign-out; can be given several times.
        #[arg(long = "post-logout-redirect-uri")]
        post_logout_redirect_uris: Vec<RedirectUri>,
        /// What it may ask for, separated by spaces.
        #[arg(long)]
        scope: Option<ScopeSet>,
        /// How it authenticates, if not by the usual way of its kind.
        #[arg(long)]
        auth_method: Option<AuthMethod>,
        /// A file with its public keys (JWK Set), for `private_key_jwt`.
        #[arg(long)]
        jwks_file: Option<PathBuf>,
        /// It is ours: nobody is asked for consent.
        #[arg(long)]
        first_party: bool,
    },
    /// List clients by their names in the protocol.
    List {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// Begin after this one.
        #[arg(long)]
        after: Option<PublicClientId>,
        /// How many at most.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Give a client a new secret. The one before stays good for a while.
    RotateSecret {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// The client.
        #[arg(long)]
        client_id: PublicClientId,
        /// How long the old secret stays good, in seconds.
        #[arg(long, default_value_t = 86_400)]
        keep_old_seconds: u64,
    },
}

/// A registration with what its kind usually has, and its secret.
pub fn registration(
    context: &Context,
    kind: ClientKind,
    client_id: PublicClientId,
    name: ClientName,
) -> Result<(NewClient, Option<SecretString>), CommandError> {
    let auth_method = if kind == ClientKind::Public { AuthMethod::None } else { AuthMethod::ClientSecretBasic };
    let secret = (kind != ClientKind::Public).then(|| random_token(&*context.random()));
    let (grant_types, scope): (&[_], _) = match kind {
        ClientKind::Machine => (&[GrantType::ClientCredentials], "tenant_settings.read"),
        _ => (
            &[GrantType::AuthorizationCode, GrantType::RefreshToken],
            "openid profile email phone roles offline_access api",
        ),
    };
    let client = NewClient {
        row_id: ClientRowId::new(&*context.clock(), &*context.random()),
        client_id,
        name,
        client_uri: None,
        auth_method,
        secret: secret.as_ref().map(|secret| Sha256Hash::of(secret.expose_secret())),
        jwks: None,
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        grant_types: grant_types.iter().copied().collect(),
        scope: scope.parse()?,
        is_first_party: false,
    };
    Ok((client, secret))
}

/// Runs the command.
pub async fn run(context: &Context, command: ClientCommand, output: Output) -> Result<(), CommandError> {
    match command {
        ClientCommand::Create {
            tenant,
            name,
            client_uri,
            kind,
            client_id,
            redirect_uris,
            post_logout_redirect_uris,
            scope,
            auth_method,
            jwks_file,
            first_party,
        } => {
            let (_, tenant_scope) = context.tenant(&tenant).await?;
            let client_id = match client_id {
                Some(client_id) => client_id,
                None => ClientRowId::new(&*context.clock(), &*context.random()).as_str().parse()?,
            };
            let (mut client, mut secret) = registration(context, kind, client_id, name)?;
            client.client_uri = client_uri;
            client.redirect_uris = redirect_uris;
            client.post_logout_redirect_uris = post_logout_redirect_uris;
            client.is_first_party = first_party;
            if let Some(scope) = scope {
                client.scope = scope;
            }
            if let Some(method) = auth_method {
                client.auth_method = method;
                if !method.uses_secret() {
                    (client.secret, secret) = (None, None);
                }
            }
            if let Some(file) = jwks_file {
                let text = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
                client.jwks =
                    Some(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?);
            }
            let client_id = client.client_id.clone();
            let (clock, random) = (context.clock(), context.random());
            context
                .db
                .write(move |conn| {
                    store::insert(conn, tenant_scope, &*clock, &client)?;
                    let entry = operator("client.create", format!("client:{}", client.client_id));
                    audit::store::record(conn, tenant_scope, &*clock, &*random, &entry)?;
                    Ok::<_, ClientError>(())
                })
                .await?;
            show_secret(output, &client_id, secret.as_ref(), "Registered");
        }
        ClientCommand::List { tenant, after, limit } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let page = context
                .db
                .read(move |conn| store::page(conn, scope, after.as_ref().map(PublicClientId::as_str), limit))
                .await?;
            let rows: Vec<_> = page.iter().map(described).collect();
            output.result(&json!({ "clients": rows }), || {
                let line =
                    |client: &Client| format!("{:<38} {:<20} {}", client.client_id, client.auth_method, client.name);
                page.iter().map(line).collect::<Vec<_>>().join("\n")
            });
        }
        ClientCommand::RotateSecret { tenant, client_id, keep_old_seconds } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let secret = random_token(&*context.random());
            let hash = Sha256Hash::of(secret.expose_secret());
            let (clock, random, name) = (context.clock(), context.random(), client_id.clone());
            context
                .db
                .write(move |conn| {
                    let now = clock.now();
                    let until = now + Duration::from_secs(keep_old_seconds);
                    store::replace_secret(conn, scope, name.as_str(), &hash, until, now)?;
                    let entry = operator("client.rotate_secret", format!("client:{name}"));
                    audit::store::record(conn, scope, &*clock, &*random, &entry)?;
                    Ok::<_, ClientError>(())
                })
                .await?;
            show_secret(output, &client_id, Some(&secret), "New secret for");
        }
    }
    Ok(())
}

fn described(client: &Client) -> serde_json::Value {
    json!({
        "client_id": client.client_id,
        "name": client.name,
        "client_uri": client.client_uri,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": client.grant_types,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "scope": client.scope,
        "first_party": client.is_first_party,
    })
}

fn show_secret(output: Output, client_id: &PublicClientId, secret: Option<&SecretString>, done: &str) {
    let secret = secret.map(|secret| secret.expose_secret().to_owned());
    output.result(&json!({ "client_id": client_id, "client_secret": secret }), || match &secret {
        Some(secret) => format!("{done} client {client_id}.\nSecret (shown once): {secret}"),
        None => format!("{done} client {client_id}."),
    });
}
