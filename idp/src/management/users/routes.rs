//! `/admin/v1/tenants/{tenant_id}/users`.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tenantry_db::Connection;
use tenantry_types::{Envelope, TenantId, UserId};
use tenantry_web::input::Change;
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::{change, input};
use crate::accounts;
use crate::management::table::{READ, USERS};
use crate::management::target::{self, scope_of};
use crate::management::{Caller, ManagementError, Missing, Routes, converge, reply};
use crate::state::Idp;
use crate::users::store::{self, UserFilter};
use crate::users::{User, UserDocument};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}/users/{user_id}";
    routes
        .get("/admin/v1/tenants/{tenant_id}/users", READ, list)
        .put(ONE, USERS, put)
        .get(ONE, READ, show)
        .patch(ONE, USERS, update)
        .delete(ONE, USERS, remove)
        .put("/admin/v1/tenants/{tenant_id}/users/{user_id}/roles", USERS, replace_roles);
}

/// Names the tenant and the person.
type OfTenant = Path<(TenantId, UserId)>;

/// Lists the people who live in a tenant
///
/// In the order of their ids. People of other tenants who are members are under `…/members`.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/users", tag = "People", operation_id = "list_users",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("email" = Option<String>, Query, description = "Only the one with this e-mail address"),
        ("username" = Option<String>, Query, description = "Only the one with this user name"),
        ("status" = Option<String>, Query, description = "Only those in this state"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of people", body = inline(Envelope<Vec<UserDocument>>)),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn list(
    request: HttpRequest,
    tenant: Path<TenantId>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let scope = scope_of(*tenant);
    let mut query = Query::of(&request, &idp.secrets.cursors, tenant.as_str());
    let filter = UserFilter {
        email: query.take("email", str::parse),
        username: query.take("username", str::parse),
        status: query.take("status", str::parse),
    };
    let rows = move |conn: &mut Connection, after: Option<&UserId>, most| {
        store::list(conn, scope, &filter, after.copied(), most)
    };
    target::list(&idp, scope, query, rows, |user: &User| user.id, |user| UserDocument::of(&user)).await
}

/// Adds a person to a tenant
///
/// The user name is the e-mail address unless another is given. Asking again for the same person gives who is there: the
/// e-mail address and the user name are compared, the rest, the password too, is left as it is.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}", tag = "People", operation_id = "put_user",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The id that the person is to have: the `sub` of tokens", format = "uuid"),
    ),
    request_body(content = serde_json::Value, example = json!({
        "email": "ada@acme.example", "username": "ada", "password": "correct horse battery staple", "given_name": "Ada",
        "family_name": "Lovelace", "display_name": "Ada Lovelace", "phone": "+919876543210", "status": "active",
        "email_verified": true, "roles": {"version": 1, "names": ["member"]}})),
    responses(
        (status = 201, description = "The new person", body = inline(Envelope<UserDocument>)),
        (status = 200, description = "They were there", body = inline(Envelope<UserDocument>)),
        (status = 404, description = "There is no such tenant"),
        (status = 409, description = "The e-mail address or user name is taken (`/problems/conflict`), or the id (`/problems/id-taken`)"),
    ),
)]
pub(crate) async fn put(
    path: OfTenant,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let mut person = input::wanted(id, body).map_err(ManagementError::Invalid)?;
    let hash = input::hashed(&idp, person.password.take()).await?;
    let (author, scope, person) = (caller.author(&idp), scope_of(tenant), Arc::new(person));
    let work = move |conn: &mut _| change::put(conn, scope, &author, &person, hash.as_deref());
    let (made, user) = converge(&idp, work).await?;
    Ok(reply::made(made, UserDocument::of(&user)))
}

/// Shows a person
///
/// Somebody who lives in the tenant, or a member of it: then with the roles that they have as a member.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}", tag = "People", operation_id = "show_user",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    responses(
        (status = 200, description = "The person", body = inline(Envelope<UserDocument>)),
        (status = 404, description = "There is no such tenant, or no such person in it (`/problems/user-not-found`)"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: OfTenant,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let scope = scope_of(tenant);
    let found = target::read(&idp, scope, move |conn| accounts::find_person(conn, scope, id)).await?;
    let user = found.ok_or(ManagementError::NotFound(Missing::User))?;
    reply::found(&request, UserDocument::of(&user))
}

/// Changes a person who lives in the tenant
///
/// What is left out stays, `null` takes a value away. Whoever is not active any more is signed out everywhere.
#[utoipa::path(
    patch, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}", tag = "People", operation_id = "update_user",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    request_body(content = serde_json::Value, example = json!({"display_name": "Ada", "phone": null, "status": "suspended"})),
    responses(
        (status = 200, description = "The person as they are now", body = inline(Envelope<UserDocument>)),
        (status = 404, description = "There is no such tenant, or nobody of this id lives in it"),
        (status = 409, description = "The e-mail address or user name is taken"),
    ),
)]
pub(crate) async fn update(
    path: OfTenant,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let mut changes = input::changes(body).map_err(ManagementError::Invalid)?;
    let password = match std::mem::replace(&mut changes.password, Change::Keep) {
        Change::Set(password) => Some(password),
        other => {
            changes.password = other;
            None
        }
    };
    let hash = input::hashed(&idp, password).await?;
    let (author, scope, changes) = (caller.author(&idp), scope_of(tenant), Arc::new(changes));
    let work = move |conn: &mut _| change::update(conn, scope, &author, id, &changes, hash.as_deref());
    let user = converge(&idp, work).await?;
    Ok(reply::changed(UserDocument::of(&user)))
}

/// Removes a person who lives in the tenant, and everything of theirs
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}", tag = "People", operation_id = "delete_user",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    responses(
        (status = 204, description = "They are not there any more"),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn remove(path: OfTenant, caller: Caller, idp: Data<Idp>) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    idp.change(move |conn| change::delete(conn, scope, &author, id)).await?;
    Ok(reply::done())
}

/// Replaces the roles of a person or a member
///
/// Whoever keeps the roles numbers their versions upwards. A version lower than the one that is there changes nothing, so
/// that a late repeat does no harm.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}/roles", tag = "People", operation_id = "replace_roles",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    request_body(content = serde_json::Value, example = json!({"version": 2, "names": ["administrator", "front desk"]})),
    responses(
        (status = 200, description = "The person with the roles that are there now", body = inline(Envelope<UserDocument>)),
        (status = 404, description = "There is no such tenant, or no such person in it"),
    ),
)]
pub(crate) async fn replace_roles(
    path: OfTenant,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let roles = input::roles(body).map_err(ManagementError::Invalid)?;
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    let user = idp.change(move |conn| change::replace_roles(conn, scope, &author, id, &roles)).await?;
    Ok(reply::changed(UserDocument::of(&user)))
}
