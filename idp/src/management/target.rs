//! The tenant that a path names. It must be there, whatever is read of it or changed in it.

use actix_web::HttpResponse;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::TenantId;
use tenantry_web::listing::Query;

use super::{ManagementError, Missing};
use crate::state::Idp;
use crate::tenants::{Tenant, store};

/// The scope for work on a tenant that a caller names.
pub const fn scope_of(tenant: TenantId) -> TenantScope {
    TenantScope::system(tenant, "management API")
}

/// The tenant, locked until the transaction ends.
///
/// # Errors
/// [`ManagementError::NotFound`] when there is none.
pub fn lock(conn: &mut Connection, scope: TenantScope) -> Result<Tenant, ManagementError> {
    store::lock(conn, scope)?.ok_or(ManagementError::NotFound(Missing::Tenant))
}

/// Reads something of the tenant.
///
/// # Errors
/// [`ManagementError::NotFound`] when there is no such tenant; those of `what`.
pub async fn read<T, F>(idp: &Idp, scope: TenantScope, mut what: F) -> Result<T, ManagementError>
where
    F: FnMut(&mut Connection) -> Result<T, DbError> + Send + 'static,
    T: Send + 'static,
{
    let work = move |conn: &mut Connection| -> Result<T, ManagementError> {
        store::find(conn, scope)?.ok_or(ManagementError::NotFound(Missing::Tenant))?;
        Ok(what(conn)?)
    };
    idp.db.read(work).await
}

/// Answers with the page of a list of the tenant that `query` asks for. `rows` gives so many at most after the row with this
/// key, which `key` gives of a row; `view` is what is shown of one.
///
/// # Errors
/// [`ManagementError::Invalid`] when something is wrong with the query; those of [`read`].
pub async fn list<K, T, V>(
    idp: &Idp,
    scope: TenantScope,
    query: Query<'_>,
    mut rows: impl FnMut(&mut Connection, Option<&K>, i64) -> Result<Vec<T>, DbError> + Send + 'static,
    key: impl FnOnce(&T) -> K,
    view: impl FnMut(T) -> V,
) -> Result<HttpResponse, ManagementError>
where
    K: Serialize + DeserializeOwned + Clone + Send + 'static,
    T: Send + 'static,
    V: Serialize,
{
    let page = query.page::<K>().map_err(ManagementError::Invalid)?;
    let (after, most) = (page.after(), page.rows_to_fetch());
    let found = read(idp, scope, move |conn| rows(conn, after.as_ref(), most)).await?;
    Ok(page.answer(found, key, view))
}
