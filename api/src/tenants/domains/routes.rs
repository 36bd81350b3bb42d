//! `/api/v1/tenants/{id}/domains`.

use actix_web::http::header::{CACHE_CONTROL, VARY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_db::TenantScope;
use tenantry_types::{DomainName, Envelope};
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::change::{Loser, Proof};
use super::check::{Finding, Verifier};
use super::model::{DomainView, NewDomain};
use super::{change as rules, store};
use crate::access::{Access, Authority, Permission, Routes};
use crate::audit::Origin;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{OptionalIfMatch, versioned};
use crate::state::Api;
use crate::tenants::tasks::Tasks;
use crate::tenants::update::Left;
use crate::tenants::{TenantError, target};

/// To see the domains of a tenant.
pub const READ: Permission = Permission::new("tenant_domain.read");
/// To add a domain.
pub const CREATE: Permission = Permission::new("tenant_domain.create");
/// To prefer a domain.
pub const UPDATE: Permission = Permission::new("tenant_domain.update");
/// To have a domain verified.
pub const VERIFY: Permission = Permission::new("tenant_domain.verify");
/// To remove a domain.
pub const DELETE: Permission = Permission::new("tenant_domain.delete");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ALL: &str = "/api/v1/tenants/{id}/domains";
    const ONE: &str = "/api/v1/tenants/{id}/domains/{domain}";
    routes
        .get(ALL, Access::Permission(READ), list)
        .post(ALL, Access::Permission(CREATE), create)
        .put(ALL, Access::Permission(CREATE), put)
        .get(ONE, Access::Permission(READ), show)
        .delete(ONE, Access::Permission(DELETE), remove)
        .post("/api/v1/tenants/{id}/domains/{domain}/verify", Access::Permission(VERIFY), verify)
        .post("/api/v1/tenants/{id}/domains/{domain}/primary", Access::Permission(UPDATE), make_primary);
}

/// The answer to a `PUT`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AddedDomain {
    /// What was done, for people.
    #[schema(example = "Domain added successfully")]
    message: &'static str,
    #[serde(flatten)]
    domain: DomainView,
}

fn name_of(text: &str) -> Result<DomainName, TenantError> {
    text.parse().map_err(|_| TenantError::NoSuchDomain)
}

fn private<T: Serialize>(data: T) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "private, no-cache"))
        .insert_header((VARY, "Authorization"))
        .json(Envelope::new(data))
}

/// Lists the domains of a tenant
///
/// All of them: a tenant has at most 50.
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}/domains",
    tag = "Tenants",
    operation_id = "list_tenant_domains",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The domains", body = inline(Envelope<Vec<DomainView>>),
            example = json!({"status": "success", "data": [{"domain": "auth.acme.example.com", "is_primary": false, "is_verified": true,
                "verified_at": "2026-01-31T09:35:00Z", "created_at": "2026-01-31T09:30:00Z",
                "verification": {"dns_name": "_tenantry-challenge.auth.acme.example.com", "token": "v3wq…",
                    "http_url": "http://auth.acme.example.com/.well-known/tenantry-challenge/v3wq…"}}]})),
        (status = 404, description = "There is no such tenant, or not for you"),
    )
)]
pub(crate) async fn list(
    id: Path<String>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    let (scope, _) = target::look(&api, &authority, origin, &id, (READ, "tenant_domain")).await?;
    let domains = api.db.read(move |conn| store::list(conn, scope)).await?;
    Ok(private(domains.iter().map(DomainView::of).collect::<Vec<_>>()))
}

/// Shows a domain of a tenant
#[utoipa::path(
    get,
    path = "/api/v1/tenants/{id}/domains/{domain}",
    tag = "Tenants",
    operation_id = "show_tenant_domain",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
    ),
    responses(
        (status = 200, description = "The domain", body = inline(Envelope<DomainView>),
            headers(("ETag" = String, description = "Names this version; a change can send it as `If-Match`")),
            example = json!({"status": "success", "data": {"domain": "auth.acme.example.com", "is_primary": false, "is_verified": true,
                "verified_at": "2026-01-31T09:35:00Z", "created_at": "2026-01-31T09:30:00Z",
                "verification": {"dns_name": "_tenantry-challenge.auth.acme.example.com", "token": "v3wq…",
                    "http_url": "http://auth.acme.example.com/.well-known/tenantry-challenge/v3wq…"}}})),
        (status = 404, description = "There is no such tenant, or it has no such domain (`/problems/domain-not-found`)"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(String, String)>,
    authority: Authority,
    origin: Origin,
    api: Data<Api>,
) -> Result<HttpResponse, TenantError> {
    let (scope, _) = target::look(&api, &authority, origin, &path.0, (READ, "tenant_domain")).await?;
    let name = name_of(&path.1)?;
    let found = api.db.read(move |conn| store::find(conn, scope, &name)).await?;
    let domain = found.ok_or(TenantError::NoSuchDomain)?;
    Ok(versioned(&request, &rules::tag(scope, &domain), DomainView::of(&domain)))
}

/// Adds a domain to a tenant
///
/// It counts once it is verified: publish what `verification` names, and have it verified.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/domains",
    tag = "Tenants",
    operation_id = "create_tenant_domain",
    params(("id" = String, Path, description = "The tenant", format = "uuid")),
    request_body(content = Value, example = json!({"domain": "auth.acme.example.com", "is_primary": false})),
    responses(
        (status = 201, description = "The new domain", body = inline(Envelope<DomainView>)),
        (status = 404, description = "There is no such tenant, or not for you"),
        (status = 409, description = "The tenant has the domain already"),
    )
)]
pub(crate) async fn create(
    id: Path<String>,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    let (scope, row) = target::find(tasks.api(), &authority, &id).await?;
    let new = NewDomain::parse(body.0.clone()).map_err(TenantError::Invalid)?;
    perform(&tasks, change.of_tenant(scope.tenant_id()), &body.0, move |work, left| {
        let (domain, _) = rules::add(work, &new, None, true, left)?;
        let location = format!("/api/v1/tenants/{}/domains/{}", row.id, domain.name.as_str());
        Ok(Answer::created(location, DomainView::of(&domain)).with_etag(rules::tag(work.scope, &domain).as_str()))
    })
    .await
}

/// Adds a domain to a tenant, or finds it there
///
/// Where it is there, only `is_primary` changes.
#[utoipa::path(
    put,
    path = "/api/v1/tenants/{id}/domains",
    tag = "Tenants",
    operation_id = "put_tenant_domain",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed; without it, whatever is there"),
    ),
    request_body(content = Value, example = json!({"domain": "auth.acme.example.com", "is_primary": false})),
    responses(
        (status = 200, description = "The domain", body = inline(Envelope<AddedDomain>)),
        (status = 412, description = "Somebody changed it meanwhile, or it is not there"),
        (status = 404, description = "There is no such tenant, or not for you"),
    )
)]
pub(crate) async fn put(
    id: Path<String>,
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    body: Json<Value>,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(tasks.api(), &authority, &id).await?;
    let new = NewDomain::parse(body.0.clone()).map_err(TenantError::Invalid)?;
    perform(&tasks, change.of_tenant(scope.tenant_id()), &body.0, move |work, left| {
        let (domain, is_new) = rules::add(work, &new, if_match.0.as_ref(), false, left)?;
        let message = if is_new { "Domain added successfully" } else { "The tenant has the domain" };
        let tag = rules::tag(work.scope, &domain);
        Ok(Answer::ok(AddedDomain { message, domain: DomainView::of(&domain) }).with_etag(tag.as_str()))
    })
    .await
}

/// Takes a domain from a tenant
#[utoipa::path(
    delete,
    path = "/api/v1/tenants/{id}/domains/{domain}",
    tag = "Tenants",
    operation_id = "delete_tenant_domain",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed; without it, whatever is there"),
    ),
    responses(
        (status = 204, description = "The tenant has it no more"),
        (status = 412, description = "Somebody changed it meanwhile"),
        (status = 404, description = "There is no such tenant, or not for you"),
    )
)]
pub(crate) async fn remove(
    path: Path<(String, String)>,
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(tasks.api(), &authority, &path.0).await?;
    let name = name_of(&path.1)?;
    perform(&tasks, change.of_tenant(scope.tenant_id()), &json!({}), move |work, left| {
        rules::remove(work, &name, if_match.0.as_ref(), left)?;
        Ok(Answer::no_content())
    })
    .await
}

/// Prefers a domain to the others of the tenant
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/domains/{domain}/primary",
    tag = "Tenants",
    operation_id = "make_tenant_domain_primary",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is changed; without it, whatever is there"),
    ),
    responses(
        (status = 200, description = "The domain", body = inline(Envelope<DomainView>),
            example = json!({"status": "success", "data": {"domain": "auth.acme.example.com", "is_primary": false, "is_verified": true,
                "verified_at": "2026-01-31T09:35:00Z", "created_at": "2026-01-31T09:30:00Z",
                "verification": {"dns_name": "_tenantry-challenge.auth.acme.example.com", "token": "v3wq…",
                    "http_url": "http://auth.acme.example.com/.well-known/tenantry-challenge/v3wq…"}}})),
        (status = 412, description = "Somebody changed it meanwhile"),
        (status = 404, description = "There is no such tenant, or it has no such domain"),
    )
)]
pub(crate) async fn make_primary(
    path: Path<(String, String)>,
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
) -> Result<Answer, TenantError> {
    let (scope, _) = target::find(tasks.api(), &authority, &path.0).await?;
    let name = name_of(&path.1)?;
    perform(&tasks, change.of_tenant(scope.tenant_id()), &json!({}), move |work, left| {
        let domain = rules::make_primary(work, &name, if_match.0.as_ref(), left)?;
        Ok(Answer::ok(DomainView::of(&domain)).with_etag(rules::tag(work.scope, &domain).as_str()))
    })
    .await
}

/// Has a domain verified
///
/// Looks for the TXT record and then for the file that `verification` of the domain names. A verified domain belongs to
/// this tenant alone, and its people can sign in there. A tenant that had it before loses it once what it published is gone.
#[utoipa::path(
    post,
    path = "/api/v1/tenants/{id}/domains/{domain}/verify",
    tag = "Tenants",
    operation_id = "verify_tenant_domain",
    params(
        ("id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
    ),
    responses(
        (status = 200, description = "The domain, verified", body = inline(Envelope<DomainView>),
            example = json!({"status": "success", "data": {"domain": "auth.acme.example.com", "is_primary": false, "is_verified": true,
                "verified_at": "2026-01-31T09:35:00Z", "created_at": "2026-01-31T09:30:00Z",
                "verification": {"dns_name": "_tenantry-challenge.auth.acme.example.com", "token": "v3wq…",
                    "http_url": "http://auth.acme.example.com/.well-known/tenantry-challenge/v3wq…"}}})),
        (status = 404, description = "There is no such tenant, or it has no such domain"),
        (status = 409, description = "It is another tenant's, which still publishes what it was to"),
        (status = 422, description = "Neither record nor file could be seen (`/problems/domain-not-verified`)"),
    )
)]
pub(crate) async fn verify(
    path: Path<(String, String)>,
    change: Change,
    authority: Authority,
    tasks: Data<Tasks>,
    verifier: Data<Verifier>,
) -> Result<Answer, TenantError> {
    let api = tasks.api();
    let (scope, _) = target::find(api, &authority, &path.0).await?;
    let name = name_of(&path.1)?;
    let wanted = name.clone();
    let domain = api.db.read(move |conn| store::find(conn, scope, &wanted)).await?.ok_or(TenantError::NoSuchDomain)?;
    let method = match verifier.look(&domain).await {
        Finding::Proven(method) => method,
        Finding::Absent(reason) | Finding::Unclear(reason) => return Err(TenantError::NotVerified(reason)),
    };
    let loser = loser(api, &verifier, scope, &name).await?;
    let proof = Proof { token: domain.token, method, loser };
    perform(&tasks, change.of_tenant(scope.tenant_id()), &json!({}), move |work, left| {
        let domain = rules::verified(work, &name, &proof, left)?;
        Ok(Answer::ok(DomainView::of(&domain)).with_etag(rules::tag(work.scope, &domain).as_str()))
    })
    .await
}

/// Who had the domain until now, if that cannot be seen any more. As long as it can, it stays theirs.
async fn loser(
    api: &Api,
    verifier: &Verifier,
    scope: TenantScope,
    name: &DomainName,
) -> Result<Option<Loser>, TenantError> {
    let wanted = name.clone();
    let owner = api.db.read(move |conn| store::verified_of(conn, &wanted)).await?;
    let Some((tenant, domain)) = owner.filter(|(tenant, _)| *tenant != scope.tenant_id()) else { return Ok(None) };
    match verifier.look_again(&domain).await {
        Finding::Absent(_) => Ok(Some(Loser { tenant, token: domain.token })),
        Finding::Proven(_) | Finding::Unclear(_) => Err(TenantError::Taken("/domain")),
    }
}

/// Does the work in its transaction, and then tells the identity provider what it has left to be told.
async fn perform<F>(tasks: &Tasks, change: Change, body: &Value, mut work: F) -> Result<Answer, TenantError>
where
    F: FnMut(&mut Work<'_>, &Left) -> Result<Answer, TenantError> + Send + 'static,
{
    let left = Left::default();
    let leaves = left.clone();
    let work = move |transaction: &mut Work<'_>| work(transaction, &leaves);
    left.run(tasks, &change, body, work, async |answer| Ok(answer)).await
}
