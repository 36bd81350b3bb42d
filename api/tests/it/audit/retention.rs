//! What is old goes, and the chain stays good.

use std::time::Duration;

use tenantry_api::audit::chain::{PruningClaims, SealError, Statement as _};
use tenantry_api::audit::verify::Options;
use tenantry_types::Clock as _;

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

#[actix_web::test]
async fn nothing_goes_because_the_database_says_that_it_is_old() {
    for tampering in [
        // As if it were old.
        vec!["UPDATE audit_batches SET sealed_at = '2001-01-01 00:00:00.000000'"],
        // As if more were in an old one.
        vec![
            "UPDATE audit_batches SET sealed_at = '2001-01-01 00:00:00.000000', size = size + 2 WHERE number = 0",
            "UPDATE audit_batches SET number = 9 WHERE number = 1",
        ],
        // As if the old ones were gone already.
        vec![
            "UPDATE audit_batches SET sealed_at = '2001-01-01 00:00:00.000000'",
            "UPDATE audit_chains SET pruned_batches = 1, pruned_entries = 2",
        ],
    ] {
        let trail = Trail::start().await;
        trail.sealed("one", 3, 2).await;
        let other = trail.sealed("two", 1, 1).await;
        trail.clock.advance(10 * DAY);
        let of_one = |statement: &str| {
            let mine = "tenant_id IN (SELECT id FROM tenants WHERE slug = 'one')";
            if statement.contains("WHERE") {
                format!("{statement} AND {mine}")
            } else {
                format!("{statement} WHERE {mine}")
            }
        };
        trail.tamper(tampering.iter().map(|statement| of_one(statement))).await;
        let refused = trail.try_to_prune(30).await.unwrap_err();
        assert!(matches!(refused, SealError::NotSealed(tenant, _) if tenant != other), "{refused}");
        assert_eq!(trail.count("audit_entries").await, 7, "{tampering:?}");
        assert!(!trail.verify().await.ok);
        // Others are pruned when it is time.
        trail.clock.advance(30 * DAY);
        drop(trail.try_to_prune(30).await);
        assert_eq!(trail.count(&format!("audit_entries WHERE tenant_id = '{other}'")).await, 0);
    }
}

#[actix_web::test]
async fn what_was_removed_too_early_is_found() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 3, 2).await;
    trail.clock.advance(40 * DAY);
    trail.record(tenant, 2).await;
    trail.sealer().seal_all().await.unwrap();
    trail.clock.advance(DAY);
    // As a program would have done that believed the row: its statement is signed, and says how long it was to be kept.
    let ring = trail.keyring.clone();
    let key = trail.db.read(move |conn| tenantry_api::audit::keys::current(conn, &ring)).await.unwrap().unwrap();
    let claims =
        PruningClaims { tenant_id: tenant, batches: 4, entries: 8, retention_days: 30, pruned_at: trail.clock.now() };
    let signed = key.sign_jwt(PruningClaims::TYPE, &claims).unwrap();
    trail
        .tamper([
            "DELETE FROM audit_entries".to_owned(),
            "DELETE FROM audit_leaves".to_owned(),
            format!("UPDATE audit_chains SET pruned_batches = 4, pruned_entries = 8, pruning = '{signed}'"),
        ])
        .await;
    let kinds: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds[0], "pruned-too-early");
    assert!(kinds[1..].iter().all(|kind| *kind == "link-missing") && kinds.len() == 9, "{kinds:?}");
}
