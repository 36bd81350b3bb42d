//! `POST /api/v1/users/import`.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value};
use tenantry_types::{InputError, Problem, UserId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::{IntoProblem as _, ProblemResponse};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, Semaphore};

use super::csv;
use super::lease::{self, Owner};
use super::lines::{BrokenBody, Lines};
use super::report::{Outcome, with_summary};
use crate::access::{Authority, Permission};
use crate::change::{Change, Work};
use crate::directory::kind::attributes_of;
use crate::directory::parse::{self, NewAccount};
use crate::directory::routes::{CREATE, READ, UPDATE};
use crate::directory::{AccountError, Accounts, Asked, ProviderError, store};
use crate::idempotency::Once;

/// The most lines in one import.
const MAX_LINES: usize = 100_000;
/// How many lines are under way at once.
const AT_ONCE: usize = 4;
/// How many of them with a password: hashing one takes the identity provider longer than all the rest.
const PASSWORDS_AT_ONCE: usize = 2;
/// What a table may have, besides what is only exported.
const COLUMNS: &[&str] = &[
    "email",
    "username",
    "password",
    "first_name",
    "last_name",
    "display_name",
    "phone",
    "status",
    "avatar_url",
    "metadata",
];
/// What an export has and an import leaves aside.
const LEFT_ASIDE: &[&str] = &["id", "email_verified", "roles", "created_at"];

/// What is done with somebody who is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnConflict {
    /// Their line fails.
    Fail,
    /// They stay as they are.
    Skip,
    /// They become what their line says; an address and a password stay.
    Update,
}

/// Imports people
///
/// A table with a header line (`text/csv`) or JSON lines (`application/x-ndjson`), with the members that adding somebody has.
/// Lines are read as they come, and each is told of with a line of the answer, in their order: `created`, `updated`,
/// `skipped`, `valid` (of a dry run) or `failed`, with what is wrong. The last line of the answer sums up. A line that failed
/// stops no other. `on_conflict=update` needs `account.update` as well; ids of those who are there already are for those who may
/// see them. A tenant has one import under way at a time.
#[utoipa::path(
    post,
    path = "/api/v1/users/import",
    tag = "Users",
    operation_id = "import_users",
    params(
        ("dry_run" = Option<bool>, Query, description = "Whether lines are only checked"),
        ("on_conflict" = Option<String>, Query, description = "With whoever is there already: `fail` (the default), `skip` or `update`"),
    ),
    request_body(content = String, content_type = "text/csv", description = "At most 100,000 lines of at most 64 KiB",
        example = "email,first_name,last_name\njohn.doe@acme.example.com,John,Doe\n"),
    responses(
        (status = 200, description = "What became of each line", body = String, content_type = "application/x-ndjson",
            example = "{\"line\":1,\"status\":\"created\",\"id\":\"0190b2c4-0000-7000-8000-000000000001\"}\n\
                {\"summary\":{\"lines\":1,\"created\":1,\"updated\":0,\"skipped\":0,\"valid\":0,\"failed\":0}}\n"),
        (status = 409, description = "Another import is under way (`/problems/import-under-way`)"),
    )
)]
pub(crate) async fn import(
    request: HttpRequest,
    change: Change,
    authority: Authority,
    payload: Payload,
    accounts: Data<Accounts>,
) -> Result<HttpResponse, actix_web::Error> {
    let mut query = Query::of(&request, &accounts.api.cursors, change.principal.tenant.id.as_str());
    let is_dry = query.flag("dry_run").unwrap_or(false);
    let on_conflict = query.take("on_conflict", |text| match text {
        "fail" => Ok(OnConflict::Fail),
        "skip" => Ok(OnConflict::Skip),
        "update" => Ok(OnConflict::Update),
        _ => Err("must be fail, skip or update"),
    });
    query.finish().map_err(AccountError::Invalid)?;
    let on_conflict = on_conflict.unwrap_or(OnConflict::Fail);
    if on_conflict == OnConflict::Update {
        authority.require_some(UPDATE).map_err(AccountError::from)?;
    }
    let is_table = is_table(&request)?;
    let lease = if is_dry { None } else { Some(begin(&accounts, &change).await?) };
    let import = Rc::new(Import {
        renewed: Cell::new(accounts.api.clock.now()),
        accounts: Accounts::clone(&accounts),
        change,
        authority,
        is_dry,
        on_conflict,
        lease: Cell::new(lease),
        turns: RefCell::default(),
        passwords: Semaphore::new(PASSWORDS_AT_ONCE),
    });
    let reader = Reader { lines: Lines::new(payload, is_table), is_table, header: None, number: 0, has_ended: false };
    let ended = Rc::clone(&import);
    let report = stream::unfold(reader, |mut reader| async move { reader.next().await.map(|item| (item, reader)) })
        .map(move |item| {
            let import = Rc::clone(&import);
            async move { import.take(item).await }
        })
        .buffered(AT_ONCE);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(with_summary(report, async move || ended.end().await)))
}

/// Only one import of a tenant is under way at a time.
async fn begin(accounts: &Accounts, change: &Change) -> Result<Owner, AccountError> {
    let owner = Owner::new(&*accounts.api.clock, &*accounts.api.random);
    let take = move |work: &mut Work<'_>| lease::take(work.conn, work.scope, owner, work.clock.now());
    let taken = change.step::<_, AccountError, _>(&accounts.api, move |work| Ok(take(work)?)).await?;
    if taken { Ok(owner) } else { Err(AccountError::Importing) }
}

fn is_table(request: &HttpRequest) -> Result<bool, ProblemResponse> {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(true),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Ok(false),
        _ => Err(Problem::unsupported_media_type().with_detail("expected text/csv or application/x-ndjson").into()),
    }
}

/// A line as an object, or why it is none.
struct Item {
    line: usize,
    value: Result<Value, InputError>,
}

/// Lines as objects.
struct Reader {
    lines: Lines,
    is_table: bool,
    header: Option<Vec<String>>,
    number: usize,
    has_ended: bool,
}

impl Reader {
    async fn next(&mut self) -> Option<Item> {
        if self.has_ended {
            return None;
        }
        if self.is_table && self.header.is_none() {
            match self.read_header().await {
                Ok(Some(header)) => self.header = Some(header),
                Ok(None) => return None,
                Err(error) => return Some(self.end(error)),
            }
        }
        let line = match self.lines.next().await {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(error) => return Some(self.end(broken(error))),
        };
        self.number += 1;
        if self.number > MAX_LINES {
            let limit =
                InputError::new("", "limit", format!("at most {MAX_LINES} lines: send the rest in another import"));
            return Some(self.end(limit));
        }
        let value = match &self.header {
            Some(header) => object(header, &line),
            None => serde_json::from_str(&line).map_err(|_| InputError::new("", "syntax", "is not JSON")),
        };
        Some(Item { line: self.number, value })
    }

    /// The last item: nothing can be read after it.
    fn end(&mut self, error: InputError) -> Item {
        self.has_ended = true;
        Item { line: self.number.max(1), value: Err(error) }
    }

    async fn read_header(&mut self) -> Result<Option<Vec<String>>, InputError> {
        let Some(line) = self.lines.next().await.map_err(broken)? else { return Ok(None) };
        let names = csv::read(line.trim_start_matches('\u{feff}'));
        let names = names.ok_or_else(|| InputError::new("", "syntax", "the header line is not in order"))?;
        let is_known = |name: &String| COLUMNS.contains(&name.as_str()) || LEFT_ASIDE.contains(&name.as_str());
        if let Some(unknown) = names.iter().find(|name| !is_known(name)) {
            let short: String = unknown.chars().take(100).collect();
            return Err(InputError::new(short, "unknown", "there is no such column"));
        }
        Ok(Some(names))
    }
}

fn broken(error: BrokenBody) -> InputError {
    InputError::new("", "broken", error.to_string())
}

/// A record as an object; what is empty is left out.
fn object(header: &[String], line: &str) -> Result<Value, InputError> {
    let fields = csv::read(line).ok_or_else(|| InputError::new("", "syntax", "the quotes are not in order"))?;
    if fields.len() != header.len() {
        return Err(InputError::new("", "syntax", format!("must have {} fields, as the header line", header.len())));
    }
    let mut members = Map::new();
    for (name, field) in header.iter().zip(fields) {
        if field.is_empty() || LEFT_ASIDE.contains(&name.as_str()) {
            continue;
        }
        let value = if name == "metadata" {
            serde_json::from_str(&field).map_err(|_| InputError::new("/metadata", "syntax", "is not JSON"))?
        } else {
            Value::String(field)
        };
        members.insert(name.clone(), value);
    }
    Ok(Value::Object(members))
}

struct Import {
    accounts: Accounts,
    change: Change,
    authority: Authority,
    is_dry: bool,
    on_conflict: OnConflict,
    /// That this is the import of the tenant.
    lease: Cell<Option<Owner>>,
    /// When it last gave a sign of life.
    renewed: Cell<UtcTime>,
    /// Turns of lines with a password.
    passwords: Semaphore,
    /// Addresses of lines that are under way: lines with the same one wait for each other, in their order.
    turns: RefCell<HashMap<String, Rc<Mutex<()>>>>,
}

impl Drop for Import {
    /// Nobody reads the answer any more.
    fn drop(&mut self) {
        let Some(owner) = self.lease.take() else { return };
        let (db, scope) = (self.accounts.api.db.clone(), self.change.principal.scope());
        if let Ok(runtime) = Handle::try_current() {
            // What is not told ends by itself.
            drop(runtime.spawn(async move { db.write(move |conn| lease::end(conn, scope, owner)).await }));
        }
    }
}

impl Import {
    /// Lets the next begin, before it is told that this one has ended.
    async fn end(&self) {
        let Some(owner) = self.lease.take() else { return };
        let scope = self.change.principal.scope();
        if let Err(error) = self.accounts.api.db.write(move |conn| lease::end(conn, scope, owner)).await {
            tracing::debug!(%error, "an import could not say that it has ended");
        }
    }

    /// Says once in a while that it is under way.
    async fn renew(&self) -> Result<(), AccountError> {
        let now = self.accounts.api.clock.now();
        let Some(owner) = self.lease.get().filter(|_| now.since(self.renewed.get()) >= lease::RENEW_AFTER) else {
            return Ok(());
        };
        self.renewed.set(now);
        let scope = self.change.principal.scope();
        Ok(self.accounts.api.db.write(move |conn| lease::renew(conn, scope, owner, now)).await?)
    }

    async fn take(&self, item: Item) -> Outcome {
        let line = item.line;
        if let Err(error) = self.renew().await {
            tracing::debug!(%error, "an import could not say that it is under way");
        }
        let value = match item.value {
            Ok(value) => value,
            Err(error) => return Outcome::failed(line, vec![error]),
        };
        let new = match parse::new_account(value.clone()) {
            Ok(new) => new,
            Err(errors) => return Outcome::failed(line, errors),
        };
        let email = new.email.normalized();
        let turn = Rc::clone(self.turns.borrow_mut().entry(email.clone()).or_default());
        let mine = turn.lock().await;
        let done = if self.is_dry { self.check(new).await } else { self.add(new, value).await };
        drop(mine);
        // The map's and this one: nobody waits.
        if Rc::strong_count(&turn) == 2 {
            self.turns.borrow_mut().remove(&email);
        }
        match done {
            Ok((status, id)) => Outcome { line, status, id, errors: Vec::new() },
            Err(error) => Outcome::failed(line, told(&error)),
        }
    }

    /// What would become of it, as far as can be known here.
    async fn check(&self, new: NewAccount) -> Result<(&'static str, Option<UserId>), AccountError> {
        match (self.known(&new).await?, self.on_conflict) {
            (None, _) => Ok(("valid", None)),
            (Some(_), OnConflict::Fail) => Err(AccountError::EmailTaken),
            (Some(known), OnConflict::Skip) => Ok(("skipped", known.shown())),
            (Some(known), OnConflict::Update) => Ok(("valid", known.shown())),
        }
    }

    async fn add(&self, new: NewAccount, value: Value) -> Result<(&'static str, Option<UserId>), AccountError> {
        let has_password = new.provider.get("password").is_some();
        // Never closed.
        let turn = if has_password { self.passwords.acquire().await.ok() } else { None };
        let made = self.accounts.create(self.asked(CREATE), new.clone()).await;
        drop(turn);
        let refusal = match made {
            Ok(answer) => {
                let id = answer.body.as_ref().and_then(|body| body.pointer("/data/id")).and_then(Value::as_str);
                return Ok(("created", id.and_then(|id| id.parse().ok())));
            }
            Err(refusal) if is_conflict(&refusal) => refusal,
            Err(error) => return Err(error),
        };
        match self.on_conflict {
            OnConflict::Fail => Err(refusal),
            OnConflict::Skip => Ok(("skipped", self.known(&new).await?.and_then(Known::shown))),
            OnConflict::Update => {
                let known = self.known(&new).await?.ok_or(refusal)?;
                self.update(known.id, value).await?;
                Ok(("updated", known.shown()))
            }
        }
    }

    async fn update(&self, id: UserId, mut value: Value) -> Result<(), AccountError> {
        if let Some(members) = value.as_object_mut() {
            members.remove("email");
            members.remove("password");
        }
        let wanted = parse::account_change(value).map_err(AccountError::Invalid)?;
        self.accounts.update(self.asked(UPDATE), id, None, wanted).await.map(drop)
    }

    fn asked(&self, right: Permission) -> Asked<'_> {
        Asked { change: &self.change, authority: &self.authority, once: Once::Unkeyed, right: Some(right) }
    }

    /// Who has the address.
    async fn known(&self, new: &NewAccount) -> Result<Option<Known>, AccountError> {
        let (scope, email, caller) = (self.change.principal.scope(), new.email.normalized(), self.authority.clone());
        let now = self.accounts.api.clock.now();
        let found = self.accounts.api.db.read(move |conn| {
            let Some(row) = store::by_email(conn, scope, &email)? else { return Ok(None) };
            let about = attributes_of(conn, scope, now, std::slice::from_ref(&row))?;
            let may_see = caller.check(READ, about.into_values().flatten()).is_ok();
            Ok::<_, AccountError>(Some(Known { id: row.id, may_see }))
        });
        found.await
    }
}

/// Somebody who is there already.
#[derive(Debug, Clone, Copy)]
struct Known {
    id: UserId,
    /// Whether whoever imports may see them.
    may_see: bool,
}

impl Known {
    /// Their id, for those who may see them: that an address is taken says nothing of who has it.
    fn shown(self) -> Option<UserId> {
        self.may_see.then_some(self.id)
    }
}

fn is_conflict(error: &AccountError) -> bool {
    match error {
        AccountError::EmailTaken => true,
        AccountError::Provider(ProviderError::Refused(problem)) => problem.status == 409,
        _ => false,
    }
}

/// What is wrong with a line, in the form of every other error.
fn told(error: &AccountError) -> Vec<InputError> {
    let problem = error.problem();
    if !problem.errors.is_empty() {
        return problem.errors;
    }
    let code = match problem.status {
        403 => "forbidden",
        404 => "not_found",
        409 => "conflict",
        503 => "unavailable",
        500.. => "internal",
        _ => "refused",
    };
    vec![InputError::new("", code, problem.detail.unwrap_or_else(|| problem.title.into_owned()))]
}
