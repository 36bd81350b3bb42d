//! Where a change came from.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use tenantry_web::ingress::RequestContext;

/// Where a request came from, as far as it is known. As an extractor it is what the server has found out.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The address of the client.
    pub address: Option<String>,
    /// The id of the request, which the log has too.
    pub request_id: Option<String>,
}

impl FromRequest for Origin {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let origin = RequestContext::of(request).map(|context| Self {
            address: Some(context.client().to_string()),
            request_id: Some(context.id().to_string()),
        });
        ready(Ok(origin.unwrap_or_default()))
    }
}
