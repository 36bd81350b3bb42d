//! What stands in front of every route: who is it, and may they.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, Data};
use actix_web::{Error, HttpMessage as _, Route};
use tenantry_types::Problem;
use tenantry_web::ingress::RequestContext;
use tenantry_web::problems::ProblemResponse;

use super::error::Refused;
use super::{Access, AccessControl, AccessError, Authority, Decision, Module, Permission, caller, record, residence};
use crate::authn::{Authenticator, AuthnError, Possession, Principal, credentials};

/// The route behind its guard. The body of a request is not read before the guard has let it through.
pub(super) fn guarded(route: Route, access: Access, module: Option<Module>) -> Route {
    match access {
        Access::Public => route,
        Access::Authenticated | Access::Permission(_) | Access::Some(_) => {
            route.wrap(from_fn(move |request: ServiceRequest, next: Next<_>| admit(request, next, access, module)))
        }
    }
}

async fn admit<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    access: Access,
    module: Option<Module>,
) -> Result<ServiceResponse<B>, Error> {
    let principal = identify(&request).await?;
    caller::known(request.request(), &principal).await?;
    let authority = authority(&request, &principal).await?;
    if let Some(module) = module.filter(|module| !authority.tenant().has_module(*module)) {
        return Err(AccessError::ModuleDisabled(module.as_str()).into());
    }
    if let Access::Permission(permission) | Access::Some(permission) = access {
        let judged = match access {
            Access::Some(_) => authority.judge_for_some(permission),
            _ => authority.judge(permission),
        };
        // Where the handler has the last word, because it knows what it is done to, it is logged after it.
        let is_open = judged.reason.is_none() && judged.decision == Decision::Allow;
        if !is_open {
            record::decision(request.request(), &authority, permission, &judged).await;
        }
        if let Some(refusal) = authority.refusal_of(permission, judged.decision) {
            return Err(refusal.into());
        }
        return admit_for(request, next, principal, authority, permission, is_open).await;
    }
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(authority);
    next.call(request).await
}

/// Lets a request through, and logs what its handler has decided.
async fn admit_for<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
    principal: Principal,
    authority: Authority,
    permission: Permission,
    is_open: bool,
) -> Result<ServiceResponse<B>, Error> {
    request.extensions_mut().insert(principal);
    request.extensions_mut().insert(authority.clone());
    let response = next.call(request).await?;
    let is_hidden = response.status() == StatusCode::NOT_FOUND && authority.told().ends_refused();
    let is_refused = is_hidden || response.response().extensions().get::<Refused>().is_some();
    if is_open || is_refused {
        record::outcome(response.request(), &authority, permission, is_refused).await;
    }
    Ok(response)
}

async fn identify(request: &ServiceRequest) -> Result<Principal, AccessError> {
    let credentials = credentials(request.request())?;
    // Only a mistake in wiring leaves it out, and then nobody is let in.
    let authenticator = request.app_data::<Data<Authenticator>>().ok_or(AuthnError::Missing)?;
    let possession = request.app_data::<Data<Possession>>().ok_or(AuthnError::Missing)?;
    let principal = authenticator.authenticate(credentials.token).await?;
    possession.check(request.request(), &credentials, &principal).await?;
    tenantry_web::telemetry::record_tenant(request.request(), principal.tenant.slug.as_str());
    Ok(principal)
}

async fn authority(request: &ServiceRequest, principal: &Principal) -> Result<Authority, AccessError> {
    // As above.
    let control = request.app_data::<Data<AccessControl>>().ok_or(AuthnError::Missing)?;
    residence::check_query(request.query_string(), &principal.tenant)?;
    let context = RequestContext::of(request.request());
    if let Some(context) = &context {
        control.check_host(context.origin().host_name(), &principal.tenant).await?;
    }
    let address = context.map(|context| context.client().0);
    control.authority(principal, address).await
}

/// The answer to a method that a path does not have (RFC 9110 §15.5.6).
pub(super) fn method_not_allowed(allowed: &[Method]) -> Route {
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    web::route().to(move || {
        let allowed = allowed.clone();
        async move {
            let problem = Problem::method_not_allowed().with_detail(format!("allowed are {allowed}"));
            let mut response = ProblemResponse::from(problem).into_response();
            if let Ok(value) = allowed.try_into() {
                response.headers_mut().insert(header::ALLOW, value);
            }
            response
        }
    })
}
