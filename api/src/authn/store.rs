//! The issuers of tenants that this service keeps.

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;
use tenantry_db::{Connection, DbError};
use tenantry_types::{DomainName, Slug};

use crate::schema::{tenant_domains, tenants};

/// What an issuer is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// `{provider}/t/{slug}`.
    Slug(Slug),
    /// `https://{host}`.
    Host(DomainName),
}

/// Whether a tenant that is kept here has this name, or has shown that the host is its own.
pub(super) fn is_kept(conn: &mut Connection, named: &Named) -> Result<bool, DbError> {
    let found = match named {
        Named::Slug(slug) => select(exists(tenants::table.filter(tenants::slug.eq(slug)))).get_result(conn)?,
        Named::Host(host) => {
            let of_host = tenant_domains::table.filter(tenant_domains::verified_domain.eq(host));
            select(exists(of_host)).get_result(conn)?
        }
    };
    Ok(found)
}
