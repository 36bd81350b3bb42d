//! `/api/v1/users/me`: one's own profile.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;
use tenantry_types::{Envelope, UserId};
use tenantry_web::problems::Json;

use super::change::{Accounts, Asked};
use super::error::AccountError;
use super::parse;
use super::routes::show_one;
use super::view::AccountView;
use crate::access::{AccessError, Authority, scope_allows};
use crate::authn::{Principal, Subject};
use crate::change::Change;
use crate::idempotency::Answer;
use crate::input::IfMatch;
use crate::state::Api;

/// Where it is.
pub(super) const PATH: &str = "/api/v1/users/me";
/// The scope that lets a program change the profile of whoever uses it; `api` does as well.
const CHANGE_OWN: &str = "profile.update";

/// Shows one's own profile
///
/// Any good access token of a person will do.
#[utoipa::path(
    get,
    path = "/api/v1/users/me",
    tag = "Users",
    operation_id = "show_own_profile",
    responses(
        (status = 200, description = "Who one is", body = inline(Envelope<AccountView>),
            example = json!({"status": "success", "data": {
                "id": "0190b2c4-0000-7000-8000-000000000001", "email": "john.doe@acme.example.com", "email_verified": true,
                "first_name": "John", "last_name": "Doe", "status": "active", "roles": [], "version": 1,
                "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}})),
        (status = 404, description = "The caller is not a person"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, AccountError> {
    show_one(&request, &authority, None, &api, oneself(authority.principal())?).await
}

/// Changes one's own profile
///
/// Names, telephone number and picture; an address, a password and a status are changed elsewhere. The token needs the
/// scope `profile.update` or `api`, and no role.
#[utoipa::path(
    patch,
    path = "/api/v1/users/me",
    tag = "Users",
    operation_id = "update_own_profile",
    params(("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*` for whatever is there")),
    request_body(content = Value, example = json!({"display_name": "Johnny", "avatar_url": "https://acme.example/johnny.png"})),
    responses(
        (status = 200, description = "Who one is now", body = inline(Envelope<AccountView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 403, description = "The access token is for less"),
        (status = 404, description = "The caller is not a person"),
        (status = 412, description = "It was changed meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn update(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    body: Result<Json<Value>, tenantry_web::problems::ProblemResponse>,
    accounts: Data<Accounts>,
) -> Result<Answer, actix_web::Error> {
    let scopes = &change.principal.scopes;
    if !scopes.iter().any(|scope| scope == "api" || scope_allows(scope, CHANGE_OWN)) {
        return Err(AccountError::from(AccessError::InsufficientScope(CHANGE_OWN)).into());
    }
    let id = oneself(&change.principal)?;
    let body = body?.0;
    let wanted = parse::own_change(body.clone()).map_err(AccountError::Invalid)?;
    let once = change.once(&accounts.api, &body);
    let asked = Asked { change: &change, authority: &authority, once, right: None };
    Ok(accounts.update(asked, id, Some(if_match), wanted).await?)
}

fn oneself(principal: &Principal) -> Result<UserId, AccountError> {
    match principal.subject {
        Subject::User(id) => Ok(id),
        Subject::Client(_) => Err(AccountError::NotFound),
    }
}
