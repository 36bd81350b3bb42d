//! `/admin/v1/tenants/{tenant_id}/members`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use tenantry_db::Connection;
use tenantry_types::{Envelope, TenantId, UserId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::change;
use crate::accounts::{self, Membership};
use crate::management::input::nothing;
use crate::management::table::{READ, USERS};
use crate::management::target::{self, scope_of};
use crate::management::{Caller, ManagementError, Routes, converge, reply};
use crate::state::Idp;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}/members/{user_id}";
    routes.get("/admin/v1/tenants/{tenant_id}/members", READ, list).put(ONE, USERS, put).delete(ONE, USERS, remove);
}

/// That a person of another tenant is a member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Membership)]
pub(crate) struct MembershipDocument {
    /// Who.
    user_id: UserId,
    /// Where they live.
    home_tenant_id: TenantId,
    /// Since when.
    #[schema(value_type = String, format = "date-time")]
    created_at: UtcTime,
}

impl MembershipDocument {
    fn of(membership: &Membership) -> Self {
        let Membership { user_id, home_tenant_id, created_at, .. } = *membership;
        Self { user_id, home_tenant_id, created_at }
    }
}

/// Lists the members of a tenant
///
/// People who live in other tenants, in the order of their ids.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/members", tag = "People", operation_id = "list_members",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of memberships", body = inline(Envelope<Vec<MembershipDocument>>)),
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
    let rows =
        move |conn: &mut Connection, after: Option<&UserId>, most| accounts::members(conn, scope, after.copied(), most);
    let key = |member: &Membership| member.user_id;
    target::list(&idp, scope, query, rows, key, |member| MembershipDocument::of(&member)).await
}

/// Makes a person who lives in another tenant a member
///
/// The body is an empty object.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}/members/{user_id}", tag = "People", operation_id = "put_member",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    request_body(content = serde_json::Value, example = json!({})),
    responses(
        (status = 201, description = "They are a member now", body = inline(Envelope<MembershipDocument>)),
        (status = 200, description = "They were one", body = inline(Envelope<MembershipDocument>)),
        (status = 404, description = "There is no such tenant, or no such person anywhere"),
        (status = 409, description = "The person lives in this tenant"),
    ),
)]
pub(crate) async fn put(
    path: Path<(TenantId, UserId)>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, user) = path.into_inner();
    nothing(body).map_err(ManagementError::Invalid)?;
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    let (made, membership) = converge(&idp, move |conn: &mut _| change::put(conn, scope, &author, user)).await?;
    Ok(reply::made(made, MembershipDocument::of(&membership)))
}

/// Ends a membership
///
/// The person is signed out of the tenant everywhere.
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/members/{user_id}", tag = "People", operation_id = "delete_member",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    responses(
        (status = 204, description = "They are no member any more"),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn remove(
    path: Path<(TenantId, UserId)>,
    caller: Caller,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, user) = path.into_inner();
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    idp.change(move |conn| change::delete(conn, scope, &author, user)).await?;
    Ok(reply::done())
}
