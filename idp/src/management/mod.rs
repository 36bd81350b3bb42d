//! The management API, `/admin/v1`: tenants, their domains, people, their sessions, members and clients, for programs of the operator.
//!
//! It lives at the provider's own address and takes access tokens of clients of platform tenants. Whoever creates something
//! chooses its id, so that asking again after an answer was lost gives the same thing and not a second one. One folder per
//! resource; a route cannot be registered without saying which scope it needs: see [`Routes`].

mod access;
pub mod clients;
pub mod domains;
mod error;
pub mod input;
pub mod members;
mod openapi;
mod reply;
pub mod sessions;
mod table;
pub mod target;
pub mod tenants;
pub mod users;

use actix_web::web::{Data, ServiceConfig};
use tenantry_db::{Connection, DbError};
use tenantry_types::PublicUrl;

pub use access::Caller;
pub use error::{ManagementError, Missing};
pub use openapi::{Document, document};
pub use table::{Access, Route, Routes};

use crate::fault::Fault;
use crate::state::Idp;

/// What every path of it begins with.
pub const BASE: &str = "/admin/v1";

/// All routes, with what each needs.
pub fn routes() -> Routes {
    let mut routes = Routes::default();
    tenants::routes::configure(&mut routes);
    domains::routes::configure(&mut routes);
    users::routes::configure(&mut routes);
    members::routes::configure(&mut routes);
    sessions::routes::configure(&mut routes);
    clients::routes::configure(&mut routes);
    openapi::configure(&mut routes);
    routes
}

/// Registers the routes and their description.
pub fn configure(services: &mut ServiceConfig, public_url: &PublicUrl) {
    let routes = routes();
    services.app_data(Data::new(document(&routes, public_url)));
    routes.register(services);
}

/// Runs a change, and once more when somebody made the same thing at the same moment: the second time it is there. An id
/// that is still not to be had belongs to something else.
async fn converge<T, F>(idp: &Idp, work: F) -> Result<T, ManagementError>
where
    F: FnMut(&mut Connection) -> Result<T, ManagementError> + Clone + Send + 'static,
    T: Send + 'static,
{
    let raced =
        |error: &ManagementError| matches!(error, ManagementError::Fault(Fault::Database(DbError::Conflict { .. })));
    match idp.change(work.clone()).await {
        Err(error) if raced(&error) => match idp.change(work).await {
            Err(error) if raced(&error) => Err(ManagementError::IdTaken(vec!["/id".to_owned()])),
            other => other,
        },
        other => other,
    }
}
