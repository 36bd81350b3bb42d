//! What verification finds.

use std::mem;

use serde::Serialize;
use tenantry_types::{TenantId, text_enum};

text_enum! {
    /// What is wrong.
    pub enum FindingKind {
        /// A sealed entry is not what it was.
        EntryChanged = "entry-changed",
        /// A sealed entry is not there any more, or belongs to another tenant.
        EntryMissing = "entry-missing",
        /// The link of a sealed entry is not there any more.
        LinkMissing = "link-missing",
        /// The link of an entry says something else than what was sealed.
        LinkChanged = "link-changed",
        /// The entries of a batch are not those that were sealed, or not in their order.
        BatchDiffers = "batch-differs",
        /// An entry is neither sealed nor waits to be.
        EntryNotSealed = "entry-not-sealed",
        /// An entry is sealed and waits to be.
        EntryTwice = "entry-twice",
        /// Entries that retention has removed are there.
        LeftOver = "left-over",
        /// The header of a batch says something else than what was signed.
        BatchChanged = "batch-changed",
        /// A batch is not there.
        BatchMissing = "batch-missing",
        /// A batch was not signed by this service.
        NotSigned = "not-signed",
        /// A batch does not follow the one before it.
        LinkBroken = "link-broken",
        /// Something cannot be read.
        Unreadable = "unreadable",
        /// The head of the chain is not there.
        HeadMissing = "head-missing",
        /// The head of the chain is not its last batch.
        HeadDisagrees = "head-disagrees",
        /// There is more than the head of the chain knows of.
        BeyondHead = "beyond-head",
        /// Entries are said to be removed by retention, and this service has not signed that.
        PruningNotSigned = "pruning-not-signed",
        /// Entries were removed by retention before their time was over.
        PrunedTooEarly = "pruned-too-early",
        /// There was more at the time of a checkpoint.
        Truncated = "truncated",
        /// There was something else at the time of a checkpoint.
        Rewritten = "rewritten",
        /// A checkpoint was not signed by this service.
        CheckpointNotSigned = "checkpoint-not-signed",
        /// A key in the database was not made by this service.
        StrangeKey = "strange-key",
    }
}

/// Something that is not what it was when it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What is wrong.
    pub kind: FindingKind,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// The same for people.
    pub detail: String,
}

/// Where something was found, as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Place {
    /// In the chain of this tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// The tenant's short name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slug: Option<String>,
    /// In this batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<i64>,
    /// At this position of the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// This entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
}

impl Place {
    pub(super) fn of_batch(number: i64) -> Self {
        Self { batch: Some(number), ..Self::default() }
    }
}

/// What came of a verification.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Report {
    /// Whether nothing was found.
    pub ok: bool,
    /// How many tenants were looked at.
    pub tenants: u64,
    /// How many batches were verified.
    pub batches: i64,
    /// How many entries were verified.
    pub entries: i64,
    /// How many entries wait to be sealed: nothing is known of them yet.
    pub waiting: i64,
    /// How many entries retention has removed.
    pub pruned: i64,
    /// What is wrong, the first of it.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more_findings: u64,
}

/// The most findings that are kept.
const MOST: usize = 1_000;

/// Findings as they are collected, as many as fit.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    more: u64,
    tenant: Option<TenantId>,
    slug: Option<String>,
}

impl Findings {
    /// What is added from now on is about this tenant.
    pub(super) fn of_tenant(&mut self, tenant: TenantId, slug: &str) {
        self.tenant = Some(tenant);
        self.slug = Some(slug.to_owned());
    }

    pub(super) fn add(&mut self, kind: FindingKind, place: Place, detail: String) {
        if self.list.len() >= MOST {
            self.more += 1;
            return;
        }
        let place = Place { tenant: place.tenant.or(self.tenant), slug: place.slug.or(self.slug.clone()), ..place };
        self.list.push(Finding { kind, place, detail });
    }

    pub(super) fn append(&mut self, others: Self) {
        self.more += others.more;
        for Finding { kind, place, detail } in others.list {
            self.add(kind, place, detail);
        }
    }

    /// Takes back what was found missing in the first batches of a tenant.
    pub(super) fn forgive(&mut self, tenant: TenantId, batches: i64) {
        let missing = [FindingKind::EntryMissing, FindingKind::LinkMissing, FindingKind::BatchDiffers];
        self.list.retain(|finding| {
            let early =
                finding.place.tenant == Some(tenant) && finding.place.batch.is_some_and(|batch| batch < batches);
            !(early && missing.contains(&finding.kind))
        });
    }

    pub(super) fn finish(mut self, report: &mut Report) {
        self.list.sort_by_key(|finding| (finding.place.tenant, finding.place.batch, finding.place.position));
        report.findings = mem::take(&mut self.list);
        report.more_findings = self.more;
        report.ok = report.findings.is_empty() && self.more == 0;
    }
}
