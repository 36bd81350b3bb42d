//! All routes of the service. A new feature adds its line here, and its operations to `openapi`.

use crate::access::Routes;
use crate::{console, me, openapi, tenants};

/// The table of routes; `/livez` and `/readyz` are the server's own.
pub fn table() -> Routes {
    let mut routes = Routes::default();
    me::routes::configure(&mut routes);
    tenants::settings::routes::configure(&mut routes);
    openapi::routes::configure(&mut routes);
    console::routes::configure(&mut routes);
    routes
}
