//! What is known about a request before any handler sees it.

use std::cell::Cell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use actix_web::dev::Payload;
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::future::{Ready, ready};
use tenantry_types::Problem;
use tokio::task::futures::TaskLocalFuture;

use super::{ExternalOrigin, RequestId, TraceContext};

/// What is known about a request before any handler sees it. Handlers take the parts as arguments: [`RequestId`],
/// [`TraceContext`], [`ClientAddress`], [`ExternalOrigin`].
#[derive(Debug)]
pub struct RequestContext {
    pub(crate) id: RequestId,
    pub(crate) trace: TraceContext,
    pub(crate) client: ClientAddress,
    pub(crate) origin: ExternalOrigin,
    pub(crate) started: Instant,
    /// Why the request goes no further, if it does not.
    pub(crate) refusal: Option<Problem>,
    /// More time than `http.request_timeout`, if a handler asked for it.
    pub(crate) more_time: Cell<Duration>,
}

tokio::task_local! {
    static CURRENT: Rc<RequestContext>;
}

impl RequestContext {
    /// The headers that carry the trace on, for a request that is made while another is answered; none outside of that.
    pub fn outgoing_trace() -> Vec<(&'static str, String)> {
        CURRENT.try_with(|context| context.trace.outgoing().collect()).unwrap_or_default()
    }

    /// Answers the request of this context in `answer`.
    pub(super) fn answer<F: Future>(self: &Rc<Self>, answer: F) -> TaskLocalFuture<Rc<Self>, F> {
        CURRENT.scope(Rc::clone(self), answer)
    }

    /// The context of `request`; `None` outside of a server of ours.
    pub fn of(request: &HttpRequest) -> Option<Rc<Self>> {
        request.extensions().get::<Rc<Self>>().cloned()
    }

    /// The id of the request.
    pub fn id(&self) -> &RequestId {
        &self.id
    }

    /// The trace of the request.
    pub fn trace(&self) -> &TraceContext {
        &self.trace
    }

    /// Where the request came from.
    pub fn client(&self) -> ClientAddress {
        self.client
    }

    /// Gives the handler this much time in all, where `http.request_timeout` is too short for what it does (a large
    /// import). [`BodyLimits`](crate::problems::BodyLimits) are set apart.
    pub fn allow_time(&self, time: Duration) {
        self.more_time.set(time);
    }

    /// What the client called us.
    pub fn origin(&self) -> &ExternalOrigin {
        &self.origin
    }
}

/// The address of the client: of the connection, or what the trusted proxies say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! from_context {
    ($type:ty, $context:ident => $value:expr) => {
        impl FromRequest for $type {
            type Error = actix_web::Error;
            type Future = Ready<Result<Self, Self::Error>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(match request.extensions().get::<Rc<RequestContext>>() {
                    Some($context) => Ok($value),
                    None => Err(not_ours()),
                })
            }
        }
    };
}

from_context!(RequestId, context => context.id.clone());
from_context!(TraceContext, context => context.trace.clone());
from_context!(ClientAddress, context => context.client);
from_context!(ExternalOrigin, context => context.origin.clone());

fn not_ours() -> actix_web::Error {
    InternalError::new("the request did not come through Ingress", StatusCode::INTERNAL_SERVER_ERROR).into()
}
