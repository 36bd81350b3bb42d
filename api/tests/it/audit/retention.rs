//! What is old goes, and the chain stays good.

use std::time::Duration;

use tenantry_api::audit::verify::Options;

use super::{Trail, found};

const DAY: Duration = Duration::from_secs(86_400);

#[actix_web::test]
async fn whole_batches_go_when_their_time_is_over() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 6, 2).await;
    trail.clock.advance(20 * DAY);
    trail.record(tenant, 3).await;
    trail.sealer().seal_all().await.unwrap();
    trail.clock.advance(20 * DAY);
    let kept = Options { checkpoints: trail.checkpoint().await, ..Options::default() };
    assert_eq!((trail.prune(0).await, trail.prune(41).await), (0, 0));
    assert_eq!(trail.prune(30).await, 12);
    assert_eq!(trail.prune(30).await, 0);
    assert_eq!((trail.count("audit_entries").await, trail.count("audit_batches").await), (3, 7));
    let report = trail.verify_with(kept.clone()).await;
    assert_eq!(found(&report), []);
    assert_eq!((report.batches, report.entries, report.pruned), (7, 3, 12));
    // It goes on where it was.
    trail.record(tenant, 1).await;
    trail.sealer().seal_all().await.unwrap();
    assert_eq!(found(&trail.verify_with(kept.clone()).await), []);
    trail.clock.advance(40 * DAY);
    assert_eq!(trail.prune(30).await, 4);
    assert_eq!(found(&trail.verify_with(kept).await), []);
}

#[actix_web::test]
async fn what_waits_is_not_removed() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 1, 2).await;
    trail.record(tenant, 2).await;
    trail.clock.advance(40 * DAY);
    assert_eq!(trail.prune(30).await, 2);
    assert_eq!(trail.count("audit_entries").await, 2);
    let report = trail.verify().await;
    assert_eq!((found(&report), report.waiting), (vec![], 2));
}

#[actix_web::test]
async fn only_the_service_can_say_that_something_was_removed() {
    let cut = |batch: i64, position: i64| {
        vec![
            format!(
                "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE position < {position})"
            ),
            format!("DELETE FROM audit_leaves WHERE position < {position}"),
            format!("UPDATE audit_chains SET pruned_batches = {batch}, pruned_entries = {position}"),
        ]
    };
    let trail = Trail::start().await;
    trail.sealed("one", 3, 2).await;
    trail.tamper(cut(1, 2)).await;
    let missing = [("link-missing", Some(0), Some(0)), ("link-missing", Some(0), Some(1))];
    assert_eq!(found(&trail.verify().await), [&[("pruning-not-signed", None, None)], &missing[..]].concat());

    // A statement that was made, about less.
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 1, 2).await;
    trail.clock.advance(40 * DAY);
    assert_eq!(trail.prune(30).await, 2);
    trail.record(tenant, 2).await;
    trail.sealer().seal_all().await.unwrap();
    trail.tamper(cut(2, 4)).await;
    let kinds: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds[0], "pruning-not-signed");
    assert!(kinds[1..].iter().all(|kind| *kind == "link-missing"), "{kinds:?}");
    // Unsaid, they are missed as well.
    trail.tamper(["UPDATE audit_chains SET pruned_batches = 1, pruned_entries = 2".to_owned()]).await;
    let missing = [("link-missing", Some(1), Some(2)), ("link-missing", Some(1), Some(3))];
    assert_eq!(found(&trail.verify().await), missing);
}
