//! A path and its methods.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::{Method, header};
use actix_web::{FromRequest, Handler, Resource, Responder, web};
use tenantry_types::Problem;

use super::ProblemResponse;

/// A path that answers some methods, and every other with a 405 that says which (RFC 9110 §15.5.6).
///
/// ```
/// # async fn list() -> &'static str { "" }
/// # async fn create() -> &'static str { "" }
/// let bookings = tenantry_web::problems::endpoint("/bookings").get(list).post(create);
/// ```
#[must_use = "a path is answered only when it is given to a ServiceConfig"]
pub struct Endpoint {
    resource: Resource,
    methods: Vec<Method>,
}

/// An endpoint at `path`, to which methods are then added.
pub fn endpoint(path: &str) -> Endpoint {
    Endpoint { resource: web::resource(path), methods: Vec::new() }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $($method:ident)|+;)*) => {
        impl Endpoint {$(
            $(#[$doc])*
            pub fn $name<F, A>(self, handler: F) -> Self
            where
                F: Handler<A>,
                A: FromRequest + 'static,
                F::Output: Responder + 'static,
            {
                self.on(&[$(Method::$method),+], handler)
            }
        )*}
    };
}

methods! {
    /// Answers GET, and HEAD with the same header section.
    get = GET | HEAD;
    /// Answers POST.
    post = POST;
    /// Answers PUT.
    put = PUT;
    /// Answers PATCH.
    patch = PATCH;
    /// Answers DELETE.
    delete = DELETE;
}

impl Endpoint {
    /// The resource beneath, complete, to wrap it or give it data of its own.
    pub fn into_resource(self) -> Resource {
        let allow = self.methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let not_allowed = move || {
            let allow = allow.clone();
            async move {
                let problem = Problem::method_not_allowed().with_detail(format!("allowed are {allow}"));
                let mut response = ProblemResponse::from(problem).into_response();
                if let Ok(allow) = allow.try_into() {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                response
            }
        };
        self.resource.default_service(web::route().to(not_allowed))
    }

    fn on<F, A>(mut self, methods: &[Method], handler: F) -> Self
    where
        F: Handler<A>,
        A: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.methods.extend_from_slice(methods);
        self.resource = self.resource.route(web::route().guard(OneOf(methods.to_vec())).to(handler));
        self
    }
}

/// Lets a request of one of these methods through.
struct OneOf(Vec<Method>);

impl Guard for OneOf {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        self.0.contains(&context.head().method)
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, services: &mut AppService) {
        self.into_resource().register(services);
    }
}
