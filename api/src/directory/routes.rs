//! `/api/v1/users`.

use std::sync::Arc;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tenantry_db::{Connection, DbError};
use tenantry_types::{EmailAddress, Envelope, GroupId, RoleId, UserId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::bulk::{export, import};
use super::change::{Accounts, Asked};
use super::error::AccountError;
use super::kind::{KIND, attributes_of};
use super::model::AccountStatus;
use super::store::{self, AccountRow, Filters};
use super::view::AccountView;
use super::{own, parse};
use crate::access::{Access, Authority, Permission, Routes};
use crate::change::Change;
use crate::idempotency::Answer;
use crate::input::{IfMatch, OptionalIfMatch, versioned};
use crate::state::Api;

/// To add people.
pub const CREATE: Permission = Permission::new("account.create");
/// To see them.
pub const READ: Permission = Permission::new("account.read");
/// To change them.
pub const UPDATE: Permission = Permission::new("account.update");
/// To remove them.
pub const DELETE: Permission = Permission::new("account.delete");

/// To take all of them away in one file.
pub const EXPORT: Permission = Permission::new("account.export");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ALL: &str = "/api/v1/users";
    const ONE: &str = "/api/v1/users/{id}";
    const MEMBERSHIP: &str = "/api/v1/users/{id}/membership";
    routes.describe(KIND).get(ALL, Access::Some(READ), list).post(ALL, Access::Some(CREATE), create);
    routes.get("/api/v1/users/export", Access::Some(EXPORT), export::export).post(
        "/api/v1/users/import",
        Access::Some(CREATE),
        import::import,
    );
    routes.get(own::PATH, Access::Authenticated, own::show).patch(own::PATH, Access::Authenticated, own::update);
    routes.get(ONE, Access::Some(READ), show).patch(ONE, Access::Some(UPDATE), update).delete(
        ONE,
        Access::Some(DELETE),
        delete,
    );
    routes.put(MEMBERSHIP, Access::Some(CREATE), invite).delete(MEMBERSHIP, Access::Some(DELETE), dismiss);
}

/// Lists the people of the tenant
///
/// Those who are known longest come first. Whom the caller may not see is left out; a page may be shorter for that.
#[utoipa::path(
    get,
    path = "/api/v1/users",
    tag = "Users",
    operation_id = "list_users",
    params(
        ("search" = Option<String>, Query, description = "Somewhere in the e-mail address, the user name or a name"),
        ("email" = Option<String>, Query, description = "This e-mail address"),
        ("status" = Option<String>, Query, description = "`active`, `inactive`, `banned`, `hold`, `pending` or `suspended`"),
        ("role" = Option<String>, Query, description = "The id of a role that they have of their own", format = Uuid),
        ("group" = Option<String>, Query, description = "The id of a group that they are in", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many there are on a page: 1 to 200, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "A page of people", body = inline(Envelope<Vec<AccountView>>),
            example = json!({"status": "success", "data": [{
                "id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example.com", "email_verified": true,
                "username": "john.doe@acme.example.com", "first_name": "John", "last_name": "Doe", "display_name": null,
                "phone": "+12025550123", "avatar_url": null, "metadata": {}, "status": "active",
                "roles": [{"id": "0190b2c4-0000-7000-8000-000000000003", "name": "Customer", "role_family": "Customer"}],
                "version": 1, "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}],
                "page": {"limit": 50}})),
        (status = 422, description = "The query is not right: `errors` says where"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, AccountError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let filters = filters(&mut query);
    let page = query.page::<(UtcTime, UserId)>().map_err(AccountError::Invalid)?;
    let (scope, now, after, limit) = (principal.scope(), api.clock.now(), page.after(), page.rows_to_fetch());
    let page = Arc::new(page);
    let asked = Arc::clone(&page);
    let found = api.db.read(move |conn| {
        let rows = store::list(conn, scope, &filters, &authority.filter(READ), after, limit)?;
        let (rows, next) = asked.cut(rows, |row| (row.created_at, row.id));
        Ok::<_, AccountError>((visible_views(conn, &authority, READ, rows, now)?, next))
    });
    let (shown, next) = found.await?;
    Ok(page.respond(shown, next))
}

/// How those of a list are shown to whom the caller may do this.
pub(super) fn visible_views(
    conn: &mut Connection,
    caller: &Authority,
    permission: Permission,
    mut rows: Vec<AccountRow>,
    now: UtcTime,
) -> Result<Vec<AccountView>, DbError> {
    let scope = caller.principal().scope();
    if !caller.filter(permission).is_exact() {
        let mut known = attributes_of(conn, scope, now, &rows)?;
        rows.retain(|row| caller.check(permission, known.remove(&row.id).unwrap_or_default()).is_ok());
    }
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut roles = store::roles_of(conn, scope, &ids, now)?;
    let view = |row: AccountRow| {
        let held = roles.remove(&row.id).unwrap_or_default();
        AccountView::new(row, held)
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Which people a query asks for.
pub(super) fn filters(query: &mut Query<'_>) -> Filters {
    Filters {
        search: query.text("search"),
        email: query.take("email", str::parse::<EmailAddress>).map(|email| email.normalized()),
        status: query.take("status", str::parse::<AccountStatus>),
        role: query.take("role", str::parse::<RoleId>),
        group: query.take("group", str::parse::<GroupId>),
    }
}

/// Adds somebody
///
/// At the identity provider first, then here, under the same id. Who is added without a status is `pending`: they can sign
/// in once somebody makes them `active`. A repeat under the same `Idempotency-Key` goes on where the first broke off.
#[utoipa::path(
    post,
    path = "/api/v1/users",
    tag = "Users",
    operation_id = "create_user",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the request, so that a repeat counts once")),
    request_body(content = Value, example = json!({
        "email": "john.doe@acme.example.com", "password": "correct horse battery staple", "first_name": "John",
        "last_name": "Doe", "phone": "+12025550123", "metadata": {"department": "sales"}})),
    responses(
        (status = 201, description = "They were added", body = inline(Envelope<AccountView>),
            headers(("Location" = String, description = "Where they are found"), ("ETag" = String, description = "Names this version")),
            example = json!({"status": "success", "data": {
                "id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example.com", "email_verified": false,
                "username": "john.doe@acme.example.com", "first_name": "John", "last_name": "Doe", "display_name": null,
                "phone": "+12025550123", "avatar_url": null, "metadata": {"department": "sales"}, "status": "pending",
                "roles": [], "version": 1, "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}})),
        (status = 409, description = "Somebody has this e-mail address or user name: `errors` says which"),
    )
)]
pub(crate) async fn create(
    change: Change,
    authority: Authority,
    body: Json<Value>,
    accounts: Data<Accounts>,
) -> Result<Answer, AccountError> {
    let new = parse::new_account(body.0.clone()).map_err(AccountError::Invalid)?;
    let once = change.once(&accounts.api, &body.0);
    accounts.create(Asked { change: &change, authority: &authority, once, right: Some(CREATE) }, new).await
}

/// Shows somebody
#[utoipa::path(
    get,
    path = "/api/v1/users/{id}",
    tag = "Users",
    operation_id = "show_user",
    params(("id" = String, Path, description = "The id of the user", format = Uuid)),
    responses(
        (status = 200, description = "Who they are", body = inline(Envelope<AccountView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data": {
                "id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example.com", "email_verified": true,
                "username": "john.doe@acme.example.com", "first_name": "John", "last_name": "Doe", "display_name": null,
                "phone": "+12025550123", "avatar_url": null, "metadata": {}, "status": "active",
                "roles": [{"id": "0190b2c4-0000-7000-8000-000000000003", "name": "Customer", "role_family": "Customer"}],
                "version": 1, "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}})),
        (status = 304, description = "They are still as `If-None-Match` says"),
        (status = 404, description = "There is nobody of this id"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    id: Path<UserId>,
    api: Data<Api>,
) -> Result<HttpResponse, AccountError> {
    show_one(&request, &authority, Some(READ), &api, id.into_inner()).await
}

/// The answer that shows somebody of the caller's tenant, who needs this right for it.
pub(super) async fn show_one(
    request: &HttpRequest,
    authority: &Authority,
    right: Option<Permission>,
    api: &Api,
    id: UserId,
) -> Result<HttpResponse, AccountError> {
    let principal = authority.principal();
    let (scope, now, caller) = (principal.scope(), api.clock.now(), authority.clone());
    let found = api.db.read(move |conn| {
        let row = store::find(conn, scope, id)?.ok_or(AccountError::NotFound)?;
        if let Some(right) = right {
            let known = attributes_of(conn, scope, now, std::slice::from_ref(&row))?;
            caller.check(right, known.into_values().flatten())?;
        }
        let roles = store::roles_of(conn, scope, &[id], now)?.remove(&id).unwrap_or_default();
        Ok::<_, AccountError>(AccountView::new(row, roles))
    });
    let view = found.await?;
    let tag = view.tag(principal.tenant.id);
    Ok(versioned(request, &tag, view))
}

/// Changes somebody
///
/// What is left out stays; `null` takes a value away. Another `status` than `active` ends what they are signed in to. Nobody
/// changes somebody who holds what they do not hold themselves, and the last active administrator stays one; a guest is none of
/// the tenant's own. Address, user name, password and status are changed by a token that is for all of the person, also one's own.
#[utoipa::path(
    patch,
    path = "/api/v1/users/{id}",
    tag = "Users",
    operation_id = "update_user",
    params(
        ("id" = String, Path, description = "The id of the user", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*` for whatever is there"),
    ),
    request_body(content = Value, example = json!({"first_name": "Johnny", "phone": null, "status": "active"})),
    responses(
        (status = 200, description = "Who they are now", body = inline(Envelope<AccountView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "There is nobody of this id"),
        (status = 409, description = "Somebody else has the e-mail address, or nobody could administer the tenant any more"),
        (status = 412, description = "Somebody changed them meanwhile: read them again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn update(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<UserId>,
    body: Json<Value>,
    accounts: Data<Accounts>,
) -> Result<Answer, AccountError> {
    let wanted = parse::account_change(body.0.clone()).map_err(AccountError::Invalid)?;
    let once = change.once(&accounts.api, &body.0);
    let asked = Asked { change: &change, authority: &authority, once, right: Some(UPDATE) };
    accounts.update(asked, id.into_inner(), Some(if_match), wanted).await
}

/// Removes somebody
///
/// Their account is gone for good, with everything of it. A guest from another tenant keeps theirs, and is not let in here
/// any more.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}",
    tag = "Users",
    operation_id = "delete_user",
    params(
        ("id" = String, Path, description = "The id of the user", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is removed; without it, whatever is there"),
    ),
    responses(
        (status = 204, description = "They are gone"),
        (status = 412, description = "Somebody changed them meanwhile"),
        (status = 404, description = "There is nobody of this id"),
        (status = 409, description = "Nobody could administer the tenant any more"),
    )
)]
pub(crate) async fn delete(
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<UserId>,
    accounts: Data<Accounts>,
) -> Result<Answer, AccountError> {
    let once = change.once(&accounts.api, &Value::Null);
    let asked = Asked { change: &change, authority: &authority, once, right: Some(DELETE) };
    accounts.remove(asked, id.into_inner(), if_match.0, false).await
}

/// Lets somebody of another tenant in
///
/// They sign in as they do at home, and have here the roles that they are given here. Before they do so for the first time,
/// nothing is told of them but their id and whether they may use their account.
#[utoipa::path(
    put,
    path = "/api/v1/users/{id}/membership",
    tag = "Users",
    operation_id = "invite_user",
    params(("id" = String, Path, description = "The id of the user", format = Uuid)),
    responses(
        (status = 201, description = "They are let in", body = inline(Envelope<AccountView>),
            example = json!({"status": "success", "data": {
                "id": "0190b2c4-0000-7000-8000-000000000001", "email": null, "email_verified": false,
                "status": "active", "roles": [], "home_tenant_id": "0190b2c4-0000-7000-8000-000000000002", "version": 1}})),
        (status = 404, description = "There is nobody of this id"),
    )
)]
pub(crate) async fn invite(
    change: Change,
    authority: Authority,
    id: Path<UserId>,
    accounts: Data<Accounts>,
) -> Result<Answer, AccountError> {
    let once = change.once(&accounts.api, &Value::Null);
    let asked = Asked { change: &change, authority: &authority, once, right: Some(CREATE) };
    accounts.invite(asked, id.into_inner()).await
}

/// Takes back that somebody of another tenant is let in
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/membership",
    tag = "Users",
    operation_id = "dismiss_user",
    params(
        ("id" = String, Path, description = "The id of the user", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is removed; without it, whatever is there"),
    ),
    responses(
        (status = 204, description = "They are not let in any more"),
        (status = 412, description = "Somebody changed them meanwhile"),
        (status = 404, description = "There is nobody of this id from another tenant"),
        (status = 409, description = "Nobody could administer the tenant any more"),
    )
)]
pub(crate) async fn dismiss(
    if_match: OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<UserId>,
    accounts: Data<Accounts>,
) -> Result<Answer, AccountError> {
    let once = change.once(&accounts.api, &Value::Null);
    let asked = Asked { change: &change, authority: &authority, once, right: Some(DELETE) };
    accounts.remove(asked, id.into_inner(), if_match.0, true).await
}
