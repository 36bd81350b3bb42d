//! One piece of a chain: some batches, and the entries in them.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_jose::KeySet;
use tenantry_types::UtcTime;

use super::findings::{FindingKind, Findings, Place};
use super::store::{self, LeafRow};
use crate::audit::StoredEntry;
use crate::audit::chain::store::{BatchRow, batches_from};
use crate::audit::chain::{BatchClaims, statement};
use crate::audit::merkle::{Digest, Tree};

/// How many entries are read at once, as long as one batch has no more.
const ENTRIES: i64 = 2_048;
/// A batch that says that it has more is not one of ours.
const LARGEST: i64 = 65_536;

/// Some batches of a chain: `from` to before `to`.
pub(super) struct Page {
    pub(super) scope: TenantScope,
    pub(super) keys: KeySet,
    pub(super) from: i64,
    pub(super) to: i64,
    /// The batches before this number have no entries any more.
    pub(super) pruned_batches: i64,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct PageResult {
    pub(super) batches: i64,
    pub(super) entries: i64,
    pub(super) findings: Findings,
    pub(super) end: Option<End>,
}

/// The last batch there is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End {
    pub(super) number: i64,
    pub(super) hash: String,
    /// The position behind its last entry.
    pub(super) positions: i64,
}

/// What a batch holds, as far as it is known.
struct Content {
    number: i64,
    first: i64,
    size: i64,
    root: String,
}

impl Page {
    pub(super) fn verify(&self, conn: &mut Connection) -> Result<PageResult, DbError> {
        let mut result = PageResult::default();
        // With the batch before, which the first one is linked to.
        let begin = (self.from - 1).max(0);
        let rows = batches_from(conn, self.scope, begin, self.to - begin)?;
        let (mut previous, mut contents): (Option<&BatchRow>, Vec<Content>) = (None, Vec::new());
        let mut expected = self.from;
        for row in rows.iter().filter(|row| row.number < self.to) {
            if row.number >= self.from {
                gap(expected, row.number, &mut result.findings);
                expected = row.number + 1;
                contents.extend(self.check_header(row, previous, &mut result.findings));
                result.batches += 1;
            }
            previous = Some(row);
        }
        gap(expected, self.to, &mut result.findings);
        result.end = previous.filter(|last| last.number >= self.from).map(|last| End {
            number: last.number,
            hash: Digest::of(last.signature.as_bytes()).to_string(),
            positions: last.first_position.saturating_add(last.size),
        });
        contents.retain(|content| content.number >= self.pruned_batches);
        let mut rest = contents.as_slice();
        while !rest.is_empty() {
            let (window, others) = rest.split_at(window(rest));
            self.check_entries(conn, window, &mut result)?;
            rest = others;
        }
        Ok(result)
    }

    /// The header is what was signed, and follows the one before it.
    fn check_header(&self, row: &BatchRow, previous: Option<&BatchRow>, findings: &mut Findings) -> Option<Content> {
        let place = || Place::of_batch(row.number);
        let mut content =
            Content { number: row.number, first: row.first_position, size: row.size, root: row.root.clone() };
        if Digest::of(row.signature.as_bytes()).to_string() != row.hash {
            findings.add(FindingKind::BatchChanged, place(), "its hash is not that of its signed header".into());
        }
        match statement::<BatchClaims>(&row.signature, &self.keys) {
            Ok(claims) => {
                if !says_the_same(row, &claims, self.scope) {
                    let detail = "its row says something else than its signed header".to_owned();
                    findings.add(FindingKind::BatchChanged, place(), detail);
                }
                content = Content { first: claims.first, size: claims.size, root: claims.root.to_string(), ..content };
            }
            Err(error) => findings.add(FindingKind::NotSigned, place(), error.to_string()),
        }
        check_link(row, previous, findings);
        let sensible = content.first >= 0 && (1..=LARGEST).contains(&content.size);
        if !sensible {
            findings.add(FindingKind::Unreadable, place(), "it cannot have entries".into());
        }
        sensible.then_some(content)
    }

    /// The entries of some batches are what was sealed.
    fn check_entries(&self, conn: &mut Connection, window: &[Content], result: &mut PageResult) -> Result<(), DbError> {
        let from = window.iter().map(|content| content.first).min().unwrap_or_default();
        let before = window.iter().map(|content| content.first.saturating_add(content.size)).max().unwrap_or_default();
        let found = match store::leaves(conn, self.scope, from, before) {
            Ok(found) => found,
            Err(diesel::result::Error::DeserializationError(error)) => {
                for content in window {
                    let detail = format!("an entry of it, or of one beside it, cannot be read: {error}");
                    result.findings.add(FindingKind::Unreadable, Place::of_batch(content.number), detail);
                }
                return Ok(());
            }
            Err(error) => return Err(error.into()),
        };
        let mut buffer = Vec::new();
        for content in window {
            let begin = found.partition_point(|(leaf, _)| leaf.position < content.first);
            let end = found.partition_point(|(leaf, _)| leaf.position < content.first.saturating_add(content.size));
            check_batch(content, &found[begin..end], &mut buffer, &mut result.findings);
            result.entries += i64::try_from(end - begin).unwrap_or_default();
        }
        Ok(())
    }
}

/// How many of the first of these are read together.
fn window(contents: &[Content]) -> usize {
    let mut entries = 0;
    let fitting = contents.iter().take_while(|content| {
        entries += content.size;
        entries <= ENTRIES
    });
    fitting.count().max(1)
}

fn gap(expected: i64, found: i64, findings: &mut Findings) {
    if expected < found {
        let detail = match found - expected {
            1 => "it is not there".to_owned(),
            _ => format!("it is not there, nor are those up to {}", found - 1),
        };
        findings.add(FindingKind::BatchMissing, Place::of_batch(expected), detail);
    }
}

fn says_the_same(row: &BatchRow, claims: &BatchClaims, scope: TenantScope) -> bool {
    let BatchRow { number, first_position, size, root, previous, hash: _, signature: _, sealed_at } = row;
    let said: (_, i64, i64, i64, String, Option<String>, UtcTime) = (
        claims.tenant_id,
        claims.number,
        claims.first,
        claims.size,
        claims.root.to_string(),
        claims.previous.as_ref().map(ToString::to_string),
        claims.sealed_at,
    );
    said == (scope.tenant_id(), *number, *first_position, *size, root.clone(), previous.clone(), *sealed_at)
}

/// The first batch begins the chain; every other goes on where the one before it ended, and names its hash.
fn check_link(row: &BatchRow, previous: Option<&BatchRow>, findings: &mut Findings) {
    let (hash, first) = match previous {
        Some(previous) if previous.number == row.number - 1 => (
            Some(Digest::of(previous.signature.as_bytes()).to_string()),
            previous.first_position.saturating_add(previous.size),
        ),
        None if row.number == 0 => (None, 0),
        // The one before is missing, which has been said.
        _ => return,
    };
    if row.previous != hash || row.first_position != first {
        findings.add(
            FindingKind::LinkBroken,
            Place::of_batch(row.number),
            "it does not follow the batch before it".into(),
        );
    }
}

/// The tree over the entries of a batch has the root that was signed; if not, which of them is to blame.
fn check_batch(
    content: &Content,
    found: &[(LeafRow, Option<StoredEntry>)],
    buffer: &mut Vec<u8>,
    findings: &mut Findings,
) {
    let mut tree = Tree::default();
    let mut blamed = false;
    let mut next = content.first;
    for (leaf, entry) in found {
        let place = || Place {
            position: Some(leaf.position),
            entry: Some(leaf.entry_id.clone()),
            ..Place::of_batch(content.number)
        };
        for position in next..leaf.position {
            link_missing(content.number, position, findings);
            blamed = true;
        }
        next = leaf.position + 1;
        if leaf.batch != content.number {
            findings.add(FindingKind::LinkChanged, place(), format!("it is linked to batch {}", leaf.batch));
        }
        let Some(entry) = entry else {
            findings.add(FindingKind::EntryMissing, place(), "it is gone".into());
            blamed = true;
            continue;
        };
        let computed = entry.leaf(buffer);
        if computed.to_string() != leaf.leaf_hash {
            findings.add(FindingKind::EntryChanged, place(), "it is not what was sealed".into());
            blamed = true;
        }
        tree.push(computed);
    }
    for position in next..content.first.saturating_add(content.size) {
        link_missing(content.number, position, findings);
        blamed = true;
    }
    if !blamed && tree.root().to_string() != content.root {
        let detail = "its entries are not those that were sealed, or not in their order".to_owned();
        findings.add(FindingKind::BatchDiffers, Place::of_batch(content.number), detail);
    }
}

fn link_missing(batch: i64, position: i64, findings: &mut Findings) {
    let place = Place { position: Some(position), ..Place::of_batch(batch) };
    findings.add(FindingKind::LinkMissing, place, "the link to the entry at this position is gone".into());
}
