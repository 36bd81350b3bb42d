//! The rows of chains.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope, UpsertDsl as _, each};
use tenantry_types::{TenantId, UtcTime};

use super::model::BatchClaims;
use crate::audit::StoredEntry;
use crate::audit::merkle::Digest;
use crate::schema::{audit_batches, audit_chains, audit_entries, audit_leaves, audit_unsealed};

/// Rows that are written with one statement.
const ROWS: usize = 500;

/// The head of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_chains)]
pub(in crate::audit) struct Chain {
    pub(in crate::audit) batches: i64,
    pub(in crate::audit) entries: i64,
    pub(in crate::audit) head: Option<String>,
    pub(in crate::audit) pruned_batches: i64,
    pub(in crate::audit) pruned_entries: i64,
    pub(in crate::audit) pruning: Option<String>,
}

/// A batch as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_batches)]
pub(in crate::audit) struct BatchRow {
    pub(in crate::audit) number: i64,
    pub(in crate::audit) first_position: i64,
    pub(in crate::audit) size: i64,
    pub(in crate::audit) root: String,
    pub(in crate::audit) previous: Option<String>,
    pub(in crate::audit) hash: String,
    pub(in crate::audit) signature: String,
    pub(in crate::audit) sealed_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = audit_batches, treat_none_as_default_value = false)]
struct NewBatch<'a> {
    tenant_id: TenantId,
    number: i64,
    first_position: i64,
    size: i64,
    root: String,
    previous: Option<String>,
    hash: &'a str,
    signature: &'a str,
    sealed_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = audit_leaves, treat_none_as_default_value = false)]
struct NewLeaf<'a> {
    tenant_id: TenantId,
    position: i64,
    batch: i64,
    entry_id: &'a str,
    leaf_hash: String,
}

/// The next tenants, in the order of their ids, of which entries wait.
pub(super) fn waiting_tenants(
    conn: &mut Connection,
    after: Option<TenantId>,
    most: i64,
) -> Result<Vec<TenantId>, DbError> {
    let mut query = audit_unsealed::table.select(audit_unsealed::tenant_id).distinct().into_boxed();
    if let Some(after) = after {
        query = query.filter(audit_unsealed::tenant_id.gt(after));
    }
    Ok(query.order(audit_unsealed::tenant_id.asc()).limit(most).load(conn)?)
}

/// The head of the chain of a tenant.
pub(in crate::audit) fn chain(conn: &mut Connection, scope: TenantScope) -> Result<Option<Chain>, DbError> {
    let query = audit_chains::table.filter(audit_chains::tenant_id.eq(scope.tenant_id()));
    Ok(query.select(Chain::as_select()).first(conn).optional()?)
}

/// The head of the chain, locked to the end of the transaction: who has it is the one replica that appends. `None` when
/// another has it.
pub(super) fn lock_chain(conn: &mut Connection, scope: TenantScope, now: UtcTime) -> Result<Option<Chain>, DbError> {
    if let Some(chain) = try_lock(conn, scope)? {
        return Ok(Some(chain));
    }
    if chain(conn, scope)?.is_some() {
        return Ok(None);
    }
    let row = (
        audit_chains::tenant_id.eq(scope.tenant_id()),
        audit_chains::batches.eq(0_i64),
        audit_chains::entries.eq(0_i64),
        audit_chains::head.eq(None::<String>),
        audit_chains::pruned_batches.eq(0_i64),
        audit_chains::pruned_entries.eq(0_i64),
        audit_chains::pruning.eq(None::<String>),
        audit_chains::updated_at.eq(now),
    );
    diesel::insert_into(audit_chains::table)
        .values(row)
        .upsert(audit_chains::tenant_id, audit_chains::tenant_id.eq(scope.tenant_id()))
        .execute(conn)?;
    try_lock(conn, scope)
}

fn try_lock(conn: &mut Connection, scope: TenantScope) -> Result<Option<Chain>, DbError> {
    let query = audit_chains::table.filter(audit_chains::tenant_id.eq(scope.tenant_id()));
    Ok(query.select(Chain::as_select()).lock_rows_skipping().get_result(conn).optional()?)
}

/// The first entries of those that wait, in the order of their ids.
pub(super) fn waiting(conn: &mut Connection, scope: TenantScope, most: i64) -> Result<Vec<StoredEntry>, DbError> {
    Ok(audit_unsealed::table
        .inner_join(audit_entries::table.on(
            audit_entries::id.eq(audit_unsealed::entry_id).and(audit_entries::tenant_id.eq(audit_unsealed::tenant_id)),
        ))
        .filter(audit_unsealed::tenant_id.eq(scope.tenant_id()))
        .order(audit_unsealed::entry_id.asc())
        .limit(most)
        .select(StoredEntry::as_select())
        .load(conn)?)
}

/// Appends a batch to the chain, whose head has to be locked: the batch, the links of its entries, the head.
pub(super) fn append(
    conn: &mut Connection,
    scope: TenantScope,
    claims: &BatchClaims,
    signature: &str,
    leaves: &[(String, Digest)],
) -> Result<(), DbError> {
    let tenant_id = scope.tenant_id();
    let hash = Digest::of(signature.as_bytes()).to_string();
    let batch = NewBatch {
        tenant_id,
        number: claims.number,
        first_position: claims.first,
        size: claims.size,
        root: claims.root.to_string(),
        previous: claims.previous.as_ref().map(ToString::to_string),
        hash: &hash,
        signature,
        sealed_at: claims.sealed_at,
    };
    diesel::insert_into(audit_batches::table).values(batch).execute(conn)?;
    let rows: Vec<NewLeaf<'_>> = leaves
        .iter()
        .zip(claims.first..)
        .map(|((entry_id, leaf), position)| NewLeaf {
            tenant_id,
            position,
            batch: claims.number,
            entry_id,
            leaf_hash: leaf.to_string(),
        })
        .collect();
    for rows in rows.chunks(ROWS) {
        each!(conn, c => diesel::insert_into(audit_leaves::table).values(rows).execute(c))?;
    }
    for leaves in leaves.chunks(ROWS) {
        let ids = leaves.iter().map(|(id, _)| id.as_str());
        diesel::delete(audit_unsealed::table)
            .filter(audit_unsealed::tenant_id.eq(tenant_id).and(audit_unsealed::entry_id.eq_any(ids)))
            .execute(conn)?;
    }
    diesel::update(audit_chains::table.filter(audit_chains::tenant_id.eq(tenant_id)))
        .set((
            audit_chains::batches.eq(claims.number + 1),
            audit_chains::entries.eq(claims.first + claims.size),
            audit_chains::head.eq(Some(hash)),
            audit_chains::updated_at.eq(claims.sealed_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The batches from a number on, in order.
pub(in crate::audit) fn batches_from(
    conn: &mut Connection,
    scope: TenantScope,
    from: i64,
    most: i64,
) -> Result<Vec<BatchRow>, DbError> {
    Ok(audit_batches::table
        .filter(audit_batches::tenant_id.eq(scope.tenant_id()).and(audit_batches::number.ge(from)))
        .order(audit_batches::number.asc())
        .limit(most)
        .select(BatchRow::as_select())
        .load(conn)?)
}

/// The next tenants whose oldest batch with entries was sealed before a time.
pub(super) fn due_for_pruning(
    conn: &mut Connection,
    before: UtcTime,
    after: Option<TenantId>,
    most: i64,
) -> Result<Vec<TenantId>, DbError> {
    let mut query = audit_chains::table
        .inner_join(
            audit_batches::table.on(audit_batches::tenant_id
                .eq(audit_chains::tenant_id)
                .and(audit_batches::number.eq(audit_chains::pruned_batches))),
        )
        .filter(audit_batches::sealed_at.lt(before))
        .select(audit_chains::tenant_id)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(audit_chains::tenant_id.gt(after));
    }
    Ok(query.order(audit_chains::tenant_id.asc()).limit(most).load(conn)?)
}

/// Removes the sealed entries before a position, and their links. How many entries went.
pub(super) fn remove_entries(
    conn: &mut Connection,
    scope: TenantScope,
    from: i64,
    before: i64,
) -> Result<usize, DbError> {
    let tenant_id = scope.tenant_id();
    let range = || {
        audit_leaves::tenant_id
            .eq(tenant_id)
            .and(audit_leaves::position.ge(from))
            .and(audit_leaves::position.lt(before))
    };
    let ids: Vec<String> = audit_leaves::table.filter(range()).select(audit_leaves::entry_id).load(conn)?;
    diesel::delete(audit_leaves::table.filter(range())).execute(conn)?;
    let mut gone = 0;
    for ids in ids.chunks(ROWS) {
        gone += diesel::delete(audit_entries::table)
            .filter(audit_entries::tenant_id.eq(tenant_id).and(audit_entries::id.eq_any(ids)))
            .execute(conn)?;
    }
    Ok(gone)
}

/// Writes down what retention has removed.
pub(super) fn set_pruned(
    conn: &mut Connection,
    scope: TenantScope,
    batches: i64,
    entries: i64,
    signed: &str,
    now: UtcTime,
) -> Result<(), DbError> {
    diesel::update(audit_chains::table.filter(audit_chains::tenant_id.eq(scope.tenant_id())))
        .set((
            audit_chains::pruned_batches.eq(batches),
            audit_chains::pruned_entries.eq(entries),
            audit_chains::pruning.eq(Some(signed)),
            audit_chains::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// The next chains with batches, by the ids of their tenants.
pub(super) fn chains(
    conn: &mut Connection,
    after: Option<TenantId>,
    most: i64,
) -> Result<Vec<(TenantId, Chain)>, DbError> {
    let mut query = audit_chains::table
        .filter(audit_chains::batches.gt(0))
        .select((audit_chains::tenant_id, Chain::as_select()))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(audit_chains::tenant_id.gt(after));
    }
    Ok(query.order(audit_chains::tenant_id.asc()).limit(most).load(conn)?)
}
