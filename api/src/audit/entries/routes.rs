//! `/api/v1/audit`.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, VARY};
use actix_web::web::{Bytes, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::stream::try_unfold;
use tenantry_db::{DbError, TenantScope};
use tenantry_jose::Keyring;
use tenantry_types::{AuditId, Envelope};
use tenantry_web::listing::Query;

use super::AuditError;
use super::export::Format;
use super::kind::{KIND, attributes};
use super::model::{BatchView, EntryFilter, EntryView, ProvenEntry};
use super::store::{self, EntryKey};
use crate::access::policy::Filter;
use crate::access::{Access, Authority, Permission, Routes};
use crate::audit::{self, Origin, keys};
use crate::authn::Principal;
use crate::state::Api;

/// To search the audit trail of one's tenant.
pub const READ: Permission = Permission::new("audit.read");
/// To take all of it away.
pub const EXPORT: Permission = Permission::new("audit.export");

/// How many entries of an export are read at once.
const PIECE: i64 = 500;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .describe(KIND)
        .get("/api/v1/audit/entries", Access::Some(READ), list)
        .get("/api/v1/audit/entries/{id}", Access::Some(READ), show)
        .get("/api/v1/audit/export", Access::Some(EXPORT), export)
        .get("/api/v1/audit/batches", Access::Permission(READ), batches)
        .get("/api/v1/audit/keys", Access::Permission(READ), show_keys);
}

fn filter(query: &mut Query<'_>) -> EntryFilter {
    let filter = EntryFilter {
        actor: query.text("actor"),
        action: query.text("action"),
        target_kind: query.text("target_kind"),
        target_id: query.text("target_id"),
        request_id: query.text("request_id"),
        from: query.take("from", str::parse),
        to: query.take("to", str::parse),
    };
    if filter.from.zip(filter.to).is_some_and(|(from, to)| from >= to) {
        query.refuse("to", "invalid", "must be after from");
    }
    filter
}

/// Searches the audit trail
///
/// The newest entries come first. What is given has to be true of an entry, all of it. Those that the caller may not see
/// are left out; a page may be shorter for that.
#[utoipa::path(
    get,
    path = "/api/v1/audit/entries",
    tag = "Audit",
    operation_id = "list_audit_entries",
    params(
        ("actor" = Option<String>, Query, description = "Done by this actor, or by this party in the name of another"),
        ("action" = Option<String>, Query, description = "What was done, as `tenant_settings.update`"),
        ("target_kind" = Option<String>, Query, description = "The kind of thing it was done to"),
        ("target_id" = Option<String>, Query, description = "Its id"),
        ("request_id" = Option<String>, Query, description = "The id of the request (`X-Request-Id`)"),
        ("from" = Option<String>, Query, description = "At this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this time (RFC 3339)"),
        ("limit" = Option<u32>, Query, description = "How many entries a page has: 1 to 200, 50 unless given"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of entries", body = inline(Envelope<Vec<EntryView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [{"id": "0190b2c4-0000-7000-8000-000000000001", "occurred_at": "2026-11-24T09:30:00.123456Z",
                "actor": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000002", "client_id": "tenantry-console"},
                "action": "tenant_settings.update",
                "target": {"kind": "tenant_settings", "id": "0190b2c4-0000-7000-8000-000000000003"},
                "changes": {"/security/mfa": {"before": "optional", "after": "required"}},
                "address": "203.0.113.7", "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "sealed": {"batch": 7, "position": 41}}]})),
        (status = 422, description = "The query is not valid: `errors` says where"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, AuditError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let filter = filter(&mut query);
    let page = query.page::<EntryKey>().map_err(AuditError::Invalid)?;
    let (scope, after, most) = (principal.scope(), page.after(), page.rows_to_fetch());
    let visible = authority.filter(READ);
    let is_exact = visible.is_exact();
    let rows = api.db.read(move |conn| store::list(conn, scope, &filter, &visible, after.as_ref(), most)).await?;
    let (mut shown, next) = page.cut(rows, key);
    shown.retain(|entry| is_exact || authority.check(READ, attributes(entry)).is_ok());
    Ok(page.respond(shown, next))
}

fn key(entry: &EntryView) -> EntryKey {
    (entry.occurred_at, entry.id.clone())
}

/// Shows an entry with the proof that it is in the chain
#[utoipa::path(
    get,
    path = "/api/v1/audit/entries/{id}",
    tag = "Audit",
    operation_id = "show_audit_entry",
    params(("id" = String, Path, description = "The id of the entry")),
    responses(
        (status = 200, description = "The entry", body = inline(Envelope<ProvenEntry>),
            example = json!({"status": "success", "data": {"id": "0190b2c4-0000-7000-8000-000000000001", "occurred_at": "2026-11-24T09:30:00.123456Z",
                "actor": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000002", "client_id": "tenantry-console"},
                "action": "tenant_settings.update",
                "target": {"kind": "tenant_settings", "id": "0190b2c4-0000-7000-8000-000000000003"},
                "changes": {"/security/mfa": {"before": "optional", "after": "required"}},
                "address": "203.0.113.7", "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "sealed": {"batch": 7, "position": 41},
                "proof": {"leaf": "mZ3rS0mYb1k4xkH0m4kqkPZbqk3m6v2mJb1m0x3tq0A", "index": 1, "size": 2,
                    "path": ["Vf2h0aY9o7m3q8H1b0m4zJb5w6c7d8e9f0a1b2c3d4E"],
                    "root": "b0m4zJb5w6c7d8e9f0a1b2c3d4Vf2h0aY9o7m3q8H1E", "header": "eyJ…"}}})),
        (status = 404, description = "The tenant has no such entry"),
    )
)]
pub(crate) async fn show(id: Path<String>, authority: Authority, api: Data<Api>) -> Result<HttpResponse, AuditError> {
    let id: AuditId = id.parse().map_err(|_| AuditError::NotFound)?;
    let scope = authority.principal().scope();
    let found = api.db.read(move |conn| store::find(conn, scope, id)).await?.ok_or(AuditError::NotFound)?;
    authority.check(READ, attributes(&found.entry))?;
    Ok(private().json(Envelope::new(found)))
}

/// Exports the audit trail
///
/// All entries that the search finds, the newest first, as JSON lines or as CSV: by `format`, or else by `Accept`. The
/// answer is sent as it is read; one that breaks off is not whole. The audit trail says who began, with which filters, and how
/// many entries were sent in the end.
#[utoipa::path(
    get,
    path = "/api/v1/audit/export",
    tag = "Audit",
    operation_id = "export_audit_entries",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` or `csv`"),
        ("actor" = Option<String>, Query, description = "As in the search, and so are the others"),
        ("action" = Option<String>, Query, description = "What was done"),
        ("target_kind" = Option<String>, Query, description = "The kind of thing it was done to"),
        ("target_id" = Option<String>, Query, description = "Its id"),
        ("request_id" = Option<String>, Query, description = "The id of the request"),
        ("from" = Option<String>, Query, description = "At this time or later (RFC 3339)"),
        ("to" = Option<String>, Query, description = "Before this time (RFC 3339)"),
    ),
    responses(
        (status = 200, description = "The entries", content(
            (EntryView = "application/x-ndjson", example = json!({"id": "0190b2c4-0000-7000-8000-000000000001", "occurred_at": "2026-11-24T09:30:00.123456Z",
                "actor": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000002", "client_id": "tenantry-console"},
                "action": "tenant_settings.update",
                "target": {"kind": "tenant_settings", "id": "0190b2c4-0000-7000-8000-000000000003"},
                "changes": {"/security/mfa": {"before": "optional", "after": "required"}},
                "address": "203.0.113.7", "request_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "sealed": {"batch": 7, "position": 41}})),
            (String = "text/csv"),
        )),
        (status = 422, description = "The query is not valid: `errors` says where"),
    )
)]
pub(crate) async fn export(
    request: HttpRequest,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, AuditError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let format = query.take("format", str::parse).unwrap_or_else(|| Format::accepted(accept));
    let filter = filter(&mut query);
    query.finish().map_err(AuditError::Invalid)?;
    let scope = principal.scope();
    let noted = audit::Export::begin(&api, principal, origin, EXPORT, request.query_string()).await?;
    let visible = authority.filter(EXPORT);
    let mut export = Export { api: Api::clone(&api), scope, filter, visible, authority, format, noted };
    // The first piece is read before anything is answered: what fails then is a problem document.
    let first = export.piece(format.head(), None).await?;
    let body = try_unfold(Some((export, first)), |state| async move {
        let Some((mut export, (text, next))) = state else { return Ok(None) };
        let rest = match next {
            Some(after) => match export.piece(String::new(), Some(after)).await {
                Ok(piece) => Some((export, piece)),
                Err(error) => {
                    export.noted.end(false).await?;
                    return Err(error);
                }
            },
            None => export.noted.end(true).await.map(|()| None)?,
        };
        Ok::<_, DbError>(Some((Bytes::from(text), rest)))
    });
    let mut response = private();
    response.insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", format.file_name())));
    Ok(response.content_type(format.content_type()).streaming(body))
}

struct Export {
    api: Api,
    scope: TenantScope,
    filter: EntryFilter,
    visible: Filter,
    authority: Authority,
    format: Format,
    noted: audit::Export,
}

impl Export {
    /// The next entries, written behind `text`, and the one after which the rest comes.
    async fn piece(
        &mut self,
        mut text: String,
        after: Option<EntryKey>,
    ) -> Result<(String, Option<EntryKey>), DbError> {
        let (scope, filter, visible) = (self.scope, self.filter.clone(), self.visible.clone());
        let read = move |conn: &mut _| store::list(conn, scope, &filter, &visible, after.as_ref(), PIECE);
        let entries = self.api.db.read(read).await?;
        let is_exact = self.visible.is_exact();
        let may_take = |entry: &&EntryView| is_exact || self.authority.check(EXPORT, attributes(entry)).is_ok();
        let mut count = 0;
        for entry in entries.iter().filter(may_take) {
            self.format.write(entry, &mut text);
            count += 1;
        }
        self.noted.add(count);
        let full = i64::try_from(entries.len()) == Ok(PIECE);
        Ok((text, entries.last().filter(|_| full).map(key)))
    }
}

/// Lists the signed headers of the chain
///
/// The newest come first. `header` is a JWS that says what the other members say; `hash` is SHA-256 over it, and
/// `previous` of the next batch.
#[utoipa::path(
    get,
    path = "/api/v1/audit/batches",
    tag = "Audit",
    operation_id = "list_audit_batches",
    params(
        ("limit" = Option<u32>, Query, description = "How many batches a page has: 1 to 200, 50 unless given"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of batches", body = inline(Envelope<Vec<BatchView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [{
                "number": 7, "first": 40, "size": 2, "root": "b0m4zJb5w6c7d8e9f0a1b2c3d4Vf2h0aY9o7m3q8H1E",
                "previous": "Vf2h0aY9o7m3q8H1b0m4zJb5w6c7d8e9f0a1b2c3d4E", "hash": "mZ3rS0mYb1k4xkH0m4kqkPZbqk3m6v2mJb1m0x3tq0A",
                "header": "eyJ…", "sealed_at": "2026-11-24T09:30:00.323456Z", "pruned": false}]})),
        (status = 422, description = "The query is not valid: `errors` says where"),
    )
)]
pub(crate) async fn batches(
    request: HttpRequest,
    principal: Principal,
    api: Data<Api>,
) -> Result<HttpResponse, AuditError> {
    let query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let page = query.page::<i64>().map_err(AuditError::Invalid)?;
    let (scope, before, most) = (principal.scope(), page.after(), page.rows_to_fetch());
    let rows = api.db.read(move |conn| store::batches(conn, scope, before, most)).await?;
    Ok(page.answer(rows, |batch| batch.number, |batch| batch))
}

/// Shows the public keys that batches are signed with
///
/// A JWK Set (RFC 7517 §5), the newest key first. Keys that no longer sign stay, for what they have signed.
#[utoipa::path(
    get,
    path = "/api/v1/audit/keys",
    tag = "Audit",
    operation_id = "show_audit_keys",
    responses((status = 200, description = "The keys", body = inline(Envelope<Object>), example = json!({
        "status": "success", "data": {"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "…", "x": "…", "y": "…"}]}
    })))
)]
pub(crate) async fn show_keys(api: Data<Api>, keyring: Data<Keyring>) -> Result<HttpResponse, AuditError> {
    let keyring = Keyring::clone(&keyring);
    let trusted = api.db.read(move |conn| keys::trusted(conn, &keyring)).await?;
    Ok(private().json(Envelope::new(trusted.keys.to_jwks())))
}

/// May be kept by the caller alone, who asks each time whether it is still good.
fn private() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "private, no-cache")).insert_header((VARY, "Authorization"));
    response
}
