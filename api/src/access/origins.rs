//! Which scripts of other origins may call, and what they may read.
//!
//! A preflight names no caller, so it can only be asked whether any tenant that is known has such an origin: one that this
//! process has seen, or one whose origins are kept. Nobody is asked for it, so that strangers make nobody work. What comes back
//! with a token is shown to a script when its origin is one of that tenant's, or of the configured list; a script that
//! got hold of another tenant's token is not shown the answer.

mod keeper;
mod store;

use std::cell::Cell;
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderMap, ORIGIN};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest};
use parking_lot::RwLock;
use tenantry_types::{Origin, TenantId};

pub use self::keeper::OriginKeeper;
use crate::authn::Issuers;

/// The origins whose scripts may call. Clones share them.
#[derive(Debug, Clone)]
pub struct AllowedOrigins {
    /// For all tenants, as configured.
    everywhere: Arc<HashSet<String>>,
    issuers: Issuers,
    /// Those that tenants had when any replica last heard of them.
    kept: Arc<RwLock<HashSet<String>>>,
}

/// The tenant of a request, once it is known.
#[derive(Debug, Default)]
struct AskedOf(Cell<Option<TenantId>>);

impl AllowedOrigins {
    /// These, and those that tenants have registered at the identity provider.
    pub fn new(everywhere: &[Origin], issuers: Issuers) -> Self {
        let everywhere = everywhere.iter().map(|origin| origin.as_str().to_owned()).collect();
        Self { everywhere: Arc::new(everywhere), issuers, kept: Arc::default() }
    }

    /// Whether a script of this origin may call, as far as that can be said without knowing for whom. From memory.
    pub(super) fn may_call(&self, origin: &str) -> bool {
        self.everywhere.contains(origin)
            || self.issuers.is_origin_of_somebody(origin)
            || self.kept.read().contains(origin)
    }

    /// Whether it may read what is answered to a caller of this tenant.
    async fn may_read(&self, origin: &str, tenant: TenantId) -> bool {
        self.everywhere.contains(origin) || self.issuers.is_origin_of(origin, tenant).await
    }
}

/// Goes around CORS: takes back what it said to a script that may not read an answer of this tenant.
pub(super) async fn only_of_tenant<B: MessageBody>(
    origins: AllowedOrigins,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let Some(origin) = request.headers().get(ORIGIN).cloned() else { return next.call(request).await };
    let asked = Rc::new(AskedOf::default());
    request.extensions_mut().insert(Rc::clone(&asked));
    let mut result = next.call(request).await;
    let may_read = match (asked.0.get(), origin.to_str()) {
        (Some(tenant), Ok(origin)) => origins.may_read(origin, tenant).await,
        // Nobody's data: CORS has decided.
        _ => true,
    };
    if !may_read {
        match &mut result {
            Ok(response) => hide(response.headers_mut()),
            Err(error) => error.add_response_mapper(|mut response| {
                hide(response.headers_mut());
                response
            }),
        }
    }
    result
}

/// Notes the tenant of a request, as soon as it is known.
pub(super) fn note_tenant(request: &HttpRequest, tenant: TenantId) {
    if let Some(asked) = request.extensions().get::<Rc<AskedOf>>() {
        asked.0.set(Some(tenant));
    }
}

fn hide(headers: &mut HeaderMap) {
    headers.remove(ACCESS_CONTROL_ALLOW_ORIGIN);
    headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS);
}
