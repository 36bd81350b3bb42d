//! `GET /api/v1/users/export`.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream;
use serde_json::json;
use tenantry_types::{UserId, UtcTime};
use tenantry_web::listing::Query;

use super::csv;
use crate::access::Authority;
use crate::audit::{Export, Origin};
use crate::directory::AccountError;
use crate::directory::routes::{EXPORT, filters, visible_views};
use crate::directory::store::{self, Filters};
use crate::directory::view::AccountView;
use crate::state::Api;

/// How many people are read at once.
const PAGE: i64 = 500;

/// The columns of a table.
const COLUMNS: [&str; 12] = [
    "id",
    "email",
    "email_verified",
    "username",
    "first_name",
    "last_name",
    "display_name",
    "phone",
    "status",
    "roles",
    "metadata",
    "created_at",
];

/// How people are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    /// A table (RFC 4180), for spreadsheets.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// Exports the people of the tenant
///
/// As a table (`format=csv`) or as JSON lines (`format=ndjson`), in the order in which they became known, page by page as
/// the client takes it. In a table no field can be taken for a formula. The filters are those of the list. The audit trail says
/// who began, with which filters, and how many people were sent in the end.
#[utoipa::path(
    get,
    path = "/api/v1/users/export",
    tag = "Users",
    operation_id = "export_users",
    params(
        ("format" = Option<String>, Query, description = "`csv` or `ndjson`, which is the default"),
        ("search" = Option<String>, Query, description = "Somewhere in the e-mail address, the user name or a name"),
        ("email" = Option<String>, Query, description = "This e-mail address"),
        ("status" = Option<String>, Query, description = "`active`, `inactive`, `banned`, `hold`, `pending` or `suspended`"),
        ("role" = Option<String>, Query, description = "The id of a role that they have of their own", format = Uuid),
        ("group" = Option<String>, Query, description = "The id of a group that they are in", format = Uuid),
    ),
    responses(
        (status = 200, description = "The people", body = String, content_type = "application/x-ndjson",
            example = "{\"id\":\"0190b2c4-0000-7000-8000-000000000001\",\"email\":\"john.doe@acme.example.com\"}\n"),
        (status = 422, description = "The query is not right: `errors` says where"),
    )
)]
pub(crate) async fn export(
    request: HttpRequest,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, AccountError> {
    let mut query = Query::of(&request, &api.cursors, authority.principal().tenant.id.as_str());
    let format = query.take("format", |text| match text {
        "csv" => Ok(Format::Csv),
        "ndjson" => Ok(Format::JsonLines),
        _ => Err("must be csv or ndjson"),
    });
    let filters = filters(&mut query);
    query.finish().map_err(AccountError::Invalid)?;
    let format = format.unwrap_or(Format::JsonLines);
    let noted = Export::begin(&api, authority.principal(), origin, EXPORT, request.query_string()).await?;
    let mut reader = Reader { api: Api::clone(&api), authority, filters, format, noted };
    // The first page is read before the answer begins, so that a failure still has a status.
    let (first, next) = reader.page(None).await?;
    let mut text = if format == Format::Csv { header() } else { String::new() };
    text.push_str(&first);
    let begin = Some((text, next));
    let pages = stream::unfold((reader, begin), |(mut reader, page)| async move {
        let (text, after) = page?;
        let next = match after {
            None => reader.noted.end(true).await.map(|()| None).map_err(Into::into),
            Some(after) => reader.page(Some(after)).await.map(Some),
        };
        match next {
            Ok(next) => Some((Ok(Bytes::from(text)), (reader, next))),
            Err(error) => {
                tracing::warn!(%error, "an export broke off");
                if let Err(error) = reader.noted.end(false).await {
                    tracing::warn!(%error, "that an export broke off is not in the audit trail");
                }
                Some((Err(error), (reader, None)))
            }
        }
    });
    let (media_type, name) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "users.csv"),
        Format::JsonLines => ("application/x-ndjson", "users.ndjson"),
    };
    Ok(HttpResponse::Ok()
        .content_type(media_type)
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{name}\"")))
        .insert_header(("Cache-Control", "no-store"))
        .streaming(pages))
}

fn header() -> String {
    let mut line = String::new();
    csv::write(&mut line, COLUMNS);
    line
}

struct Reader {
    api: Api,
    authority: Authority,
    filters: Filters,
    format: Format,
    noted: Export,
}

type Place = (UtcTime, UserId);

impl Reader {
    /// A page as text, and where it ends when there is more.
    async fn page(&mut self, after: Option<Place>) -> Result<(String, Option<Place>), AccountError> {
        let (caller, filters, now) = (self.authority.clone(), self.filters.clone(), self.api.clock.now());
        let found = self.api.db.read(move |conn| {
            let scope = caller.principal().scope();
            let rows = store::list(conn, scope, &filters, &caller.filter(EXPORT), after, PAGE)?;
            let is_full = rows.len() as u64 == PAGE.unsigned_abs();
            let next = rows.last().filter(|_| is_full).map(|row| (row.created_at, row.id));
            Ok::<_, AccountError>((visible_views(conn, &caller, EXPORT, rows, now)?, next))
        });
        let (people, next) = found.await?;
        self.noted.add(people.len());
        let mut text = String::new();
        for one in &people {
            self.write(&mut text, one);
        }
        Ok((text, next))
    }

    fn write(&self, text: &mut String, user: &AccountView) {
        if self.format == Format::JsonLines {
            text.push_str(&json!(user).to_string());
            text.push('\n');
            return;
        }
        let roles: Vec<&str> = user.roles.iter().map(|role| role.name.as_str()).collect();
        let (roles, metadata, created_at) = (roles.join(";"), user.metadata.to_string(), user.created_at.to_string());
        let or_empty = |value: &Option<String>| value.clone().unwrap_or_default();
        let fields = [
            user.id.to_string(),
            or_empty(&user.email),
            user.email_verified.to_string(),
            or_empty(&user.username),
            or_empty(&user.first_name),
            or_empty(&user.last_name),
            or_empty(&user.display_name),
            or_empty(&user.phone),
            user.status.as_str().to_owned(),
            roles,
            metadata,
            created_at,
        ];
        csv::write(text, fields.iter().map(String::as_str));
    }
}
