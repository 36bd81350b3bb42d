//! What verification reads.

use diesel::dsl::{exists, not};
use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::TenantId;

use super::findings::{FindingKind, Findings, Place};
use crate::audit::StoredEntry;
use crate::schema::{audit_batches, audit_entries, audit_leaves, audit_unsealed, tenants};

/// The most entries of one kind that are listed when they are not where they should be.
const LISTED: i64 = 100;

/// The next tenants with their short names, in the order of their ids.
pub(super) fn tenants(
    conn: &mut Connection,
    only: Option<TenantId>,
    after: Option<TenantId>,
    most: i64,
) -> Result<Vec<(TenantId, String)>, DbError> {
    let mut query = tenants::table.select((tenants::id, tenants::slug)).into_boxed();
    if let Some(only) = only {
        query = query.filter(tenants::id.eq(only));
    }
    if let Some(after) = after {
        query = query.filter(tenants::id.gt(after));
    }
    Ok(query.order(tenants::id.asc()).limit(most).load(conn)?)
}

/// The tenants of this id or short name; more than one when a short name has been given twice.
///
/// # Errors
/// [`DbError`].
pub fn find_tenants(conn: &mut Connection, name: &str) -> Result<Vec<TenantId>, DbError> {
    let query = tenants::table.filter(tenants::slug.eq(name).or(tenants::id.eq(name)));
    Ok(query.select(tenants::id).limit(2).load(conn)?)
}

/// How much there is of a chain, whatever its head says.
pub(super) struct Extent {
    pub(super) batches: i64,
    pub(super) last_batch: Option<i64>,
    pub(super) last_position: Option<i64>,
}

pub(super) fn extent(conn: &mut Connection, scope: TenantScope) -> Result<Extent, DbError> {
    let batches = audit_batches::table.filter(audit_batches::tenant_id.eq(scope.tenant_id()));
    let leaves = audit_leaves::table.filter(audit_leaves::tenant_id.eq(scope.tenant_id()));
    Ok(Extent {
        batches: batches.count().get_result(conn)?,
        last_batch: batches.select(diesel::dsl::max(audit_batches::number)).get_result(conn)?,
        last_position: leaves.select(diesel::dsl::max(audit_leaves::position)).get_result(conn)?,
    })
}

/// The link between a position of the chain and an entry.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_leaves)]
pub(super) struct LeafRow {
    pub(super) position: i64,
    pub(super) batch: i64,
    pub(super) entry_id: String,
    pub(super) leaf_hash: String,
}

/// The links of some positions in order, each with its entry.
pub(super) fn leaves(
    conn: &mut Connection,
    scope: TenantScope,
    from: i64,
    before: i64,
) -> QueryResult<Vec<(LeafRow, Option<StoredEntry>)>> {
    audit_leaves::table
        .left_join(
            audit_entries::table.on(audit_entries::id
                .eq(audit_leaves::entry_id)
                .and(audit_entries::tenant_id.eq(audit_leaves::tenant_id))),
        )
        .filter(
            audit_leaves::tenant_id
                .eq(scope.tenant_id())
                .and(audit_leaves::position.ge(from))
                .and(audit_leaves::position.lt(before)),
        )
        .order(audit_leaves::position.asc())
        .select((LeafRow::as_select(), Option::<StoredEntry>::as_select()))
        .load(conn)
}

/// What is not where it should be.
pub(super) struct Strays {
    pub(super) waiting: i64,
    not_sealed: Vec<String>,
    twice: Vec<String>,
    left_over: Vec<i64>,
}

pub(super) fn strays(
    conn: &mut Connection,
    scope: TenantScope,
    pruned: i64,
    last: Option<i64>,
) -> Result<Strays, DbError> {
    let tenant_id = scope.tenant_id();
    let waiting = audit_unsealed::table.filter(audit_unsealed::tenant_id.eq(tenant_id));
    let link = audit_leaves::table
        .filter(audit_leaves::tenant_id.eq(audit_entries::tenant_id).and(audit_leaves::entry_id.eq(audit_entries::id)));
    let place = audit_unsealed::table.filter(
        audit_unsealed::tenant_id.eq(audit_entries::tenant_id).and(audit_unsealed::entry_id.eq(audit_entries::id)),
    );
    // One statement, and so one state of the tables: a sealer moves entries from one to the other meanwhile.
    let not_sealed = audit_entries::table
        .filter(audit_entries::tenant_id.eq(tenant_id))
        .filter(not(exists(link)))
        .filter(not(exists(place)))
        .select(audit_entries::id)
        .limit(LISTED)
        .load(conn)?;
    let twice = audit_unsealed::table
        .inner_join(
            audit_leaves::table.on(audit_leaves::tenant_id
                .eq(audit_unsealed::tenant_id)
                .and(audit_leaves::entry_id.eq(audit_unsealed::entry_id))),
        )
        .filter(audit_unsealed::tenant_id.eq(tenant_id))
        .select(audit_unsealed::entry_id)
        .limit(LISTED)
        .load(conn)?;
    let before = audit_leaves::position.lt(pruned.min(last.map_or(0, |last| last.saturating_add(1))));
    let left_over = audit_leaves::table
        .filter(audit_leaves::tenant_id.eq(tenant_id).and(before.or(audit_leaves::position.lt(0))))
        .select(audit_leaves::position)
        .limit(LISTED)
        .load(conn)?;
    Ok(Strays { waiting: waiting.count().get_result(conn)?, not_sealed, twice, left_over })
}

impl Strays {
    /// Each is a finding.
    pub(super) fn tell(&self, findings: &mut Findings) {
        let of = |entry: &String| Place { entry: Some(entry.clone()), ..Place::default() };
        for entry in &self.not_sealed {
            findings.add(FindingKind::EntryNotSealed, of(entry), "neither sealed nor waiting to be".into());
        }
        for entry in &self.twice {
            findings.add(FindingKind::EntryTwice, of(entry), "sealed, and waiting to be sealed again".into());
        }
        for position in &self.left_over {
            let place = Place { position: Some(*position), ..Place::default() };
            findings.add(FindingKind::LeftOver, place, "retention has removed what was here".into());
        }
    }
}
