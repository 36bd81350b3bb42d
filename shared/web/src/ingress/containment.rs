//! The innermost layer around the routes: keeps a request that was refused from them, and keeps a handler that
//! hangs or panics from taking its connection along.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::rt::time::{Instant, Sleep, sleep};
use actix_web::{Error, HttpMessage as _};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use pin_project_lite::pin_project;
use tenantry_types::Problem;

use super::RequestContext;
use crate::problems::ProblemResponse;
use crate::telemetry::Cause;

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Containment {
    pub(crate) request_timeout: Duration,
}

impl<S, B> Transform<S, ServiceRequest> for Containment
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = ContainmentService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(ContainmentService { service, request_timeout: self.request_timeout }))
    }
}

#[derive(Debug)]
pub(crate) struct ContainmentService<S> {
    service: S,
    request_timeout: Duration,
}

impl<S, B> Service<ServiceRequest> for ContainmentService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let context = request.extensions().get::<Rc<RequestContext>>().cloned();
        if let Some(problem) = context.as_ref().and_then(|context| context.refusal.clone()) {
            let response = request.into_response(ProblemResponse::from(problem).into_response());
            return Box::pin(ready(Ok(response.map_into_right_body())));
        }
        let handler = self.service.call(request);
        let contained = Contained { handler, timer: None, timeout: self.request_timeout, context };
        Box::pin(async move {
            match contained.await {
                Outcome::Answered(result) => result.map(ServiceResponse::map_into_left_body),
                Outcome::TimedOut => {
                    Err(Failure { problem: Problem::unavailable(), cause: Cause::text("the handler timed out") }.into())
                }
                // The panic hook has logged it, with its place.
                Outcome::Panicked => {
                    Err(Failure { problem: Problem::internal(), cause: Cause::logged_before() }.into())
                }
            }
        })
    }
}

pin_project! {
    /// Polls a handler with a net under it. The timer is made only for a handler that waits for something.
    struct Contained<F> {
        #[pin]
        handler: F,
        timer: Option<Pin<Box<Sleep>>>,
        timeout: Duration,
        context: Option<Rc<RequestContext>>,
    }
}

enum Outcome<T> {
    Answered(T),
    TimedOut,
    Panicked,
}

impl<F: Future> Future for Contained<F> {
    type Output = Outcome<F::Output>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Unwind safety: the future is dropped after a panic and never polled again.
        match catch_unwind(AssertUnwindSafe(|| this.handler.poll(cx))) {
            Err(_) => return Poll::Ready(Outcome::Panicked),
            Ok(Poll::Ready(output)) => return Poll::Ready(Outcome::Answered(output)),
            Ok(Poll::Pending) => {}
        }
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep(*this.timeout)));
        while timer.as_mut().poll(cx).is_ready() {
            let left = this.context.as_ref().map(|c| c.more_time.get().saturating_sub(c.started.elapsed()));
            match left.filter(|left| !left.is_zero()) {
                Some(left) => timer.as_mut().reset(Instant::now() + left),
                None => return Poll::Ready(Outcome::TimedOut),
            }
        }
        Poll::Pending
    }
}

/// A request that ended without an answer from its handler.
#[derive(Debug)]
struct Failure {
    problem: Problem,
    cause: Cause,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.problem.title)
    }
}

impl actix_web::ResponseError for Failure {
    fn status_code(&self) -> actix_web::http::StatusCode {
        ProblemResponse::from(self.problem.clone()).status()
    }

    fn error_response(&self) -> actix_web::HttpResponse<BoxBody> {
        let mut response = ProblemResponse::from(self.problem.clone()).into_response();
        self.cause.clone().attach_to(&mut response);
        response
    }
}
