//! Requests are counted for their caller.

use actix_web::HttpRequest;
use tenantry_web::rate_limit::{self, Caller, RateLimited};

use crate::authn::{Principal, Subject};

/// Counts a request for the tenant, the client and the user, now that they are known.
///
/// # Errors
/// [`RateLimited`] when it is one too many.
pub(super) async fn count(request: &HttpRequest, principal: &Principal) -> Result<(), RateLimited> {
    let user = match principal.subject {
        Subject::User(id) => Some(id),
        Subject::Client(_) => None,
    };
    let caller = Caller { tenant: principal.tenant.id, client_id: &principal.client_id, user };
    rate_limit::identified(request, caller).await
}
