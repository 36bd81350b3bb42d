//! AuthZEN Authorization API 1.0: other services ask what somebody may do.
//!
//! The subject is a person of the caller's tenant (`user`); the type of the resource is a kind of the catalogue, and its
//! properties are its attributes; the context is the surroundings (`env.*`). What this service knows of people, and of things
//! that are kept here, it does not let others say: properties of the subject are not looked at, and those of such a
//! resource count only where nothing is known. Resources are searched for among those that are kept here.

mod evaluate;
mod message;
pub mod routes;
pub mod search;

use crate::access::{Access, Permission, Routes};

/// To ask for decisions about everybody of the tenant.
pub const EVALUATE: Permission = Permission::new("access.evaluate");

/// Where this service is reached: what the addresses of its endpoints begin with.
#[derive(Debug, Clone)]
pub struct PublicAddress(pub String);

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes
        .get("/.well-known/authzen-configuration", Access::Public, routes::show_metadata)
        .post("/access/v1/evaluation", Access::Permission(EVALUATE), routes::evaluate)
        .post("/access/v1/evaluations", Access::Permission(EVALUATE), routes::evaluate_several)
        .post("/access/v1/search/subject", Access::Permission(EVALUATE), search::subjects)
        .post("/access/v1/search/action", Access::Permission(EVALUATE), search::actions)
        .post("/access/v1/search/resource", Access::Permission(EVALUATE), search::resources);
}
