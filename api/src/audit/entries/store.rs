//! The queries of those who read the trail.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, rows_before};
use tenantry_types::{AuditId, UtcTime};

use super::model::{BatchView, EntryFilter, EntryView, PlaceView, ProofView, ProvenEntry};
use crate::access::policy::Filter;
use crate::audit::StoredEntry;
use crate::audit::chain::store::{BatchRow, batches_from, chain};
use crate::audit::merkle::{self, Digest};
use crate::schema::{audit_batches, audit_entries, audit_leaves};

/// What names the entry after which a page begins.
pub(super) type EntryKey = (UtcTime, String);

type Found = (StoredEntry, Option<i64>, Option<i64>);

/// Entries, the newest first.
pub(super) fn list(
    conn: &mut Connection,
    scope: TenantScope,
    filter: &EntryFilter,
    visible: &Filter,
    after: Option<&EntryKey>,
    most: i64,
) -> Result<Vec<EntryView>, DbError> {
    let mut query =
        audit_entries::table
            .left_join(audit_leaves::table.on(
                audit_leaves::tenant_id.eq(audit_entries::tenant_id).and(audit_leaves::entry_id.eq(audit_entries::id)),
            ))
            .filter(audit_entries::tenant_id.eq(scope.tenant_id()))
            .filter(visible.to_sql())
            .select((StoredEntry::as_select(), audit_leaves::batch.nullable(), audit_leaves::position.nullable()))
            .into_boxed();
    if let Some(actor) = &filter.actor {
        query = query
            .filter(audit_entries::actor_id.eq(actor).or(audit_entries::acting_party_id.eq(actor).assume_not_null()));
    }
    if let Some(action) = &filter.action {
        query = query.filter(audit_entries::action.eq(action));
    }
    if let Some(kind) = &filter.target_kind {
        query = query.filter(audit_entries::target_kind.eq(kind));
    }
    if let Some(id) = &filter.target_id {
        query = query.filter(audit_entries::target_id.eq(id));
    }
    if let Some(id) = &filter.request_id {
        query = query.filter(audit_entries::request_id.eq(id));
    }
    if let Some(from) = filter.from {
        query = query.filter(audit_entries::occurred_at.ge(from));
    }
    if let Some(to) = filter.to {
        query = query.filter(audit_entries::occurred_at.lt(to));
    }
    if let Some((time, id)) = after {
        query = query.filter(rows_before!(audit_entries::occurred_at, *time, audit_entries::id, id));
    }
    let rows: Vec<Found> =
        query.order((audit_entries::occurred_at.desc(), audit_entries::id.desc())).limit(most).load(conn)?;
    Ok(rows.into_iter().map(|(entry, batch, position)| EntryView::new(entry, place(batch, position))).collect())
}

/// The entries with these ids, without their places in the chain.
pub(super) fn with_ids(conn: &mut Connection, scope: TenantScope, ids: &[String]) -> Result<Vec<EntryView>, DbError> {
    let rows: Vec<StoredEntry> = audit_entries::table
        .filter(audit_entries::tenant_id.eq(scope.tenant_id()).and(audit_entries::id.eq_any(ids)))
        .select(StoredEntry::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|entry| EntryView::new(entry, None)).collect())
}

fn place(batch: Option<i64>, position: Option<i64>) -> Option<PlaceView> {
    batch.zip(position).map(|(batch, position)| PlaceView { batch, position })
}

/// An entry with its proof; `None` when the tenant has no such entry.
pub(super) fn find(conn: &mut Connection, scope: TenantScope, id: AuditId) -> Result<Option<ProvenEntry>, DbError> {
    let entry: Option<StoredEntry> = audit_entries::table
        .filter(audit_entries::tenant_id.eq(scope.tenant_id()).and(audit_entries::id.eq(id)))
        .select(StoredEntry::as_select())
        .first(conn)
        .optional()?;
    let Some(entry) = entry else { return Ok(None) };
    let place: Option<(i64, i64)> = audit_leaves::table
        .filter(audit_leaves::tenant_id.eq(scope.tenant_id()).and(audit_leaves::entry_id.eq(id)))
        .select((audit_leaves::batch, audit_leaves::position))
        .first(conn)
        .optional()?;
    let Some((batch, position)) = place else {
        return Ok(Some(ProvenEntry { entry: EntryView::new(entry, None), proof: None }));
    };
    let leaf = entry.leaf(&mut Vec::new());
    let proof = proof(conn, scope, batch, position, leaf)?;
    Ok(Some(ProvenEntry { entry: EntryView::new(entry, Some(PlaceView { batch, position })), proof }))
}

/// The proof of the entry at a position. It is made of what is stored: whoever has tampered with that gives a proof that
/// does not lead to the signed root.
fn proof(
    conn: &mut Connection,
    scope: TenantScope,
    batch: i64,
    position: i64,
    leaf: Digest,
) -> Result<Option<ProofView>, DbError> {
    let Some(header) = batches_from(conn, scope, batch, 1)?.pop().filter(|found| found.number == batch) else {
        return Ok(None);
    };
    let hashes: Vec<String> = audit_leaves::table
        .filter(audit_leaves::tenant_id.eq(scope.tenant_id()))
        .filter(audit_leaves::position.ge(header.first_position))
        .filter(audit_leaves::position.lt(header.first_position.saturating_add(header.size)))
        .order(audit_leaves::position.asc())
        .select(audit_leaves::leaf_hash)
        .load(conn)?;
    // A proof that leaves something out would prove nothing, and look like one that failed.
    let damaged = || DbError::Invalid(format!("batch {batch} of the audit trail is not whole"));
    let leaves: Result<Vec<Digest>, _> = hashes.iter().map(|hash| hash.parse()).collect();
    let leaves = leaves.map_err(|_| damaged())?;
    let index = position - header.first_position;
    let path = usize::try_from(index).ok().and_then(|index| merkle::proof(&leaves, index)).ok_or_else(damaged)?;
    Ok(Some(ProofView {
        leaf: leaf.to_string(),
        index,
        size: header.size,
        path: path.iter().map(ToString::to_string).collect(),
        root: header.root,
        header: header.signature,
    }))
}

/// Batches, the newest first.
pub(super) fn batches(
    conn: &mut Connection,
    scope: TenantScope,
    before: Option<i64>,
    most: i64,
) -> Result<Vec<BatchView>, DbError> {
    let pruned = chain(conn, scope)?.map_or(0, |chain| chain.pruned_batches);
    let mut query = audit_batches::table
        .filter(audit_batches::tenant_id.eq(scope.tenant_id()))
        .select(BatchRow::as_select())
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(audit_batches::number.lt(before));
    }
    let rows: Vec<BatchRow> = query.order(audit_batches::number.desc()).limit(most).load(conn)?;
    Ok(rows
        .into_iter()
        .map(|row| BatchView {
            number: row.number,
            first: row.first_position,
            size: row.size,
            root: row.root,
            previous: row.previous,
            hash: row.hash,
            header: row.signature,
            sealed_at: row.sealed_at,
            pruned: row.number < pruned,
        })
        .collect())
}
