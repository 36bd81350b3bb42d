//! `/api/v1/me`.

use actix_web::HttpResponse;
use tenantry_types::Envelope;

use crate::access::{Access, Authority, Routes};
use crate::authn::PrincipalView;

/// Adds the route.
pub fn configure(routes: &mut Routes) {
    routes.get("/api/v1/me", Access::Authenticated, show);
}

/// Shows who is calling
///
/// Any good access token will do, whatever its scope.
#[utoipa::path(
    get,
    path = "/api/v1/me",
    tag = "Caller",
    operation_id = "show_caller",
    responses(
        (status = 200, description = "The principal", body = inline(Envelope<PrincipalView>),
            example = json!({"status": "success", "data": {
                "subject": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000001"},
                "tenant": {"id": "0190b2c4-0000-7000-8000-000000000002", "slug": "demo", "name": "Demo"},
                "client_id": "tenantry-console", "scopes": ["api", "openid"], "roles": ["administrator"],
                "acr": "1", "amr": ["pwd"], "auth_time": "2026-01-31T09:30:00Z", "expires_at": "2026-01-31T09:45:00Z"}})),
    )
)]
pub(crate) async fn show(authority: Authority) -> HttpResponse {
    let roles = authority.roles();
    HttpResponse::Ok().json(Envelope::new(authority.principal().view(&roles)))
}
