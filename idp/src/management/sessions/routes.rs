//! `/admin/v1/tenants/{tenant_id}/sessions`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tenantry_db::Connection;
use tenantry_types::{Envelope, SessionId, TenantId, UserId, UtcTime};
use tenantry_web::listing::Query;
use utoipa::ToSchema;

use super::change;
use crate::management::table::{READ, USERS};
use crate::management::target::{self, scope_of};
use crate::management::{Caller, ManagementError, Missing, Routes, reply};
use crate::sessions::store;
use crate::sessions::{Live, LiveSession};
use crate::state::Idp;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}/sessions/{session_id}";
    routes
        .get("/admin/v1/tenants/{tenant_id}/sessions", READ, list)
        .get(ONE, READ, show)
        .delete(ONE, USERS, end)
        .delete("/admin/v1/tenants/{tenant_id}/users/{user_id}/sessions", USERS, end_all_of);
}

/// A browser in which somebody is signed in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionDocument {
    /// The `sid` of tokens that were issued in it.
    id: SessionId,
    /// Who is signed in.
    user_id: UserId,
    /// When they signed in.
    #[schema(value_type = String, format = "date-time")]
    authenticated_at: UtcTime,
    /// When the browser came last.
    #[schema(value_type = String, format = "date-time")]
    last_used_at: UtcTime,
    /// When it ends at the latest.
    #[schema(value_type = String, format = "date-time")]
    expires_at: UtcTime,
    /// How strongly they were authenticated.
    acr: String,
    /// By which methods (RFC 8176).
    amr: Vec<String>,
    /// From which address they signed in.
    address: Option<String>,
    /// With which browser.
    user_agent: Option<String>,
}

impl SessionDocument {
    fn of(live: LiveSession) -> Self {
        let LiveSession { session, last_used_at, expires_at, address, user_agent, .. } = live;
        Self {
            id: session.id,
            user_id: session.user_id,
            authenticated_at: session.authenticated_at,
            last_used_at,
            expires_at,
            acr: session.acr,
            amr: session.amr,
            address,
            user_agent,
        }
    }
}

/// Which sessions have not come to their end by themselves.
fn live(idp: &Idp) -> Live {
    Live::at(idp.clock.now(), &idp.config.sessions)
}

/// Lists the sessions of a tenant
///
/// Those that last, the newest first: not ended, not expired, and not unused for too long.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/sessions", tag = "People", operation_id = "list_sessions",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = Option<String>, Query, description = "Only those of this person", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = inline(Envelope<Vec<SessionDocument>>)),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn list(
    request: HttpRequest,
    tenant: Path<TenantId>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (scope, live) = (scope_of(*tenant), live(&idp));
    let mut query = Query::of(&request, &idp.secrets.cursors, tenant.as_str());
    let user = query.take("user_id", str::parse::<UserId>);
    let rows = move |conn: &mut Connection, before: Option<&(UtcTime, SessionId)>, most| {
        store::list_live(conn, scope, live, user, before.copied(), most)
    };
    let key = |live: &LiveSession| (live.created_at, live.session.id);
    target::list(&idp, scope, query, rows, key, SessionDocument::of).await
}

/// Shows a session that lasts
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/sessions/{session_id}", tag = "People", operation_id = "show_session",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("session_id" = String, Path, description = "The session: the `sid` of tokens", format = "uuid"),
    ),
    responses(
        (status = 200, description = "The session", body = inline(Envelope<SessionDocument>)),
        (status = 404, description = "There is no such tenant, or no such session in it that lasts (`/problems/session-not-found`)"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(TenantId, SessionId)>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let (scope, live) = (scope_of(tenant), live(&idp));
    let found = target::read(&idp, scope, move |conn| store::find_live(conn, scope, live, id)).await?;
    reply::found(&request, SessionDocument::of(found.ok_or(ManagementError::NotFound(Missing::Session))?))
}

/// Ends a session
///
/// With it end the refresh tokens that were given in it, but for those of `offline_access`, which are for when nobody is
/// signed in, and codes that were not exchanged yet. That it has ended already is no fault.
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/sessions/{session_id}", tag = "People", operation_id = "end_session",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("session_id" = String, Path, description = "The session: the `sid` of tokens", format = "uuid"),
    ),
    responses(
        (status = 204, description = "It has ended"),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn end(
    path: Path<(TenantId, SessionId)>,
    caller: Caller,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, id) = path.into_inner();
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    idp.change(move |conn| change::end(conn, scope, &author, id)).await?;
    Ok(reply::done())
}

/// Signs a person or a member out of the tenant everywhere
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/users/{user_id}/sessions", tag = "People",
    operation_id = "end_sessions_of_user",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("user_id" = String, Path, description = "The person", format = "uuid"),
    ),
    responses(
        (status = 204, description = "Their sessions and refresh tokens are good no more"),
        (status = 404, description = "There is no such tenant, or no such person in it"),
    ),
)]
pub(crate) async fn end_all_of(
    path: Path<(TenantId, UserId)>,
    caller: Caller,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, user) = path.into_inner();
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    idp.change(move |conn| change::end_all_of(conn, scope, &author, user)).await?;
    Ok(reply::done())
}
