//! Where requests are counted.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest};

use super::limiter::{RateLimiter, Tab};
use super::{Caller, RateLimited};
use crate::ingress::RequestContext;

/// What has been counted for a request, kept with it.
struct Open {
    limiter: RateLimiter,
    tab: RefCell<Tab>,
}

/// Goes around a scope or a resource: counts requests by address before anything else is done for them, takes note of
/// what is refused, and says on every answer where the caller stands.
///
/// What counts as refused: 401, 403, 422, and 404 for a path that names something by an id.
///
/// # Errors
/// [`RateLimited`], or what comes from inside.
pub async fn limit<B: MessageBody>(
    limiter: RateLimiter,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    // Outside of a server of ours nobody knows the address.
    let context = limiter.is_enabled().then(|| RequestContext::of(request.request())).flatten();
    let Some(context) = context else { return next.call(request).await };
    let open = Rc::new(Open { limiter, tab: RefCell::default() });
    let arrived = open.limiter.arrived(&mut open.tab.borrow_mut(), context.client().0);
    let result = match arrived {
        Ok(()) => {
            request.extensions_mut().insert(Rc::clone(&open));
            next.call(request).await
        }
        Err(refusal) => Err(refusal.into()),
    };
    let refused = match &result {
        Ok(response) => is_refusal(response.status(), || names_an_id(response)),
        Err(error) => is_refusal(error.as_response_error().status_code(), || false),
    };
    let tab = open.tab.take();
    open.limiter.answered(&tab, refused).await;
    match result {
        Ok(mut response) => {
            tab.write_to(response.headers_mut(), open.limiter.policies());
            Ok(response)
        }
        Err(mut error) => {
            error.add_response_mapper(move |mut response| {
                tab.write_to(response.headers_mut(), open.limiter.policies());
                response
            });
            Err(error)
        }
    }
}

/// Counts `request` for its caller, as soon as it is known who that is. Does nothing where [`limit`] does not go around.
///
/// # Errors
/// [`RateLimited`].
pub async fn identified(request: &HttpRequest, caller: Caller<'_>) -> Result<(), RateLimited> {
    let open = request.extensions().get::<Rc<Open>>().cloned();
    let Some(open) = open else { return Ok(()) };
    // Taken out while others may be waited for, so that nothing is borrowed meanwhile.
    let mut tab = open.tab.take();
    let counted = open.limiter.identified(&mut tab, &caller).await;
    open.tab.replace(tab);
    counted
}

/// Takes `request` back from the counts, because it proved itself. Does nothing where [`limit`] does not go around.
pub fn forgive(request: &HttpRequest) {
    if let Some(open) = request.extensions().get::<Rc<Open>>() {
        open.limiter.forgive(&mut open.tab.borrow_mut());
    }
}

fn is_refusal(status: StatusCode, names_an_id: impl FnOnce() -> bool) -> bool {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::UNPROCESSABLE_ENTITY => true,
        StatusCode::NOT_FOUND => names_an_id(),
        _ => false,
    }
}

fn names_an_id<B>(response: &ServiceResponse<B>) -> bool {
    response.request().match_pattern().is_some_and(|pattern| pattern.contains('{'))
}
