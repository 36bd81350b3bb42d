//! Lists: the parameters of a request for one page, and the page that answers it.
//!
//! A list is read page by page, by keyset: a page says after which row the next one begins. The cursor that carries this
//! is opaque to the client and sealed with a tag over the list it belongs to (whose it is, its path, its filters), so
//! that it cannot be forged, and not be used for another tenant's list or another search.
//!
//! ```ignore
//! let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
//! let family = query.take("role_family", str::parse);
//! let page = query.page::<(UtcTime, RoleId)>().map_err(RoleError::Invalid)?;
//! let rows = api.db.read(move |conn| store::list(conn, scope, family, page.after(), page.rows_to_fetch())).await?;
//! Ok(page.answer(rows, |role| (role.created_at, role.id)))
//! ```

mod cursor;
mod page;
mod query;

pub use cursor::Cursors;
pub use page::PageRequest;
pub use query::Query;

/// How many entries a page has when the request does not say.
pub const DEFAULT_LIMIT: u32 = 50;
/// How many entries a page has at most.
pub const MAX_LIMIT: u32 = 200;
