//! The outermost layer of ours: a request gets its context here, an answer its headers, and both are counted.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::{Error, HttpMessage as _};
use futures_util::future::{LocalBoxFuture, Ready, ready};
use tenantry_types::{Random, RandomAhead};

use super::admission::Admission;
use super::finish::Finish;
use super::headers::SecurityHeaders;
use super::{NEEDED, RequestContext};
use crate::config::HttpConfig;
use crate::metrics::{HttpMetrics, WorkerMetrics};
use crate::server::ConnectionState;

/// See the module. Cloned for each worker.
#[derive(Debug, Clone)]
pub(crate) struct Ingress(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    admission: Admission,
    finish: Finish,
    metrics: HttpMetrics,
    random: Arc<dyn Random>,
    /// Whether errors are reported, with the request named.
    reports: bool,
}

impl Ingress {
    pub(crate) fn new(
        config: &HttpConfig,
        problem_base: String,
        random: Arc<dyn Random>,
        metrics: HttpMetrics,
        reports: bool,
    ) -> Self {
        let headers = SecurityHeaders::new(config.public_url.is_https());
        Self(Arc::new(Shared {
            admission: Admission::new(config),
            finish: Finish { headers, problem_base },
            metrics,
            random,
            reports,
        }))
    }
}

impl<S, B> Transform<S, ServiceRequest> for Ingress
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = IngressService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let worker = Rc::new(WorkerMetrics::new(self.0.metrics.clone()));
        let random = RandomAhead::new(Arc::clone(&self.0.random));
        ready(Ok(IngressService { service, shared: Arc::clone(&self.0), worker, random }))
    }
}

#[derive(Debug)]
pub(crate) struct IngressService<S> {
    service: S,
    shared: Arc<Shared>,
    worker: Rc<WorkerMetrics>,
    random: RandomAhead<NEEDED>,
}

impl<S, B> Service<ServiceRequest> for IngressService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let busy = request.conn_data::<ConnectionState>().map(ConnectionState::busy);
        let in_flight = self.worker.begin();
        let context = Rc::new(self.shared.admission.admit(&mut request, self.random.next()));
        if self.shared.reports {
            name_in_reports(&context);
        }
        let method = request.method().clone();
        request.extensions_mut().insert(Rc::clone(&context));
        let answer = context.answer(self.service.call(request));
        let shared = Arc::clone(&self.shared);
        let worker = Rc::clone(&self.worker);
        Box::pin(async move {
            let result = answer.await;
            drop((in_flight, busy));
            let elapsed = context.started.elapsed();
            match result {
                Ok(response) => {
                    let route = response.request().match_pattern();
                    worker.observe(&method, route.as_deref(), response.status(), elapsed);
                    let (request, response) = response.into_parts();
                    Ok(ServiceResponse::new(request, shared.finish.response(&context, response)))
                }
                Err(mut error) => {
                    worker.observe(&method, None, error.as_response_error().status_code(), elapsed);
                    error.add_response_mapper(move |response| {
                        shared.finish.response(&context, response).map_into_boxed_body()
                    });
                    Err(error)
                }
            }
        })
    }
}

fn name_in_reports(context: &RequestContext) {
    sentry::configure_scope(|scope| {
        scope.set_tag("request_id", &context.id);
        scope.set_tag("trace_id", context.trace.trace_id());
    });
}
