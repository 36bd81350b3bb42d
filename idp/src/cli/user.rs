//! `user create` and `user set-password`.

use std::io::{BufRead as _, stdin};

use clap::{Args, Subcommand};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tenantry_types::{EmailAddress, Random, Slug, UserId, random_token};
use tenantry_web::command_line::{CommandError, Output};

use super::context::Context;
use crate::accounts::{self, Created};
use crate::audit::{Entry, Source};
use crate::config::PasswordsConfig;
use crate::credentials::{NewPassword, PasswordHasher};
use crate::users::{self, NewUser, PersonName, RoleName, Roles, UserError, UserStatus, Username};

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user who can sign in.
    Create {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// Their e-mail address.
        #[arg(long)]
        email: EmailAddress,
        /// What they sign in with, if it is not the e-mail address.
        #[arg(long)]
        username: Option<Username>,
        /// First name.
        #[arg(long)]
        given_name: Option<PersonName>,
        /// Last name.
        #[arg(long)]
        family_name: Option<PersonName>,
        /// A role in the tenant; can be given several times.
        #[arg(long = "role")]
        roles: Vec<RoleName>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give a user a new password.
    SetPassword {
        /// The tenant.
        #[arg(long)]
        tenant: Slug,
        /// The user name or e-mail address.
        #[arg(long)]
        username: Username,
        #[command(flatten)]
        password: PasswordSource,
    },
}

/// Where a password comes from. Never from the command line, which others can see.
#[derive(Debug, Args)]
pub struct PasswordSource {
    /// Read the password from the first line of standard input, instead of making one and printing it.
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordSource {
    fn read(&self, random: &dyn Random) -> Result<(NewPassword, bool), CommandError> {
        if self.password_stdin {
            let mut line = String::new();
            stdin().lock().read_line(&mut line)?;
            let password = line.trim_end_matches(['\r', '\n']).parse();
            return Ok((password.map_err(|error| format!("the password {error}"))?, false));
        }
        Ok((random_password(random)?, true))
    }
}

/// A password of 128 bits, easy to select and to type.
pub fn random_password(random: &dyn Random) -> Result<NewPassword, CommandError> {
    let token = random_token(random);
    let text: String = token.expose_secret().chars().filter(char::is_ascii_alphanumeric).take(22).collect();
    Ok(text.parse()?)
}

/// A hasher for a command.
pub fn hasher(context: &Context) -> Result<PasswordHasher, CommandError> {
    let PasswordsConfig { argon2_memory_kib, argon2_passes, .. } = context.config.passwords;
    Ok(PasswordHasher::start(context.random(), argon2_memory_kib, argon2_passes, 1, 8)?)
}

/// Runs the command.
pub async fn run(context: &Context, command: UserCommand, output: Output) -> Result<(), CommandError> {
    match command {
        UserCommand::Create { tenant, email, username, given_name, family_name, roles, password } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let (password, made) = password.read(&*context.random())?;
            let shown = made.then(|| password.expose().to_owned());
            let hash = hasher(context)?.hash(password.into_secret()).await?;
            let user = NewUser {
                id: UserId::new(&*context.clock(), &*context.random()),
                username: username.map_or_else(|| email.as_str().parse(), Ok)?,
                email,
                email_verified: true,
                phone: None,
                given_name,
                family_name,
                display_name: None,
                status: UserStatus::Active,
                roles: Roles { version: 0, names: roles.into_iter().collect() },
            };
            let (id, name) = (user.id, user.username.clone());
            let author = context.author();
            let create = move |conn: &mut _| match accounts::create(conn, scope, &author, &user, Some(&hash), true)? {
                Created::Taken(names) if names.contains(&"email") => Err(UserError::Taken("e-mail address")),
                Created::Taken(_) => Err(UserError::Taken("username")),
                // The id is new.
                Created::Now(_) | Created::Before(_) | Created::Different(_) => Ok(()),
            };
            context.db.write(create).await?;
            output.result(&json!({ "id": id, "username": name, "password": shown }), || match &shown {
                Some(password) => format!("Made user {name} ({id}).\nPassword: {password}"),
                None => format!("Made user {name} ({id})."),
            });
        }
        UserCommand::SetPassword { tenant, username, password } => {
            let (_, scope) = context.tenant(&tenant).await?;
            let (password, made) = password.read(&*context.random())?;
            let shown = made.then(|| password.expose().to_owned());
            let hash = hasher(context)?.hash(password.into_secret()).await?;
            let (author, name) = (context.author(), username.to_string());
            context
                .db
                .write(move |conn| {
                    let found = users::store::find_for_sign_in(conn, scope, &name)?;
                    let (id, ..) = found.ok_or_else(|| UserError::Unknown(name.clone()))?;
                    accounts::set_password(conn, scope, &author, id, &hash)?;
                    Ok::<_, UserError>(())
                })
                .await?;
            output.result(&json!({ "username": username, "password": shown }), || match &shown {
                Some(password) => format!("Password of {username}: {password}"),
                None => format!("Password of {username} set."),
            });
        }
    }
    Ok(())
}

/// An audit entry for what the operator does.
pub fn operator(action: &'static str, target: String) -> Entry<'static> {
    static NOWHERE: Source = Source { address: None, request_id: None };
    Entry { action, actor: "operator".to_owned(), target, detail: json!({}), source: &NOWHERE }
}
