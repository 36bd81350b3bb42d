//! All routes of the service. A new feature adds its line here, and its operations to `openapi`.

use crate::access::Routes;
use crate::{
    access, audit, console, decisions, directory, groups, kinds, me, openapi, permissions, policies, roles,
    security_events, sessions, tenants,
};

/// The table of routes; `/livez` and `/readyz` are the server's own.
pub fn table() -> Routes {
    let mut routes = Routes::default();
    me::routes::configure(&mut routes);
    tenants::settings::routes::configure(&mut routes);
    directory::routes::configure(&mut routes);
    permissions::routes::configure(&mut routes);
    roles::routes::configure(&mut routes);
    roles::assignments::routes::configure(&mut routes);
    sessions::routes::configure(&mut routes);
    groups::routes::configure(&mut routes);
    groups::parts::configure(&mut routes);
    security_events::routes::configure(&mut routes);
    access::log::routes::configure(&mut routes);
    audit::entries::routes::configure(&mut routes);
    tenants::routes::configure(&mut routes);
    policies::routes::configure(&mut routes);
    decisions::configure(&mut routes);
    kinds::describe(&mut routes);
    openapi::routes::configure(&mut routes);
    console::routes::configure(&mut routes);
    routes
}
