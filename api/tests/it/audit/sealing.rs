//! What was committed is sealed once, whoever seals and however late it was committed.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use tenantry_api::audit::StoredEntry;
use tenantry_api::audit::keys;

use super::{Trail, found};

#[actix_web::test]
async fn entries_are_sealed_in_batches_that_follow_each_other() {
    let trail = Trail::start().await;
    let (one, two) = (trail.sealed("one", 3, 5).await, trail.sealed("two", 1, 600).await);
    trail.record(one, 2).await;
    let report = trail.verify().await;
    assert_eq!(found(&report), []);
    assert_eq!((report.tenants, report.batches, report.entries, report.waiting), (2, 5, 615, 2));
    assert_eq!(trail.entries(one).await.len(), 15);
    // What is in one batch is as much as fits into one transaction.
    let sizes =
        format!("SELECT CAST(size AS CHAR) AS value FROM audit_batches WHERE tenant_id = '{two}' ORDER BY number");
    assert_eq!(trail.texts(sizes).await, ["512", "88"]);
    assert_eq!(trail.sealer().seal_all().await.unwrap(), 2);
    assert_eq!(trail.sealer().seal_all().await.unwrap(), 0);
    assert_eq!(found(&trail.verify().await), []);
}

#[actix_web::test]
async fn every_column_is_sealed() {
    let trail = Trail::start().await;
    let report = trail.db.schema_report().await.unwrap();
    let columns: BTreeSet<&str> =
        report.tables["audit_entries"].columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(columns, BTreeSet::from(StoredEntry::COLUMNS));
}

#[actix_web::test]
async fn what_commits_late_is_sealed_in_a_later_batch() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 2, 3).await;
    // An entry with an id and a time before those that are sealed.
    let before = trail.entries(tenant).await;
    let late = before[0].replace(&before[0][..13], "01900000-0000");
    trail
        .tamper([
            format!(
                "INSERT INTO audit_entries (id, tenant_id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, changes) \
                 SELECT '{late}', tenant_id, '2024-01-01 00:00:00', actor_kind, actor_id, action, target_kind, target_id, changes \
                 FROM audit_entries WHERE id = '{}'",
                before[0]
            ),
            format!("INSERT INTO audit_unsealed (tenant_id, entry_id) VALUES ('{tenant}', '{late}')"),
        ])
        .await;
    assert_eq!(trail.sealer().seal_all().await.unwrap(), 1);
    assert_eq!(trail.entries(tenant).await, [&before[..], &[late]].concat());
    assert_eq!(found(&trail.verify().await), []);
}

#[actix_web::test]
async fn sealers_and_writers_at_once_leave_each_entry_once() {
    const WRITERS: usize = 6;
    const ENTRIES: usize = 20;
    let trail = Trail::start().await;
    let tenants = [trail.tenant("one").await, trail.tenant("two").await];
    let writers = (0..WRITERS).map(|number| trail.record(tenants[number % 2], ENTRIES));
    let sealers = (0..4).map(|_| async {
        let sealer = trail.sealer();
        let mut sealed = 0;
        for _ in 0..25 {
            sealed += sealer.seal_all().await.unwrap();
        }
        sealed
    });
    let (_, sealed) = futures_util::future::join(join_all(writers), join_all(sealers)).await;
    let rest = trail.sealer().seal_all().await.unwrap();
    assert_eq!(sealed.iter().sum::<usize>() + rest, WRITERS * ENTRIES);
    let report = trail.verify().await;
    assert_eq!(found(&report), []);
    assert_eq!((report.entries, report.waiting), (120, 0));
}

#[actix_web::test]
async fn what_was_committed_is_sealed_without_being_asked() {
    let trail = Trail::start().await;
    let tenant = trail.tenant("one").await;
    let sealing = actix_web::rt::spawn(trail.sealer().run());
    trail.record(tenant, 3).await;
    let mut written = trail.db.written();
    while trail.count("audit_leaves").await < 3 {
        tokio::time::timeout(Duration::from_secs(30), written.changed())
            .await
            .expect("a commit of the sealer")
            .unwrap();
    }
    sealing.abort();
    assert_eq!(found(&trail.verify().await), []);
}

#[actix_web::test]
async fn a_new_key_signs_and_the_old_one_is_still_believed() {
    let trail = Trail::start().await;
    trail.sealed("one", 1, 2).await;
    let (keyring, clock) = (trail.keyring.clone(), trail.clock());
    let kid = trail.db.write(move |conn| keys::rotate(conn, &keyring, &*clock)).await.unwrap().kid().to_owned();
    trail.sealed("two", 1, 2).await;
    assert_eq!(found(&trail.verify().await), []);
    // What is left of the old one is what it signed: nobody can sign with it any more.
    assert_eq!(trail.count("audit_keys WHERE private_key IS NULL").await, 1);
    assert_eq!(trail.texts("SELECT kid AS value FROM audit_keys WHERE private_key IS NOT NULL").await, [kid]);
}
