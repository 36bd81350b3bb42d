//! `/api/v1/security-events`.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_web::problems::{Body, ProblemResponse};
use tenantry_web::rate_limit;

use super::{Receiver, SecurityEventError, receive};
use crate::access::{Access, Routes};
use crate::audit::Origin;
use crate::state::Api;

/// Adds the route. It needs no access token: what is sent proves itself.
pub fn configure(routes: &mut Routes) {
    routes.post("/api/v1/security-events", Access::Public, take);
}

/// Takes a security event of the identity provider
///
/// For the identity provider alone (RFC 8935): the body is a security event token (RFC 8417), signed with a key of a
/// tenant's issuer, whose `aud` is this service. A repeat of the same `jti` is acknowledged and does nothing.
#[utoipa::path(
    post,
    path = "/api/v1/security-events",
    tag = "Security events",
    operation_id = "take_security_event",
    request_body(content = String, content_type = "application/secevent+jwt",
        description = "A security event token", example = "eyJ0eXAiOiJzZWNldmVudCtqd3QiLCJhbGciOiJFUzI1NiJ9.…"),
    responses(
        (status = 202, description = "It was taken, now or before"),
        (status = 400, description = "It is refused, and would be at every repeat: `err` is one of the codes of RFC 8935 §2.4",
            body = serde_json::Value, content_type = "application/json",
            example = json!({"err": "invalid_audience", "description": "the token is for another audience"})),
        (status = 401, description = "The sender is not known by its `Authorization` header: it is to be sent again with the one that is configured"),
        (status = 503, description = "It cannot be checked or kept now: it is to be sent again"),
    )
)]
pub(crate) async fn take(
    request: HttpRequest,
    origin: Origin,
    body: Result<Body, ProblemResponse>,
    receiver: Data<Receiver>,
    api: Data<Api>,
) -> Result<HttpResponse, SecurityEventError> {
    receiver.check_sender(request.headers())?;
    if !is_security_event(request.headers()) {
        return Err(SecurityEventError::MediaType);
    }
    let body = body.map_err(SecurityEventError::Body)?.0;
    let token = std::str::from_utf8(&body).map_err(|_| tenantry_jose::VerifyError::NotCompact)?;
    let (issuer, event) = receiver.read(token.trim_ascii()).await?;
    // However many there are: they tell whom to let in no more.
    rate_limit::forgive(&request);
    tracing::info!(tenant = %issuer.tenant.id, event = event.id, subject = event.subject, "a security event was received");
    let state = api.clone();
    let receive = move |conn: &mut _| receive::receive(conn, &state, &origin, &issuer.tenant, &event);
    let signals = api.db.write(receive).await?;
    api.signals.pass_on(&signals);
    Ok(HttpResponse::Accepted().finish())
}

/// RFC 8935 §2.1.
fn is_security_event(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/secevent+jwt")
}
