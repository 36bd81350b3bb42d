//! `/admin/v1/tenants/{tenant_id}/domains`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use tenantry_db::Connection;
use tenantry_types::{DomainName, Envelope, InputError, TenantId, UtcTime};
use tenantry_web::input::{Errors, Object};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::change;
use crate::management::table::{READ, TENANTS};
use crate::management::target::{self, scope_of};
use crate::management::{Caller, ManagementError, Missing, Routes, converge, reply};
use crate::state::Idp;
use crate::tenants::domains::{self, Domain};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}/domains/{domain}";
    routes
        .get("/admin/v1/tenants/{tenant_id}/domains", READ, list)
        .put(ONE, TENANTS, put)
        .get(ONE, READ, show)
        .delete(ONE, TENANTS, remove);
}

/// A login domain: its tenant has an issuer at `https://{domain}`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Domain)]
pub(crate) struct DomainDocument {
    /// The name, in lower case.
    domain: String,
    /// Whether it is the one that the tenant prefers.
    is_primary: bool,
    /// Since when it is known to be the tenant's.
    #[schema(value_type = Option<String>, format = "date-time")]
    verified_at: Option<UtcTime>,
    /// When it was added.
    #[schema(value_type = String, format = "date-time")]
    created_at: UtcTime,
}

impl DomainDocument {
    fn of(domain: &Domain) -> Self {
        let Domain { is_primary, verified_at, created_at, .. } = *domain;
        Self { domain: domain.name.to_string(), is_primary, verified_at, created_at }
    }
}

fn name_of(text: &str) -> Result<DomainName, ManagementError> {
    text.parse().map_err(|_| ManagementError::NotFound(Missing::Domain))
}

/// Lists the login domains of a tenant
///
/// In the order of their names.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/domains", tag = "Tenants", operation_id = "list_domains",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of domains", body = inline(Envelope<Vec<DomainDocument>>)),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn list(
    request: HttpRequest,
    tenant: Path<TenantId>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let scope = scope_of(*tenant);
    let query = Query::of(&request, &idp.secrets.cursors, tenant.as_str());
    let rows = move |conn: &mut Connection, after: Option<&DomainName>, most| domains::list(conn, scope, after, most);
    let key = |domain: &Domain| domain.name.clone();
    target::list(&idp, scope, query, rows, key, |domain| DomainDocument::of(&domain)).await
}

/// Gives a tenant a login domain
///
/// The caller has made sure that the domain is the tenant's. A new primary domain takes the place of the one before.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}/domains/{domain}", tag = "Tenants", operation_id = "put_domain",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain, as `login.acme.example`"),
    ),
    request_body(content = serde_json::Value, example = json!({"is_primary": true})),
    responses(
        (status = 201, description = "The new domain", body = inline(Envelope<DomainDocument>)),
        (status = 200, description = "It was there", body = inline(Envelope<DomainDocument>)),
        (status = 404, description = "There is no such tenant"),
        (status = 409, description = "The domain is another tenant's"),
    ),
)]
pub(crate) async fn put(
    path: Path<(TenantId, String)>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, text) = path.into_inner();
    let errors = Errors::default();
    let name = text.parse::<DomainName>().map_err(|error| errors.add("domain", "invalid", error.to_string())).ok();
    if name.as_ref().is_some_and(|name| idp.public_url.url().host_str() == Some(name.as_str())) {
        errors.add("domain", "reserved", "is the provider's own address");
    }
    let mut body = Object::new(body, "", &errors);
    let is_primary = body.boolean("is_primary");
    body.finish();
    let name = errors.unless_any(name).map_err(ManagementError::Invalid)?;
    let name = name.ok_or_else(invalid_domain)?;
    let (author, provisioner, scope) = (caller.author(&idp), idp.provisioner(), scope_of(tenant));
    let work = move |conn: &mut _| change::put(conn, scope, &author, &provisioner, &name, is_primary);
    let (made, domain) = converge(&idp, work).await?;
    idp.tenants.forget();
    Ok(reply::made(made, DomainDocument::of(&domain)))
}

fn invalid_domain() -> ManagementError {
    ManagementError::Invalid(vec![InputError::new("domain", "invalid", "must be a domain name")])
}

/// Shows a login domain
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/domains/{domain}", tag = "Tenants", operation_id = "show_domain",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
    ),
    responses(
        (status = 200, description = "The domain", body = inline(Envelope<DomainDocument>)),
        (status = 404, description = "There is no such tenant, or it has no such domain (`/problems/domain-not-found`)"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(TenantId, String)>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, text) = path.into_inner();
    let (scope, name) = (scope_of(tenant), name_of(&text)?);
    let found = target::read(&idp, scope, move |conn| domains::find(conn, scope, &name)).await?;
    let domain = found.ok_or(ManagementError::NotFound(Missing::Domain))?;
    reply::found(&request, DomainDocument::of(&domain))
}

/// Takes a login domain from a tenant
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/domains/{domain}", tag = "Tenants", operation_id = "delete_domain",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("domain" = String, Path, description = "The domain"),
    ),
    responses(
        (status = 204, description = "The tenant has it no more"),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn remove(
    path: Path<(TenantId, String)>,
    caller: Caller,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, text) = path.into_inner();
    let (scope, name) = (scope_of(tenant), name_of(&text)?);
    let (author, provisioner) = (caller.author(&idp), idp.provisioner());
    idp.change(move |conn| change::delete(conn, scope, &author, &provisioner, &name)).await?;
    idp.tenants.forget();
    Ok(reply::done())
}
