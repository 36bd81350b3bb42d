//! `demo`: a tenant to try things with.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use clap::Args;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tenantry_db::{Connection, TenantScope};
use tenantry_types::{Slug, TenantId, UserId};
use tenantry_web::command_line::{CommandError, Output};

use super::client::{ClientKind, registration};
use super::context::Context;
use super::user::{hasher, random_password};
use crate::accounts;
use crate::audit::Author;
use crate::clients::{self, NewClient, RedirectUri};
use crate::credentials::PasswordHasher;
use crate::provision::{NewTenant, ProvisionError};
use crate::tenants::{TenantName, TenantStatus, store};
use crate::users::{NewUser, Roles, UserStatus};

/// Where to write what was made.
#[derive(Debug, Args)]
pub struct DemoCommand {
    /// The file for names, passwords and secrets; readable by its owner only.
    #[arg(long, default_value = "data/demo.json")]
    output: PathBuf,
}

const SLUG: &str = "demo";
/// The operator's own tenant, whose clients can be given the scopes of the management API.
const PLATFORM_SLUG: &str = "platform";
const REDIRECT_URI: &str = "http://localhost:3000/callback";
/// On any port (RFC 8252 §7.3).
const NATIVE_REDIRECT_URI: &str = "http://127.0.0.1/callback";

struct DemoUser {
    user: NewUser,
    hash: String,
}

/// Everything that is made.
struct Plan {
    users: Vec<DemoUser>,
    platform_users: Vec<DemoUser>,
    clients: Vec<NewClient>,
}

/// Makes the tenant, or leaves what is there as it is.
pub async fn run(context: &Context, command: DemoCommand, output: Output) -> Result<(), CommandError> {
    let slug: Slug = SLUG.parse()?;
    let wanted = slug.clone();
    let there = context.db.read(move |conn| store::find_by_slug(conn, &wanted)).await?.is_some();
    let file = &command.output;
    // The file is written first under another name and takes its place once the tenant is made: whatever happens in
    // between, a secret that works is in a file, and a file with the final name holds secrets that work.
    let waiting = file.with_extension("json.new");
    match (there, file.exists(), waiting.exists()) {
        (true, true, _) => {}
        (true, false, true) => fs::rename(&waiting, file)?,
        (true, false, false) => {
            return Err(format!(
                "the tenant '{SLUG}' is there but {} is not: its passwords are not kept anywhere else. \
                 Set new ones with `user set-password`, or begin anew with an empty database.",
                file.display()
            )
            .into());
        }
        (false, _, _) => {
            let (plan, document) = describe(context).await?;
            write_private(&waiting, &document)?;
            make(context, slug, plan).await?;
            fs::rename(&waiting, file)?;
        }
    }
    let document: Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    output.result(&json!({ "file": file, "issuer": document["issuer"], "made": !there }), || {
        format!("Tenant '{SLUG}' is ready; see {}.", file.display())
    });
    Ok(())
}

/// E-mail address, first name, last name, role.
type Name = (&'static str, &'static str, &'static str, &'static str);

async fn people(
    context: &Context,
    hasher: &PasswordHasher,
    names: &[Name],
) -> Result<(Vec<DemoUser>, Vec<Value>), CommandError> {
    let (mut users, mut users_json) = (Vec::new(), Vec::new());
    for (email, given_name, family_name, role) in names {
        let password = random_password(&*context.random())?;
        users_json.push(json!({ "username": email, "password": password.expose(), "roles": [role] }));
        let user = NewUser {
            id: UserId::new(&*context.clock(), &*context.random()),
            username: email.parse()?,
            email: email.parse()?,
            email_verified: true,
            phone: None,
            given_name: Some(given_name.parse()?),
            family_name: Some(family_name.parse()?),
            display_name: None,
            status: UserStatus::Active,
            roles: Roles { version: 0, names: [role.parse()?].into() },
        };
        users.push(DemoUser { user, hash: hasher.hash(password.into_secret()).await? });
    }
    Ok((users, users_json))
}

async fn describe(context: &Context) -> Result<(Plan, Value), CommandError> {
    let hasher = hasher(context)?;
    let names =
        [("admin@demo.example", "Ada", "Admin", "administrator"), ("user@demo.example", "Uma", "User", "member")];
    let (users, users_json) = people(context, &hasher, &names).await?;
    let names = [("admin@platform.example", "Petra", "Platform", "administrator")];
    let (platform_users, platform_json) = people(context, &hasher, &names).await?;
    let text = |secret: Option<SecretString>| secret.map(|secret| secret.expose_secret().to_owned());
    let uris: Vec<RedirectUri> = vec![REDIRECT_URI.parse()?, NATIVE_REDIRECT_URI.parse()?];
    let after_sign_out: Vec<RedirectUri> = vec!["http://localhost:3000/".parse()?];
    let (mut public, _) = registration(context, ClientKind::Public, "demo-public".parse()?, "Demo app".parse()?)?;
    public.redirect_uris.clone_from(&uris);
    public.post_logout_redirect_uris.clone_from(&after_sign_out);
    let (mut confidential, confidential_secret) =
        registration(context, ClientKind::Confidential, "demo-confidential".parse()?, "Demo web application".parse()?)?;
    confidential.redirect_uris = uris[..1].to_vec();
    confidential.post_logout_redirect_uris = after_sign_out;
    let (machine, machine_secret) =
        registration(context, ClientKind::Machine, "demo-machine".parse()?, "Demo machine".parse()?)?;
    let document = json!({
        "issuer": format!("{}/t/{SLUG}", context.config.http.public_url.as_str()),
        "api": context.config.tokens.audience,
        "users": users_json,
        "platform": {
            "issuer": format!("{}/t/{PLATFORM_SLUG}", context.config.http.public_url.as_str()),
            "users": platform_json,
        },
        "clients": {
            "public": { "client_id": public.client_id, "redirect_uris": public.redirect_uris },
            "confidential": {
                "client_id": confidential.client_id,
                "client_secret": text(confidential_secret),
                "redirect_uris": confidential.redirect_uris,
            },
            "machine": {
                "client_id": machine.client_id,
                "client_secret": text(machine_secret),
                "scope": machine.scope,
            },
        },
    });
    Ok((Plan { users, platform_users, clients: vec![public, confidential, machine] }, document))
}

async fn make(context: &Context, slug: Slug, plan: Plan) -> Result<(), CommandError> {
    let (author, provisioner) = (context.author(), context.provisioner());
    let tenant = |slug, name: TenantName, is_platform| {
        let id = TenantId::new(&*author.clock, &*author.random);
        NewTenant { id, slug, name, status: TenantStatus::Active, is_platform }
    };
    let demo = tenant(slug, "Demo".parse()?, false);
    let platform = tenant(PLATFORM_SLUG.parse()?, "Platform".parse()?, true);
    context
        .db
        .write(move |conn| {
            let scope = TenantScope::system(demo.id, "demo");
            provisioner.establish(conn, &author, &demo)?;
            add_people(conn, scope, &author, &plan.users)?;
            for client in &plan.clients {
                clients::store::insert(conn, scope, &*author.clock, client)?;
            }
            // A platform tenant that is there already is the operator's, with people of its own.
            if store::find_by_slug(conn, &platform.slug)?.is_none() {
                provisioner.establish(conn, &author, &platform)?;
                let scope = TenantScope::system(platform.id, "demo");
                add_people(conn, scope, &author, &plan.platform_users)?;
            }
            Ok::<_, ProvisionError>(())
        })
        .await?;
    Ok(())
}

fn add_people(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    people: &[DemoUser],
) -> Result<(), ProvisionError> {
    for DemoUser { user, hash } in people {
        accounts::create(conn, scope, author, user, Some(hash), true)?;
    }
    Ok(())
}

fn write_private(path: &Path, document: &Value) -> Result<(), CommandError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // Never written over: a file that is there could be readable by others.
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(serde_json::to_string_pretty(document)?.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
