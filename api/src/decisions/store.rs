//! The people whom a question may be about, and the things.

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Text};
use tenantry_db::{Connection, DbError, MultiBackend, TenantScope};
use tenantry_types::{TenantId, UserId};

use crate::access::Kept;
use crate::access::policy::{Filter, Rows};
use crate::schema::users;

/// The active people of the tenant after one, in the order of their ids.
pub fn people(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let mut query = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::status.eq("active")))
        .order(users::id.asc())
        .select(users::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// The ids of the things of a kind that a filter finds, after one, in their order.
pub fn ids(
    conn: &mut Connection,
    scope: TenantScope,
    kept: &Kept,
    filter: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<String>, DbError> {
    let after = after.unwrap_or_default().to_owned();
    let query = Ids { table: kept.table, tenant: scope.tenant_id(), rows: filter.to_sql(), after, limit };
    Ok(query.load(conn)?)
}

/// The query for them. Which table it asks is known at run time only.
struct Ids {
    table: &'static str,
    tenant: TenantId,
    rows: Rows,
    after: String,
    limit: i64,
}

impl Query for Ids {
    type SqlType = Text;
}

impl QueryId for Ids {
    type QueryId = ();

    // Each filter is another statement.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<Connection> for Ids {}

impl QueryFragment<MultiBackend> for Ids {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        pass.unsafe_to_cache_prepared();
        pass.push_sql("SELECT ");
        self.column("id", &mut pass)?;
        pass.push_sql(" FROM ");
        pass.push_identifier(self.table)?;
        pass.push_sql(" WHERE ");
        self.column("tenant_id", &mut pass)?;
        pass.push_sql(" = ");
        pass.push_bind_param::<Text, _>(&self.tenant)?;
        pass.push_sql(" AND ");
        self.column("id", &mut pass)?;
        pass.push_sql(" > ");
        pass.push_bind_param::<Text, _>(&self.after)?;
        pass.push_sql(" AND ");
        self.rows.walk_ast(pass.reborrow())?;
        pass.push_sql(" ORDER BY ");
        self.column("id", &mut pass)?;
        pass.push_sql(" LIMIT ");
        pass.push_bind_param::<BigInt, _>(&self.limit)
    }
}

impl Ids {
    fn column(&self, name: &str, pass: &mut AstPass<'_, '_, MultiBackend>) -> QueryResult<()> {
        pass.push_identifier(self.table)?;
        pass.push_sql(".");
        pass.push_identifier(name)
    }
}
