//! What has to be done as soon as it is known who calls.

use actix_web::HttpRequest;
use tenantry_web::rate_limit::{self, Caller, RateLimited};

use super::origins;
use crate::authn::{Principal, Subject};

/// Takes note of who calls: for CORS, and for the limits of the tenant, the client and the user.
///
/// # Errors
/// [`RateLimited`] when the request is one too many.
pub(super) async fn known(request: &HttpRequest, principal: &Principal) -> Result<(), RateLimited> {
    origins::note_tenant(request, principal.tenant.id);
    let user = match principal.subject {
        Subject::User(id) => Some(id),
        Subject::Client(_) => None,
    };
    let caller = Caller { tenant: principal.tenant.id, client_id: &principal.client_id, user };
    rate_limit::identified(request, caller).await
}
