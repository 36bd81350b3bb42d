//! A request that changes something: who, from where, under which key, and the one transaction that does it.
//!
//! Every handler that writes takes a [`Change`] and hands it what is to be done. The tenant's row is locked first, so that
//! writers of one tenant come one after the other; a repeat of the request gets the first answer again; what the work
//! [`records`](Work::record), [`tells`](Work::tell) and [`signals`](Work::signal) is committed with it, or not at all.

mod request;
mod tenant_row;
mod work;

pub use request::Change;
pub use tenant_row::{TenantTold, keep_tenant, lock_tenant, tenant_is};
pub use work::Work;
