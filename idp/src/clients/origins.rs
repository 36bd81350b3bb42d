//! The browser origins of a tenant's clients, for CORS.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header;
use actix_web::middleware::Next;
use actix_web::web::Data;

use crate::fault::Fault;
use crate::state::Idp;
use crate::tenants::Issuer;

/// Lets only the origins of the issuer's clients through to CORS: a request from any other is treated as if it named no
/// origin, so that a browser does not show the answer to the script.
pub async fn only_of_clients(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    if let Some(origin) = request.headers().get(header::ORIGIN).cloned() {
        let issuer = request.extract::<Issuer>().await?;
        let idp = request.app_data::<Data<Idp>>().cloned().ok_or(Fault::Protocol("no state"))?;
        let origins = idp.clients.origins(issuer.scope()).await.map_err(Fault::from)?;
        if !origin.to_str().is_ok_and(|origin| origins.contains(origin)) {
            request.headers_mut().remove(header::ORIGIN);
        }
    }
    next.call(request).await
}
