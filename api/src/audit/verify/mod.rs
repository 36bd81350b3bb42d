//! Verification: whether the sealed entries are what was sealed.
//!
//! Everything is read again and computed again: leaf hashes from the entries, roots from the leaf hashes, the links
//! between batches, the signatures. What is read at once is bounded, and as many parts of a chain are worked on at the
//! same time as there are cores. The service may go on meanwhile: what is appended or pruned while this runs is no finding.

mod checkpoints;
mod findings;
mod page;
mod store;

use std::time::Duration;

use tenantry_db::{Db, DbError, TenantScope};
use tenantry_jose::{KeySet, Keyring};
use tenantry_types::TenantId;
use tokio::task::JoinSet;

pub use findings::{Finding, FindingKind, Report};
pub use store::find_tenants;

use super::chain::store::{BatchRow, Chain, batches_from, chain};
use super::chain::{BatchClaims, CheckpointClaims, PruningClaims, statement};
use super::keys;
use findings::{Findings, Place};
use page::{Page, PageResult};

/// How many tenants are read at once.
const TENANTS: i64 = 100;
/// How many batches are one piece of work.
const PAGE: i64 = 64;
/// A chain that names this many more batches than it has rows is not walked through to its end.
const LONGEST_GAP: i64 = 100_000;
/// More pieces at the same time than this would only take connections away from others.
const MOST_AT_ONCE: usize = 4;

/// What is to be verified.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// One tenant, or all.
    pub tenant: Option<TenantId>,
    /// The number of the batch to begin with. Those before it are taken for good.
    pub since: i64,
    /// Signed checkpoints that the chains have to agree with.
    pub checkpoints: Vec<String>,
}

/// Verifies chains.
///
/// # Errors
/// [`DbError`] when they could not be read: nothing is known then. What is wrong with them is in the report.
pub async fn verify(db: &Db, keyring: &Keyring, options: &Options) -> Result<Report, DbError> {
    let mut report = Report::default();
    let mut findings = Findings::default();
    let ring = keyring.clone();
    let trusted = db.read(move |conn| keys::trusted(conn, &ring)).await?;
    for kid in &trusted.strangers {
        findings.add(FindingKind::StrangeKey, Place::default(), format!("the key {kid} was not made by this service"));
    }
    let mut checkpoints = checkpoints::read(&options.checkpoints, &trusted.keys, options.tenant, &mut findings);
    let (mut after, only) = (None, options.tenant);
    loop {
        let tenants = db.read(move |conn| store::tenants(conn, only, after, TENANTS)).await?;
        let Some((last, _)) = tenants.last() else { break };
        after = Some(*last);
        for (tenant, slug) in tenants {
            let expected = checkpoints.remove(&tenant).unwrap_or_default();
            let chain = ChainVerifier { db, keys: &trusted.keys, tenant, slug, since: options.since };
            chain.verify(&expected, &mut report, &mut findings).await?;
            report.tenants += 1;
        }
    }
    for (tenant, claims) in checkpoints {
        let place = Place { tenant: Some(tenant), ..Place::default() };
        let most = claims.iter().map(|claims| claims.batches).max().unwrap_or_default();
        findings.add(FindingKind::Truncated, place, format!("the tenant is gone; it had {most} batches"));
    }
    findings.finish(&mut report);
    Ok(report)
}

struct ChainVerifier<'a> {
    db: &'a Db,
    keys: &'a KeySet,
    tenant: TenantId,
    slug: String,
    since: i64,
}

impl ChainVerifier<'_> {
    fn scope(&self) -> TenantScope {
        TenantScope::system(self.tenant, "verification of the audit trail")
    }

    async fn verify(
        &self,
        checkpoints: &[CheckpointClaims],
        report: &mut Report,
        findings: &mut Findings,
    ) -> Result<(), DbError> {
        findings.of_tenant(self.tenant, &self.slug);
        let scope = self.scope();
        // In this order: what is appended meanwhile is beyond what was found, and not beyond the head.
        let (extent, head) =
            self.db.read(move |conn| Ok::<_, DbError>((store::extent(conn, scope)?, chain(conn, scope)?))).await?;
        let head = check_head(head, &extent, findings);
        let pruned = self.pruned(&head, findings).await?;
        let span = head.batches.min(extent.batches.saturating_add(LONGEST_GAP));
        let strays = tokio::spawn({
            let (db, last) = (self.db.clone(), extent.last_position);
            async move { db.read(move |conn| store::strays(conn, scope, pruned.1, last)).await }
        });
        let last = self.check_pages(span, pruned, report, findings).await?;
        self.check_end(&head, last.as_ref(), findings);
        checkpoints::check(self.db, scope, checkpoints, &head, findings).await?;
        let strays = strays.await.map_err(|error| DbError::Panicked(error.to_string()))??;
        strays.tell(findings);
        report.waiting += strays.waiting;
        report.pruned += pruned.1;
        self.forgive_pruned(pruned.0, findings).await
    }

    /// How many batches and entries retention has removed, as far as it is signed, and as far as their time was over.
    async fn pruned(&self, head: &Chain, findings: &mut Findings) -> Result<(i64, i64), DbError> {
        if (head.pruned_batches, head.pruned_entries, &head.pruning) == (0, 0, &None) {
            return Ok((0, 0));
        }
        let (scope, last) = (self.scope(), head.pruned_batches - 1);
        let row = self.db.read(move |conn| batches_from(conn, scope, last, 1)).await?.into_iter().next();
        match self.check_pruned(head, row.as_ref()) {
            Ok(claims) => Ok((claims.batches, claims.entries)),
            Err((kind, problem)) => {
                let detail = format!("{} batches are said to be removed by retention: {problem}", head.pruned_batches);
                findings.add(kind, Place::default(), detail);
                Ok((0, 0))
            }
        }
    }

    /// The statement of retention, if it is one, and the last batch that it is about, which is this, was old enough.
    fn check_pruned(&self, head: &Chain, last: Option<&BatchRow>) -> Result<PruningClaims, (FindingKind, String)> {
        let not_signed = |problem: String| (FindingKind::PruningNotSigned, problem);
        let signed = head.pruning.as_deref().ok_or_else(|| not_signed("no statement says so".to_owned()))?;
        let claims = statement::<PruningClaims>(signed, self.keys).map_err(|error| not_signed(error.to_string()))?;
        let said = (claims.tenant_id, claims.batches, claims.entries);
        if said != (self.tenant, head.pruned_batches, head.pruned_entries) {
            return Err(not_signed("the signed statement says something else".to_owned()));
        }
        let too_early = |problem: &str| (FindingKind::PrunedTooEarly, problem.to_owned());
        let header = last.and_then(|row| statement::<BatchClaims>(&row.signature, self.keys).ok());
        let header = header.filter(|header| (header.tenant_id, header.number + 1) == (self.tenant, claims.batches));
        let header = header.ok_or_else(|| too_early("the header of the last is not what was signed"))?;
        if header.first.saturating_add(header.size) != claims.entries {
            return Err(too_early("the last ends elsewhere"));
        }
        let kept = Duration::from_secs(86_400) * claims.retention_days;
        if header.sealed_at >= claims.pruned_at - kept {
            return Err(too_early("the last was sealed later than that"));
        }
        Ok(claims)
    }

    /// Verifies all batches, and gives the last.
    async fn check_pages(
        &self,
        span: i64,
        pruned: (i64, i64),
        report: &mut Report,
        findings: &mut Findings,
    ) -> Result<Option<page::End>, DbError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let mut running: JoinSet<Result<PageResult, DbError>> = JoinSet::new();
        let (mut next, mut last) = (self.since.max(0), None);
        loop {
            while next < span && running.len() < cores.min(MOST_AT_ONCE) {
                let to = (next + PAGE).min(span);
                let page =
                    Page { scope: self.scope(), keys: self.keys.clone(), from: next, to, pruned_batches: pruned.0 };
                let db = self.db.clone();
                running.spawn(async move { db.read(move |conn| page.verify(conn)).await });
                next = to;
            }
            let Some(done) = running.join_next().await else { return Ok(last) };
            let done = done.map_err(|error| DbError::Panicked(error.to_string()))??;
            report.batches += done.batches;
            report.entries += done.entries;
            findings.append(done.findings);
            last = last.max(done.end);
        }
    }

    /// The head says what the last batch says.
    fn check_end(&self, head: &Chain, last: Option<&page::End>, findings: &mut Findings) {
        let Some(last) = last.filter(|last| last.number + 1 == head.batches) else {
            if head.batches > self.since {
                let detail = match last {
                    Some(last) => {
                        format!("the chain has {} batches, and the last one there is {}", head.batches, last.number)
                    }
                    None => format!("the chain has {} batches, and there are none", head.batches),
                };
                findings.add(FindingKind::HeadDisagrees, Place::default(), detail);
            }
            return;
        };
        if head.head.is_some() && (head.head.as_deref(), head.entries) != (Some(last.hash.as_str()), last.positions) {
            let detail = "the head of the chain is not the last batch".to_owned();
            findings.add(FindingKind::HeadDisagrees, Place::of_batch(last.number), detail);
        }
    }

    /// What retention removed while this ran is not missing.
    async fn forgive_pruned(&self, known: i64, findings: &mut Findings) -> Result<(), DbError> {
        let scope = self.scope();
        if let Some(head) = self.db.read(move |conn| chain(conn, scope)).await?
            && head.pruned_batches > known
        {
            // A statement that is not believed forgives nothing, and is no news.
            let (batches, _) = self.pruned(&head, &mut Findings::default()).await?;
            findings.forgive(self.tenant, batches);
        }
        Ok(())
    }
}

/// The head is there when there is anything else of the chain, and is not behind it.
fn check_head(head: Option<Chain>, extent: &store::Extent, findings: &mut Findings) -> Chain {
    let Some(head) = head else {
        if extent.batches > 0 || extent.last_position.is_some() {
            findings.add(
                FindingKind::HeadMissing,
                Place::default(),
                "there are batches, and no head of the chain".into(),
            );
        }
        // What there is can be verified without it.
        let batches = extent.last_batch.map_or(0, |last| last.saturating_add(1));
        return Chain { batches, entries: 0, head: None, pruned_batches: 0, pruned_entries: 0, pruning: None };
    };
    if let Some(last) = extent.last_batch.filter(|last| *last >= head.batches) {
        let detail = format!("the chain ends before batch {}, and there is one with the number {last}", head.batches);
        findings.add(FindingKind::BeyondHead, Place::of_batch(head.batches), detail);
    }
    if let Some(last) = extent.last_position.filter(|last| *last >= head.entries) {
        let detail = format!("the chain has {} entries, and there is one at position {last}", head.entries);
        findings.add(FindingKind::BeyondHead, Place { position: Some(last), ..Place::default() }, detail);
    }
    head
}
