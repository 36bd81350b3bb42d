//! The table of routes: every one with what it needs.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::dev::ServiceRequest;
use actix_web::guard::{Guard, GuardContext};
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Resource, Responder};
use tenantry_web::cors;
use tenantry_web::rate_limit::{self, RateLimiter};

use super::kinds::{Kind, Kinds};
use super::{AllowedOrigins, Module, Permission, guard, origins};

/// What a route needs of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Nothing: anybody may call it. Each is on the list of a test, which may only shrink.
    Public,
    /// A good access token, of whatever scope.
    Authenticated,
    /// This permission, whatever it is done to: of what it is done to nothing is known yet when it is asked for.
    Permission(Permission),
    /// This permission on something. Only those are refused who may do it to nothing at all: the handler asks
    /// [`Authority::check`](super::Authority::check) about what it finds, or lists what
    /// [`Authority::filter`](super::Authority::filter) lets through.
    Some(Permission),
}

/// One route.
pub struct Route {
    /// Its method.
    pub method: Method,
    /// Its path, with `{names}` for what varies.
    pub path: &'static str,
    /// What it needs.
    pub access: Access,
    /// The part of the service that it belongs to, if that can be switched off.
    pub module: Option<Module>,
    build: Box<dyn Fn() -> actix_web::Route + Send + Sync>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.access)
    }
}

/// The routes of the service. The only way to add one names what it needs; the guard is put in front of it when the
/// table is registered.
#[derive(Debug, Default)]
pub struct Routes {
    all: Vec<Route>,
    module: Option<Module>,
    kinds: Vec<Kind>,
    besides: Vec<Permission>,
}

impl Routes {
    fn add<F, Args>(&mut self, method: Method, path: &'static str, access: Access, handler: F) -> &mut Self
    where
        F: Handler<Args> + Send + Sync,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let build = Box::new(move || web::route().to(handler.clone()));
        self.all.push(Route { method, path, access, module: self.module, build });
        self
    }

    /// Adds the routes of a module: a tenant that has switched it off does not have them.
    pub fn of_module(&mut self, module: Module, add: impl FnOnce(&mut Self)) -> &mut Self {
        let outer = self.module.replace(module);
        add(self);
        self.module = outer;
        self
    }

    /// Says what policies can know of a kind of things, and what can be done to it besides what routes are for.
    pub fn describe(&mut self, kind: Kind) -> &mut Self {
        self.kinds.push(kind);
        self
    }

    /// A permission that handlers ask for besides that of the route.
    pub fn besides(&mut self, permission: Permission) -> &mut Self {
        self.besides.push(permission);
        self
    }

    /// The kinds of things that are described or that routes are for.
    pub fn kinds(&self) -> Kinds {
        let permissions = self.permissions();
        Kinds::new(&self.kinds, permissions.iter().filter_map(|name| name.split_once('.')))
    }

    /// The permissions that the routes and their handlers ask for.
    pub fn permissions(&self) -> BTreeSet<&'static str> {
        let permissions = self.all.iter().filter_map(|route| match route.access {
            Access::Permission(permission) | Access::Some(permission) => Some(permission.as_str()),
            Access::Public | Access::Authenticated => None,
        });
        permissions.chain(self.besides.iter().map(|permission| permission.as_str())).collect()
    }

    /// All routes, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.all.iter()
    }

    /// Registers every route, its guard in front of it. Another method on a path that is there gets a 405. Scripts of
    /// other origins may call what is below `/api`, as `origins` says, and nothing else. Requests are counted there, where
    /// decisions are asked for, and where they make this service call the identity provider for somebody unknown; what is
    /// pushed here by `pushes`, so that nobody else's requests hold it up.
    pub fn register(
        &self,
        services: &mut ServiceConfig,
        origins: &AllowedOrigins,
        limiter: &RateLimiter,
        pushes: &RateLimiter,
    ) {
        let counted = || {
            let (limiter, pushes) = (limiter.clone(), pushes.clone());
            from_fn(move |request: ServiceRequest, next| {
                let by = if PUSHED.contains(&request.path()) { &pushes } else { &limiter };
                rate_limit::limit(by.clone(), request, next)
            })
        };
        let mut by_path: BTreeMap<&'static str, Vec<&Route>> = BTreeMap::new();
        for route in &self.all {
            by_path.entry(route.path).or_default().push(route);
        }
        let mut api = web::scope(API);
        for (path, routes) in by_path {
            match path.strip_prefix(API) {
                Some(rest) => api = api.service(resource(rest, &routes)),
                None if SIGN_IN.contains(&path) || path.starts_with(DECISIONS) => {
                    services.service(resource(path, &routes).wrap(counted()));
                }
                None => {
                    services.service(resource(path, &routes));
                }
            }
        }
        // Within CORS, so that a script can read how long it has to wait. Preflights, which cost nothing, do not count.
        let callers = origins.clone();
        let cors = cors::by_origin(move |_, origin| callers.may_call(origin));
        let readers = origins.clone();
        let readable = from_fn(move |request, next| origins::only_of_tenant(readers.clone(), request, next));
        services.service(api.wrap(counted()).wrap(cors).wrap(readable));
    }
}

macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident = $method:ident;)*) => {
        impl Routes {$(
            $(#[$doc])*
            pub fn $name<F, Args>(&mut self, path: &'static str, access: Access, handler: F) -> &mut Self
            where
                F: Handler<Args> + Send + Sync,
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

/// What is for programs.
const API: &str = "/api";

/// What other services push here, which proves itself.
const PUSHED: [&str; 1] = ["/api/v1/security-events"];

/// What calls the identity provider for somebody who is not known yet.
const SIGN_IN: [&str; 2] = ["/console/sign-in", "/console/callback"];

/// Where other services ask for decisions.
const DECISIONS: &str = "/access/";

fn resource(path: &str, routes: &[&Route]) -> Resource {
    let mut resource = web::resource(path);
    let mut allowed = Vec::new();
    for route in routes {
        let methods = answered_by(&route.method);
        resource =
            resource.route(guard::guarded((route.build)(), route.access, route.module).guard(OneOf(methods.clone())));
        allowed.extend(methods);
    }
    allowed.push(Method::OPTIONS);
    let options = options(&allowed);
    resource.route(options).default_service(guard::method_not_allowed(&allowed))
}

/// Says which methods a path has (RFC 9110 §9.3.7). What is a preflight of CORS does not come here.
fn options(allowed: &[Method]) -> actix_web::Route {
    let allowed = allowed.iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    web::route().method(Method::OPTIONS).to(move || {
        let answer = HttpResponse::NoContent().insert_header((ALLOW, allowed.as_str())).finish();
        async move { answer }
    })
}

/// The methods that a route for this one answers (RFC 9110 §9.3.2).
fn answered_by(method: &Method) -> Vec<Method> {
    if *method == Method::GET { vec![Method::GET, Method::HEAD] } else { vec![method.clone()] }
}

/// Lets a request of one of these methods through.
struct OneOf(Vec<Method>);

impl Guard for OneOf {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        self.0.contains(&context.head().method)
    }
}
