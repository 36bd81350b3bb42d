//! `/api/v1/sessions`.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use tenantry_types::{Envelope, SessionId, UserId};
use tenantry_web::listing::Query;

use super::end::Ending;
use super::error::SessionError;
use super::kind::{KIND, attributes};
use super::own;
use super::view::SessionView;
use crate::access::{Access, Authority, Permission, Routes};
use crate::authn::Principal;
use crate::change::Change;
use crate::directory::accounts::{self, Named};
use crate::idempotency::Answer;
use crate::idp::{ManagementClient, SessionRecord};
use crate::state::Api;

/// To see what people are signed in to, with their addresses and browsers.
pub const READ: Permission = Permission::new("session.read");
/// To sign them out.
pub const REVOKE: Permission = Permission::new("session.revoke");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .describe(KIND)
        .get("/api/v1/sessions", Access::Some(READ), list)
        .delete("/api/v1/sessions/{id}", Access::Some(REVOKE), end)
        .get(own::ALL, Access::Authenticated, own::list)
        .delete(own::ONE, Access::Authenticated, own::end)
        .delete("/api/v1/users/{id}/sessions", Access::Some(REVOKE), end_all_of);
}

/// Lists what people are signed in to
///
/// The browsers that last, the newest first. Those that the caller may not see are left out; a page may be shorter for
/// that.
#[utoipa::path(
    get,
    path = "/api/v1/sessions",
    tag = "Sessions",
    operation_id = "list_sessions",
    params(
        ("user" = Option<String>, Query, description = "The id of the person who is signed in", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many there are on a page: 1 to 200, 50 where it is left out"),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "A page of sessions", body = inline(Envelope<Vec<SessionView>>),
            example = json!({"status": "success", "data": [{
                "id": "0190b2c4-0000-7000-8000-000000000005",
                "user": {"id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example.com",
                    "display_name": "John Doe"},
                "authenticated_at": "2026-01-31T09:30:00Z", "last_used_at": "2026-01-31T10:00:00Z",
                "expires_at": "2026-02-07T09:30:00Z", "acr": "urn:tenantry:acr:password", "amr": ["pwd"],
                "address": "192.0.2.17", "user_agent": "Mozilla/5.0", "current": false}],
                "page": {"limit": 50}})),
        (status = 422, description = "The query is not right: `errors` says where"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
    management: Data<ManagementClient>,
) -> Result<HttpResponse, SessionError> {
    let visible = {
        let (authority, current) = (authority.clone(), authority.principal().session_id);
        move |session: &SessionRecord| authority.check(READ, attributes(session, current)).is_ok()
    };
    respond(&request, authority.principal(), &api, &management, None, visible).await
}

/// A page of the sessions that are visible: those of one person, or those that the query asks for.
pub(super) async fn respond(
    request: &HttpRequest,
    principal: &Principal,
    api: &Api,
    management: &ManagementClient,
    only: Option<UserId>,
    visible: impl FnMut(&SessionRecord) -> bool,
) -> Result<HttpResponse, SessionError> {
    let (scope, current) = (principal.scope(), principal.session_id);
    let owner = only.map_or_else(|| principal.tenant.id.to_string(), |user| format!("{}/{user}", principal.tenant.id));
    let mut query = Query::of(request, &api.cursors, &owner);
    let user = only.or_else(|| query.take("user", str::parse));
    // The provider's own cursor says where a page begins; its tag is ours.
    let page = query.page::<String>().map_err(SessionError::Invalid)?;
    let found = management.sessions(principal.tenant.id, user, page.limit(), page.after().as_deref()).await?;
    let next = found.next.and_then(|next| page.cursor(&next));
    let mut sessions = found.sessions;
    sessions.retain(visible);
    let ids: Vec<UserId> = sessions.iter().map(|session| session.user_id).collect();
    let named = api.db.read(move |conn| accounts::named(conn, scope, &ids));
    let named: HashMap<UserId, Named> = named.await?;
    let view = |session: SessionRecord| {
        let user = named.get(&session.user_id);
        SessionView::new(session, user, current)
    };
    Ok(page.respond(sessions.into_iter().map(view).collect(), next))
}

/// Signs somebody out of one browser
///
/// Its access tokens are refused at once, and get no successors. What a program may do while nobody is signed in
/// (`offline_access`) goes on. Nobody ends a session of somebody who holds what they do not hold themselves.
#[utoipa::path(
    delete,
    path = "/api/v1/sessions/{id}",
    tag = "Sessions",
    operation_id = "end_session",
    params(
        ("id" = String, Path, description = "The id of the session", format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request, so that a repeat counts once"),
    ),
    responses(
        (status = 204, description = "It has ended"),
        (status = 404, description = "There is no such session, or it had ended"),
    )
)]
pub(crate) async fn end(
    change: Change,
    authority: Authority,
    id: Path<SessionId>,
    api: Data<Api>,
    management: Data<ManagementClient>,
) -> Result<Answer, SessionError> {
    let ending = Ending { change: &change, authority: &authority, api: &api, management: &management };
    ending.one(id.into_inner()).await
}

/// Signs somebody out everywhere
///
/// All access tokens that they have in this tenant are refused at once, and no program gets another one for them, not even
/// with `offline_access`. They can sign in again. Policies are asked of sessions of which only `session.user_id` is known.
#[utoipa::path(
    delete,
    path = "/api/v1/users/{id}/sessions",
    tag = "Sessions",
    operation_id = "end_sessions_of_user",
    params(
        ("id" = String, Path, description = "The id of the user", format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request, so that a repeat counts once"),
    ),
    responses(
        (status = 204, description = "They are signed out"),
        (status = 404, description = "There is nobody of this id"),
    )
)]
pub(crate) async fn end_all_of(
    change: Change,
    authority: Authority,
    id: Path<UserId>,
    api: Data<Api>,
    management: Data<ManagementClient>,
) -> Result<Answer, SessionError> {
    let ending = Ending { change: &change, authority: &authority, api: &api, management: &management };
    ending.all_of(id.into_inner()).await
}
