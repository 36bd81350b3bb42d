//! The table of routes: every one with what it needs.

use std::collections::BTreeMap;

use actix_web::guard::{Guard, GuardContext};
use actix_web::http::{Method, header};
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, Resource, Responder};
use tenantry_types::Problem;
use tenantry_web::problems::ProblemResponse;

use super::access;

/// What a route needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it. Each is on the list of a test, which may only shrink.
    Public,
    /// An access token with this scope.
    Scope(&'static str),
}

/// To read anything.
pub const READ: Access = Access::Scope("admin.read");
/// To change tenants and their domains.
pub const TENANTS: Access = Access::Scope("admin.tenants");
/// To change people, their roles, memberships and sessions.
pub const USERS: Access = Access::Scope("admin.users");
/// To change clients.
pub const CLIENTS: Access = Access::Scope("admin.clients");

/// One route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}` for what varies.
    pub path: &'static str,
    /// What it needs.
    pub access: Access,
    build: Box<dyn Fn() -> actix_web::Route>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.access)
    }
}

/// The routes. The only way to add one names what it needs; the guard is put in front of it when the table is registered.
#[derive(Debug, Default)]
pub struct Routes(Vec<Route>);

impl Routes {
    fn add<F, Args>(&mut self, method: Method, path: &'static str, access: Access, handler: F) -> &mut Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let build = Box::new(move || web::route().to(handler.clone()));
        self.0.push(Route { method, path, access, build });
        self
    }

    /// All routes, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.0.iter()
    }

    /// Registers every route, its guard in front of it. Another method on a path that is there gets a 405. No script of
    /// another origin is let in: programs of the operator do not run in browsers.
    pub fn register(&self, services: &mut ServiceConfig) {
        let mut by_path: BTreeMap<&'static str, Vec<&Route>> = BTreeMap::new();
        for route in &self.0 {
            by_path.entry(route.path).or_default().push(route);
        }
        for (path, routes) in by_path {
            services.service(resource(path, &routes));
        }
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        impl Routes {$(
            $(#[$doc])*
            pub fn $name<F, Args>(&mut self, path: &'static str, access: Access, handler: F) -> &mut Self
            where
                F: Handler<Args>,
                Args: FromRequest + 'static,
                F::Output: Responder + 'static,
            {
                self.add(Method::$method, path, access, handler)
            }
        )*}
    };
}

methods! {
    /// Adds `GET path`, and `HEAD`, which is answered with the same header section.
    get = GET;
    /// Adds `POST path`.
    post = POST;
    /// Adds `PUT path`.
    put = PUT;
    /// Adds `PATCH path`.
    patch = PATCH;
    /// Adds `DELETE path`.
    delete = DELETE;
}

fn resource(path: &str, routes: &[&Route]) -> Resource {
    let mut resource = web::resource(path);
    let mut allowed = Vec::new();
    for route in routes {
        let methods = answered_by(&route.method);
        resource = resource.route(access::guarded((route.build)(), route.access).guard(OneOf(methods.clone())));
        allowed.extend(methods);
    }
    resource.default_service(method_not_allowed(&allowed))
}

/// The methods that a route for this one answers (RFC 9110 §9.3.2).
fn answered_by(method: &Method) -> Vec<Method> {
    if *method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method.clone()] }
}

/// The answer to a method that a path does not have (RFC 9110 §15.5.6).
fn method_not_allowed(allowed: &[Method]) -> actix_web::Route {
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

/// Lets a request of one of these methods through.
struct OneOf(Vec<Method>);

impl Guard for OneOf {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        self.0.contains(&context.head().method)
    }
}
