//! What stands in front of every route: which program is calling, and may it.

use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::Data;
use actix_web::{Error, FromRequest, HttpMessage as _, HttpRequest, Route};
use tenantry_jose::{Expected, peek, verify};
use tenantry_types::{ScopeSet, TenantId};
use tenantry_web::ingress::RequestContext;

use super::Access;
use crate::audit::{Author, Source};
use crate::fault::Fault;
use crate::oauth::access_token;
use crate::oauth::bearer::{BearerError, presented};
use crate::state::{CLOCK_LEEWAY_SECONDS, Idp};
use crate::tenants::{Issuer, IssuerError};

/// A program of the operator.
#[derive(Debug, Clone)]
pub struct Caller {
    client_id: String,
    platform: TenantId,
    scopes: ScopeSet,
    source: Source,
}

impl Caller {
    /// Who changes something on its behalf. The actor names the platform tenant, because client names are unique in a
    /// tenant only.
    pub fn author(&self, idp: &Idp) -> Author {
        Author {
            clock: std::sync::Arc::clone(&idp.clock),
            random: std::sync::Arc::clone(&idp.random),
            actor: format!("client:{}@{}", self.client_id, self.platform),
            source: self.source.clone(),
        }
    }
}

impl FromRequest for Caller {
    type Error = BearerError;
    type Future = Ready<Result<Self, BearerError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Only a mistake in wiring leaves it out, and then nobody is let in.
        ready(request.extensions().get::<Self>().cloned().ok_or(BearerError::Missing))
    }
}

/// The route behind its guard. The body of a request is not read before the guard has let it through.
pub(super) fn guarded(route: Route, access: Access) -> Route {
    route.wrap(from_fn(move |request: ServiceRequest, next: Next<_>| admit(request, next, access)))
}

async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    access: Access,
) -> Result<ServiceResponse<B>, Error> {
    let idp = request.app_data::<Data<Idp>>().cloned().ok_or(IssuerError::UnknownHost)?;
    // A login domain is its tenant's: nothing of the operator's is there.
    let context = RequestContext::of(request.request()).ok_or(IssuerError::UnknownHost)?;
    if context.origin().host != idp.public_authority {
        return Err(IssuerError::UnknownHost.into());
    }
    if let Access::Scope(scope) = access {
        let caller = identify(&idp, request.request()).await?;
        if !caller.scopes.contains(scope) {
            return Err(BearerError::InsufficientScope(scope).into());
        }
        request.extensions_mut().insert(caller);
    }
    next.call(request).await
}

/// The client of a token that a platform tenant issued for this API, as long as it is registered and in use.
async fn identify(idp: &Idp, request: &HttpRequest) -> Result<Caller, BearerError> {
    let token = presented(request)?;
    let claimed = peek(token).map_err(|_| BearerError::Invalid)?;
    let issuer = match Issuer::find(idp, claimed.text("iss").unwrap_or_default()).await {
        Ok(issuer) if issuer.tenant.is_platform => issuer,
        Ok(_) | Err(IssuerError::UnknownHost | IssuerError::UnknownTenant) => return Err(BearerError::Invalid),
        Err(error @ IssuerError::Database(_)) => return Err(Fault::from(error).into()),
    };
    let keys = idp.keys.of(issuer.scope()).await.map_err(Fault::from)?;
    let management = idp.management_audience();
    let audience = [management.as_str()];
    let mut expected = Expected::new(&[access_token::TYP], Some(&issuer.url), Some(&audience), idp.clock.now());
    expected.leeway = Duration::from_secs(CLOCK_LEEWAY_SECONDS);
    let jwt = verify(token, keys.verifying(), &expected).map_err(|_| BearerError::Invalid)?;
    let client_id = jwt.text("client_id").ok_or(BearerError::Invalid)?;
    // A client that acts for itself is its own subject (RFC 9068 §2.2); people do not come here.
    if jwt.text("sub") != Some(client_id) {
        return Err(BearerError::Invalid);
    }
    let client = idp.clients.find(issuer.scope(), client_id).await.map_err(Fault::from)?;
    let client = client.ok_or(BearerError::Invalid)?;
    let scopes: ScopeSet = jwt.text("scope").unwrap_or_default().parse().map_err(|_| BearerError::Invalid)?;
    Ok(Caller {
        client_id: client_id.to_owned(),
        platform: issuer.tenant.id,
        // What was taken from the client since is not its any more.
        scopes: scopes.intersection(&client.scope),
        source: Source::of(request),
    })
}
