//! `POST /api/v1/users/import`.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value, json};
use tenantry_types::{InputError, Problem, UserId};
use tenantry_web::listing::Query;
use tenantry_web::problems::{IntoProblem as _, ProblemResponse};
use tokio::sync::Mutex;

use super::csv;
use super::lines::{BrokenBody, Lines};
use crate::access::{Authority, Permission};
use crate::change::Change;
use crate::directory::parse::{self, NewAccount};
use crate::directory::routes::{CREATE, UPDATE};
use crate::directory::{AccountError, Accounts, Asked, ProviderError, store};
use crate::idempotency::Once;

/// The most lines in one import.
const MAX_LINES: usize = 100_000;
/// How many lines are under way at once.
const AT_ONCE: usize = 4;
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
/// stops no other. `on_conflict=update` needs `account.update` as well.
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
    let import = Rc::new(Import {
        accounts: Accounts::clone(&accounts),
        change,
        authority,
        is_dry,
        on_conflict,
        turns: RefCell::default(),
    });
    let reader = Reader { lines: Lines::new(payload, is_table), is_table, header: None, number: 0, has_ended: false };
    let report = stream::unfold(reader, |mut reader| async move { reader.next().await.map(|item| (item, reader)) })
        .map(move |item| {
            let import = Rc::clone(&import);
            async move { import.take(item).await }
        })
        .buffered(AT_ONCE);
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .insert_header(("Cache-Control", "no-store"))
        .streaming(with_summary(report)))
}

fn is_table(request: &HttpRequest) -> Result<bool, ProblemResponse> {
    let value = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "text/csv" => Ok(true),
        "application/x-ndjson" | "application/jsonl" | "application/x-jsonlines" => Ok(false),
        _ => Err(Problem::unsupported_media_type().with_detail("expected text/csv or application/x-ndjson").into()),
    }
}

/// What became of a line.
#[derive(Debug)]
struct Outcome {
    line: usize,
    status: &'static str,
    id: Option<UserId>,
    errors: Vec<InputError>,
}

impl Outcome {
    fn failed(line: usize, errors: Vec<InputError>) -> Self {
        Self { line, status: "failed", id: None, errors }
    }

    fn text(&self) -> String {
        let mut value = json!({ "line": self.line, "status": self.status });
        if let Some(id) = self.id {
            value["id"] = json!(id);
        }
        if !self.errors.is_empty() {
            value["errors"] = json!(self.errors);
        }
        format!("{value}\n")
    }
}

/// The statuses that are summed up.
const STATUSES: [&str; 5] = ["created", "updated", "skipped", "valid", "failed"];

/// The lines of the answer, and a last one that sums them up.
fn with_summary(
    outcomes: impl stream::Stream<Item = Outcome> + 'static,
) -> impl stream::Stream<Item = Result<Bytes, std::convert::Infallible>> + 'static {
    let counts: Option<[usize; STATUSES.len()]> = Some([0; STATUSES.len()]);
    stream::unfold((Box::pin(outcomes), counts), |(mut outcomes, counts)| async move {
        let mut counts = counts?;
        let Some(outcome) = outcomes.next().await else {
            let mut summary: Map<String, Value> =
                STATUSES.iter().zip(counts).map(|(status, count)| ((*status).to_owned(), json!(count))).collect();
            summary.insert("lines".to_owned(), json!(counts.iter().sum::<usize>()));
            let text = format!("{}\n", json!({ "summary": summary }));
            return Some((Ok(Bytes::from(text)), (outcomes, None)));
        };
        for (status, count) in STATUSES.iter().zip(&mut counts) {
            *count += usize::from(*status == outcome.status);
        }
        Some((Ok(Bytes::from(outcome.text())), (outcomes, Some(counts))))
    })
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
    /// Addresses of lines that are under way: lines with the same one wait for each other, in their order.
    turns: RefCell<HashMap<String, Rc<Mutex<()>>>>,
}

impl Import {
    async fn take(&self, item: Item) -> Outcome {
        let line = item.line;
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
            (Some(id), OnConflict::Skip) => Ok(("skipped", Some(id))),
            (Some(id), OnConflict::Update) => Ok(("valid", Some(id))),
        }
    }

    async fn add(&self, new: NewAccount, value: Value) -> Result<(&'static str, Option<UserId>), AccountError> {
        let refusal = match self.accounts.create(self.asked(CREATE), new.clone()).await {
            Ok(answer) => {
                let id = answer.body.as_ref().and_then(|body| body.pointer("/data/id")).and_then(Value::as_str);
                return Ok(("created", id.and_then(|id| id.parse().ok())));
            }
            Err(refusal) if is_conflict(&refusal) => refusal,
            Err(error) => return Err(error),
        };
        match self.on_conflict {
            OnConflict::Fail => Err(refusal),
            OnConflict::Skip => Ok(("skipped", self.known(&new).await?)),
            OnConflict::Update => {
                let id = self.known(&new).await?.ok_or(refusal)?;
                self.update(id, value).await?;
                Ok(("updated", Some(id)))
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
    async fn known(&self, new: &NewAccount) -> Result<Option<UserId>, AccountError> {
        let (scope, email) = (self.change.principal.scope(), new.email.normalized());
        Ok(self.accounts.api.db.read(move |conn| store::by_email(conn, scope, &email)).await?)
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
