//! `/api/v1/users/me/sessions`: what one is signed in to oneself.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use tenantry_types::{Envelope, SessionId, UserId};

use super::end::Ending;
use super::error::SessionError;
use super::routes::{READ, REVOKE, respond};
use super::view::SessionView;
use crate::access::{AccessError, Authority, Permission};
use crate::authn::{Principal, Subject};
use crate::change::Change;
use crate::idempotency::Answer;
use crate::idp::ManagementClient;
use crate::state::Api;

/// Where they are.
pub(super) const ALL: &str = "/api/v1/users/me/sessions";
/// Where one is.
pub(super) const ONE: &str = "/api/v1/users/me/sessions/{id}";

/// Lists what one is signed in to oneself
///
/// The newest first; `current` is the one in which the access token was issued. The token needs the scope `session.read` or
/// `api`, and no role.
#[utoipa::path(
    get,
    path = "/api/v1/users/me/sessions",
    tag = "Sessions",
    operation_id = "list_own_sessions",
    params(
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
                "address": "192.0.2.17", "user_agent": "Mozilla/5.0", "current": true}],
                "page": {"limit": 50}})),
        (status = 403, description = "The access token is for less"),
        (status = 404, description = "The caller is not a person"),
        (status = 422, description = "The query is not right: `errors` says where"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
    management: Data<ManagementClient>,
) -> Result<HttpResponse, SessionError> {
    require(&authority, READ)?;
    let user = oneself(authority.principal())?;
    respond(&request, authority.principal(), &api, &management, Some(user), |session| session.user_id == user).await
}

/// Signs oneself out of one browser
///
/// Its access tokens are refused at once, those of this request too if it is the `current` one. The token needs the scope
/// `session.revoke` or `api`, and no role.
#[utoipa::path(
    delete,
    path = "/api/v1/users/me/sessions/{id}",
    tag = "Sessions",
    operation_id = "end_own_session",
    params(
        ("id" = String, Path, description = "The id of the session", format = Uuid),
        ("Idempotency-Key" = Option<String>, Header, description = "Names the request, so that a repeat counts once"),
    ),
    responses(
        (status = 204, description = "It has ended"),
        (status = 403, description = "The access token is for less"),
        (status = 404, description = "One has no such session, or it had ended"),
    )
)]
pub(crate) async fn end(
    change: Change,
    authority: Authority,
    id: Path<SessionId>,
    api: Data<Api>,
    management: Data<ManagementClient>,
) -> Result<Answer, SessionError> {
    require(&authority, REVOKE)?;
    let user = oneself(&change.principal)?;
    let ending = Ending { change: &change, authority: &authority, api: &api, management: &management };
    ending.own(user, id.into_inner()).await
}

/// Refuses a token whose scopes do not allow it. What is one's own needs no role.
fn require(authority: &Authority, permission: Permission) -> Result<(), SessionError> {
    if authority.is_in_scope(permission.as_str()) {
        return Ok(());
    }
    Err(AccessError::InsufficientScope(permission.as_str()).into())
}

fn oneself(principal: &Principal) -> Result<UserId, SessionError> {
    match principal.subject {
        Subject::User(id) => Ok(id),
        Subject::Client(_) => Err(SessionError::NoSuchUser),
    }
}
