//! `/admin/v1/tenants`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tenantry_types::{Envelope, TenantId};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::{change, input};
use crate::management::table::{READ, TENANTS};
use crate::management::target::scope_of;
use crate::management::users::input::hashed;
use crate::management::{Caller, ManagementError, Missing, Routes, converge, reply};
use crate::state::Idp;
use crate::tenants::store::{self, TenantFilter};
use crate::tenants::{Tenant, TenantDocument};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}";
    routes.get("/admin/v1/tenants", READ, list).put(ONE, TENANTS, put).get(ONE, READ, show).patch(ONE, TENANTS, update);
}

/// Lists tenants
///
/// In the order of their ids.
#[utoipa::path(
    get, path = "/admin/v1/tenants", tag = "Tenants", operation_id = "list_tenants",
    params(
        ("slug" = Option<String>, Query, description = "Only the one with this short name"),
        ("status" = Option<String>, Query, description = "Only those in this state: `active`, `inactive`, `suspended`"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses((status = 200, description = "A page of tenants", body = inline(Envelope<Vec<TenantDocument>>))),
)]
pub(crate) async fn list(request: HttpRequest, idp: Data<Idp>) -> Result<HttpResponse, ManagementError> {
    let mut query = Query::of(&request, &idp.secrets.cursors, "every tenant");
    let filter = TenantFilter { slug: query.take("slug", str::parse), status: query.take("status", str::parse) };
    let page = query.page::<TenantId>().map_err(ManagementError::Invalid)?;
    let (after, rows) = (page.after(), page.rows_to_fetch());
    let found =
        idp.db.read(move |conn| store::list(conn, &filter, after, rows)).await.map_err(ManagementError::from)?;
    Ok(page.answer(found, |tenant: &Tenant| tenant.id, |tenant| document(&idp, &tenant)))
}

/// Makes a tenant
///
/// With its signing key, its console and its administrator, who has the role `administrator`. Asking again for the same
/// gives what is there; the password of a person who is there is not changed.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}", tag = "Tenants", operation_id = "put_tenant",
    params(("tenant_id" = String, Path, description = "The id that the tenant is to have", format = "uuid")),
    request_body(content = serde_json::Value, example = json!({
        "slug": "acme", "name": "Acme Health", "administrator": {
            "id": "0190b2c4-0000-7000-8000-000000000001", "email": "ada@acme.example", "given_name": "Ada"}})),
    responses(
        (status = 201, description = "The new tenant", body = inline(Envelope<TenantDocument>)),
        (status = 200, description = "It was there", body = inline(Envelope<TenantDocument>)),
        (status = 409, description = "The short name is taken (`/problems/conflict`), or the id (`/problems/id-taken`)"),
    ),
)]
pub(crate) async fn put(
    id: Path<TenantId>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let mut wanted = input::wanted(*id, body).map_err(ManagementError::Invalid)?;
    let password = wanted.administrator.as_mut().and_then(|person| person.password.take());
    let hash = hashed(&idp, password).await?;
    let (author, provisioner, wanted) = (caller.author(&idp), idp.provisioner(), std::sync::Arc::new(wanted));
    let work = move |conn: &mut _| change::put(conn, &author, &provisioner, &wanted, hash.as_deref());
    let (made, tenant) = converge(&idp, work).await?;
    idp.tenants.forget();
    Ok(reply::made(made, document(&idp, &tenant)))
}

/// Shows a tenant
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}", tag = "Tenants", operation_id = "show_tenant",
    params(("tenant_id" = String, Path, description = "The tenant", format = "uuid")),
    responses(
        (status = 200, description = "The tenant", body = inline(Envelope<TenantDocument>)),
        (status = 404, description = "There is no such tenant (`/problems/tenant-not-found`)"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    id: Path<TenantId>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let scope = scope_of(*id);
    let found = idp.db.read(move |conn| store::find(conn, scope)).await.map_err(ManagementError::from)?;
    let tenant = found.ok_or(ManagementError::NotFound(Missing::Tenant))?;
    reply::found(&request, document(&idp, &tenant))
}

/// Changes a tenant
///
/// What is left out stays. A tenant that is not active has no issuer any more; when it is suspended, everybody is signed out.
#[utoipa::path(
    patch, path = "/admin/v1/tenants/{tenant_id}", tag = "Tenants", operation_id = "update_tenant",
    params(("tenant_id" = String, Path, description = "The tenant", format = "uuid")),
    request_body(content = serde_json::Value, example = json!({"name": "Acme Health", "status": "suspended"})),
    responses(
        (status = 200, description = "The tenant as it is now", body = inline(Envelope<TenantDocument>)),
        (status = 404, description = "There is no such tenant (`/problems/tenant-not-found`)"),
        (status = 409, description = "It is a platform tenant, which cannot be switched off here"),
    ),
)]
pub(crate) async fn update(
    id: Path<TenantId>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let changes = input::changes(body).map_err(ManagementError::Invalid)?;
    let (author, provisioner) = (caller.author(&idp), idp.provisioner());
    let tenant = idp.change(move |conn| change::update(conn, &author, &provisioner, *id, &changes)).await?;
    idp.tenants.forget();
    Ok(reply::changed(document(&idp, &tenant)))
}

fn document(idp: &Idp, tenant: &Tenant) -> TenantDocument {
    TenantDocument::new(tenant, &idp.public_url)
}
