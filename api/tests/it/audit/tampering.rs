//! Whoever can write everything in the database, and has not the key file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tenantry_api::audit::StoredEntry;
use tenantry_api::audit::merkle::Digest;
use tenantry_api::audit::verify::Options;
use tenantry_jose::{Algorithm, SigningKey, peek};

use super::{Trail, found};

#[actix_web::test]
async fn a_change_in_any_column_is_found_and_its_entry_named() {
    let trail = Trail::start().await;
    let (tenant, other) = (trail.sealed("one", 1, 40).await, trail.tenant("two").await);
    let entries = trail.entries(tenant).await;
    for (entry, column) in entries.iter().zip(StoredEntry::COLUMNS) {
        let value = match column {
            "id" => "0190b2c4-0000-7000-8000-000000000001".to_owned(),
            "tenant_id" => other.to_string(),
            "occurred_at" => "2020-01-01 00:00:00.000001".to_owned(),
            // Nothing and an empty text are not the same.
            "address" | "request_id" => String::new(),
            _ => "x".to_owned(),
        };
        trail.tamper([format!("UPDATE audit_entries SET {column} = '{value}' WHERE id = '{entry}'")]).await;
    }
    let report = trail.verify().await;
    let (mut expected, mut strays) = (Vec::new(), 0);
    for (position, column) in (0..).zip(StoredEntry::COLUMNS) {
        let gone = ["id", "tenant_id"].contains(&column);
        strays += usize::from(gone);
        expected.push((if gone { "entry-missing" } else { "entry-changed" }, Some(0), Some(position)));
    }
    let sealed: Vec<_> = found(&report).into_iter().filter(|(_, batch, _)| batch.is_some()).collect();
    assert_eq!(sealed, expected);
    // Where they are now, they were never sealed.
    assert_eq!(found(&report).iter().filter(|(kind, ..)| *kind == "entry-not-sealed").count(), strays);
    let first = report.findings.iter().find(|finding| finding.place.batch == Some(0)).unwrap();
    assert_eq!((first.place.tenant, first.place.slug.as_deref()), (Some(tenant), Some("one")));
    assert_eq!(first.place.entry.as_ref(), Some(&entries[0]));
}

#[actix_web::test]
async fn a_change_with_the_hash_to_it_is_found() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 2, 3).await;
    let entry = trail.entries(tenant).await.remove(4);
    let hash = Digest::of(b"whatever");
    trail
        .tamper([
            format!("UPDATE audit_entries SET action = 'x' WHERE id = '{entry}'"),
            format!("UPDATE audit_leaves SET leaf_hash = '{hash}' WHERE entry_id = '{entry}'"),
        ])
        .await;
    assert_eq!(found(&trail.verify().await), [("entry-changed", Some(1), Some(4))]);
    // Two entries in each other's place, with all that is stored of them.
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 2, 3).await;
    let move_to = |from: i64, to: i64| {
        format!("UPDATE audit_leaves SET position = {to} WHERE tenant_id = '{tenant}' AND position = {from}")
    };
    trail.tamper([move_to(1, -1), move_to(2, 1), move_to(-1, 2)]).await;
    assert_eq!(found(&trail.verify().await), [("batch-differs", Some(0), None)]);
    // Across two batches.
    trail.tamper([move_to(1, -1), move_to(2, 1), move_to(-1, 2)]).await;
    assert_eq!(found(&trail.verify().await), []);
    trail.tamper([move_to(1, -1), move_to(4, 1), move_to(-1, 4)]).await;
    let kinds: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, batch, _)| (kind, batch)).collect();
    assert_eq!(
        kinds,
        [("batch-differs", Some(0)), ("link-changed", Some(0)), ("batch-differs", Some(1)), ("link-changed", Some(1))]
    );
}

#[actix_web::test]
async fn what_is_removed_is_missed() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 3, 3).await;
    let entries = trail.entries(tenant).await;
    trail.tamper([format!("DELETE FROM audit_entries WHERE id = '{}'", entries[1])]).await;
    assert_eq!(found(&trail.verify().await), [("entry-missing", Some(0), Some(1))]);
    trail.tamper([format!("DELETE FROM audit_leaves WHERE entry_id = '{}'", entries[1])]).await;
    assert_eq!(found(&trail.verify().await), [("link-missing", Some(0), Some(1))]);
    // A whole batch, with everything in it.
    let trail = Trail::start().await;
    trail.sealed("one", 3, 3).await;
    trail
        .tamper([
            "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE batch = 1)".to_owned(),
            "DELETE FROM audit_leaves WHERE batch = 1".to_owned(),
            "DELETE FROM audit_batches WHERE number = 1".to_owned(),
        ])
        .await;
    assert_eq!(found(&trail.verify().await), [("batch-missing", Some(1), None)]);
    // Closing the gap breaks the link.
    trail
        .tamper([
            "UPDATE audit_leaves SET batch = 1, position = position - 3 WHERE batch = 2".to_owned(),
            "UPDATE audit_batches SET number = 1, first_position = 3 WHERE number = 2".to_owned(),
            "UPDATE audit_chains SET batches = 2, entries = 6".to_owned(),
        ])
        .await;
    let kinds: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, ..)| kind).collect();
    assert!(kinds.contains(&"batch-changed") && kinds.contains(&"link-broken"), "{kinds:?}");
}

#[actix_web::test]
async fn what_is_put_between_is_found() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 2, 3).await;
    let entry = trail.entries(tenant).await.remove(1);
    let id = "0190b2c4-0000-7000-8000-000000000001";
    let copy = format!(
        "INSERT INTO audit_entries (id, tenant_id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, changes) \
         SELECT '{id}', tenant_id, occurred_at, actor_kind, actor_id, action, target_kind, target_id, changes \
         FROM audit_entries WHERE id = '{entry}'"
    );
    trail.tamper([copy]).await;
    let report = trail.verify().await;
    assert_eq!(found(&report), [("entry-not-sealed", None, None)]);
    assert_eq!(report.findings[0].place.entry.as_deref(), Some(id));
    // In the place of another, with a link of its own.
    trail
        .tamper([
            format!("UPDATE audit_leaves SET entry_id = '{id}' WHERE entry_id = '{entry}'"),
            format!("DELETE FROM audit_entries WHERE id = '{entry}'"),
        ])
        .await;
    assert_eq!(found(&trail.verify().await), [("entry-changed", Some(0), Some(1))]);
    // Behind the last one.
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 1, 3).await;
    let entry = trail.entries(tenant).await.remove(0);
    trail.tamper([format!("INSERT INTO audit_unsealed (tenant_id, entry_id) VALUES ('{tenant}', '{entry}')")]).await;
    assert_eq!(found(&trail.verify().await), [("entry-twice", None, None)]);
    trail
        .tamper([
            format!("DELETE FROM audit_leaves WHERE entry_id = '{entry}'"),
            "INSERT INTO audit_leaves (tenant_id, position, batch, entry_id, leaf_hash) \
             SELECT tenant_id, 99, batch, (SELECT entry_id FROM audit_unsealed), leaf_hash FROM audit_leaves WHERE position = 1"
                .to_owned(),
            "DELETE FROM audit_unsealed".to_owned(),
        ])
        .await;
    assert_eq!(found(&trail.verify().await), [("beyond-head", None, Some(99)), ("link-missing", Some(0), Some(0))]);
}

fn cut_off_from(batch: i64, position: i64) -> Vec<String> {
    vec![
        format!(
            "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE position >= {position})"
        ),
        format!("DELETE FROM audit_leaves WHERE position >= {position}"),
        format!("DELETE FROM audit_batches WHERE number >= {batch}"),
    ]
}

#[actix_web::test]
async fn what_is_cut_off_at_the_end_is_missed() {
    let trail = Trail::start().await;
    trail.sealed("one", 3, 3).await;
    let kept = Options { checkpoints: trail.checkpoint().await, ..Options::default() };
    assert_eq!(found(&trail.verify_with(kept.clone()).await), []);
    trail.tamper(cut_off_from(2, 6)).await;
    assert_eq!(found(&trail.verify().await), [("head-disagrees", None, None), ("batch-missing", Some(2), None)]);
    // Together with the head it is an older state of the chain, which only a checkpoint can tell from the newest.
    trail
        .tamper(["UPDATE audit_chains SET batches = 2, entries = 6, head = (SELECT hash FROM audit_batches WHERE number = 1)"
            .to_owned()])
        .await;
    assert_eq!(found(&trail.verify().await), []);
    assert_eq!(found(&trail.verify_with(kept.clone()).await), [("truncated", Some(2), None)]);
    // And grown again, with other entries.
    trail.sealed("two", 1, 1).await;
    let tenant = trail.texts("SELECT id AS value FROM tenants WHERE slug = 'one'").await.remove(0).parse().unwrap();
    trail.record(tenant, 3).await;
    trail.sealer().seal_all().await.unwrap();
    assert_eq!(found(&trail.verify().await), []);
    assert_eq!(found(&trail.verify_with(kept.clone()).await), [("rewritten", Some(2), None)]);
    // The whole chain, and the whole tenant.
    trail.tamper([&cut_off_from(0, 0)[..], &["DELETE FROM audit_chains".to_owned()]].concat()).await;
    assert_eq!(found(&trail.verify_with(kept.clone()).await), [("truncated", Some(0), None)]);
    trail.tamper(["DELETE FROM tenants".to_owned()]).await;
    assert_eq!(found(&trail.verify_with(kept).await), [("truncated", None, None)]);
}

#[actix_web::test]
async fn without_its_head_a_chain_is_not_believed() {
    let trail = Trail::start().await;
    trail.sealed("one", 2, 2).await;
    trail.tamper(["DELETE FROM audit_chains".to_owned()]).await;
    assert_eq!(found(&trail.verify().await), [("head-missing", None, None)]);
}

#[actix_web::test]
async fn only_keys_of_the_service_count() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 1, 2).await;
    let signature = trail.texts("SELECT signature AS value FROM audit_batches").await.remove(0);
    let row = |signed: &str| {
        let hash = Digest::of(signed.as_bytes());
        vec![
            format!("UPDATE audit_batches SET signature = '{signed}', hash = '{hash}'"),
            format!("UPDATE audit_chains SET head = '{hash}'"),
        ]
    };
    // Signed by somebody else, with a key that is put beside those of the service.
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut claims = Value::Object(peek(&signature).unwrap().claims);
    let forged = key.sign_jwt("audit-batch+jwt", &claims).unwrap();
    let jwk = Value::Object(key.public_jwk().as_ref().clone());
    let add = format!(
        "INSERT INTO audit_keys (kid, public_jwk, voucher, created_at) \
         SELECT '{}', '{jwk}', voucher, created_at FROM audit_keys",
        key.kid()
    );
    trail.tamper([vec![add], row(&forged)].concat()).await;
    assert_eq!(found(&trail.verify().await), [("strange-key", None, None), ("not-signed", Some(0), None)]);
    trail.tamper([format!("DELETE FROM audit_keys WHERE kid = '{}'", key.kid())]).await;

    // The signature of the service under other claims.
    claims["size"] = json!(1);
    let mut parts: Vec<String> = signature.split('.').map(str::to_owned).collect();
    parts[1] = URL_SAFE_NO_PAD.encode(claims.to_string());
    trail.tamper(row(&parts.join("."))).await;
    assert_eq!(found(&trail.verify().await), [("not-signed", Some(0), None)]);
    // Something else that the service has signed.
    trail.tamper(row(&signature)).await;
    assert_eq!(found(&trail.verify().await), []);
    let checkpoint = trail.checkpoint().await.remove(0);
    trail.tamper(row(&checkpoint)).await;
    assert_eq!(found(&trail.verify().await), [("not-signed", Some(0), None)]);
    trail.tamper(row(&signature)).await;
    let checkpoints = vec![signature, "nonsense".to_owned(), checkpoint.replacen("eyJ", "eyK", 1)];
    let report = trail.verify_with(Options { checkpoints, tenant: Some(tenant), since: 0 }).await;
    assert_eq!(found(&report), [("checkpoint-not-signed", None, None); 3]);
}

#[actix_web::test]
async fn every_member_of_a_header_is_what_was_signed() {
    for (change, kinds) in [
        ("size = 1", &["batch-changed", "head-disagrees"][..]),
        ("first_position = 7", &["batch-changed", "head-disagrees", "link-broken"]),
        ("root = previous", &["batch-changed"]),
        ("hash = root", &["batch-changed"]),
        ("previous = root", &["batch-changed", "link-broken"]),
        ("sealed_at = '2020-01-01 00:00:00'", &["batch-changed"]),
    ] {
        let trail = Trail::start().await;
        trail.sealed("one", 2, 2).await;
        trail.tamper([format!("UPDATE audit_batches SET {change} WHERE number = 1")]).await;
        let mut found: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, ..)| kind).collect();
        found.sort_unstable();
        assert_eq!(found, kinds, "{change}");
    }
}

#[actix_web::test]
async fn a_batch_cannot_go_to_another_tenant() {
    let trail = Trail::start().await;
    let (one, two) = (trail.sealed("one", 1, 2).await, trail.tenant("two").await);
    for table in ["audit_entries", "audit_leaves", "audit_batches", "audit_chains"] {
        trail.tamper([format!("UPDATE {table} SET tenant_id = '{two}' WHERE tenant_id = '{one}'")]).await;
    }
    let mut kinds: Vec<_> = found(&trail.verify().await).into_iter().map(|(kind, ..)| kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["batch-changed", "entry-changed", "entry-changed"]);
}
