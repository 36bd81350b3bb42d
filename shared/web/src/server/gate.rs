//! What stands before the routes of a service.

use std::fmt;
use std::sync::Arc;

use actix_web::Error;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::future::LocalBoxFuture;

/// What comes of a request.
pub type Passage = LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>;

/// Sees every request before its route is looked for, inside of all other layers: it can answer by itself, or send the
/// request on under another path, and change the answer.
#[derive(Clone)]
pub struct Gate(Arc<dyn Fn(ServiceRequest, Next<BoxBody>) -> Passage + Send + Sync>);

impl Gate {
    /// A gate that does this.
    pub fn new(pass: impl Fn(ServiceRequest, Next<BoxBody>) -> Passage + Send + Sync + 'static) -> Self {
        Self(Arc::new(pass))
    }

    pub(super) fn pass(&self, request: ServiceRequest, next: Next<BoxBody>) -> Passage {
        (self.0)(request, next)
    }

    /// One that lets everything through.
    pub(super) fn open() -> Self {
        Self::new(|request, next| Box::pin(next.call(request)))
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}
