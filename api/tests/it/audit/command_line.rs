//! `tenantry-api audit`.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::Trail;

async fn run(trail: &Trail, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry-api"));
    command.current_dir(trail.folder.path()).env_clear().arg("audit").args(arguments).stdin(Stdio::null());
    command.env("TENANTRY_API__DATABASE__URL", trail.database.url().to_string());
    command.env("TENANTRY_API__KEYRING__PATH", trail.folder.path().join("api.key"));
    actix_web::rt::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

async fn json(trail: &Trail, arguments: &[&str], status: i32) -> Value {
    let output = run(trail, &[arguments, &["--json"]].concat()).await;
    assert_eq!(output.status.code(), Some(status), "{}{}", text(&output.stdout), text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keep(path: &Path, output: &Output) {
    assert!(output.status.success(), "{}", text(&output.stderr));
    std::fs::write(path, &output.stdout).unwrap();
}

#[actix_web::test]
async fn an_operator_verifies_what_is_there_against_what_was_kept() {
    let trail = Trail::start().await;
    let tenant = trail.sealed("one", 2, 3).await;
    trail.sealed("two", 1, 1).await;
    trail.record(tenant, 1).await;
    assert_eq!(json(&trail, &["seal"], 0).await["sealed"], 1);
    let report = json(&trail, &["verify"], 0).await;
    assert_eq!((&report["ok"], &report["entries"], &report["tenants"]), (&true.into(), &8.into(), &2.into()));
    assert_eq!(json(&trail, &["verify", "--tenant", "one", "--since", "2"], 0).await["entries"], 1);
    assert_eq!(json(&trail, &["verify", "--tenant", tenant.as_str()], 0).await["entries"], 7);

    let (plain, as_json) = (trail.folder.path().join("checkpoint"), trail.folder.path().join("checkpoint.json"));
    let output = run(&trail, &["checkpoint"]).await;
    assert_eq!(text(&output.stdout).lines().count(), 2);
    keep(&plain, &output);
    keep(&as_json, &run(&trail, &["checkpoint", "--tenant", "one", "--json"]).await);
    let before = json(&trail, &["keys"], 0).await;
    assert_eq!(before["keys"].as_array().unwrap().len(), 1);
    assert!(before["keys"][0].get("d").is_none());
    let kid = json(&trail, &["rotate-key"], 0).await["kid"].clone();
    assert_eq!(json(&trail, &["keys"], 0).await["keys"][0]["kid"], kid);

    trail
        .tamper([
            "DELETE FROM audit_entries WHERE id IN (SELECT entry_id FROM audit_leaves WHERE batch = 2)".to_owned(),
            "DELETE FROM audit_leaves WHERE batch = 2".to_owned(),
            "DELETE FROM audit_batches WHERE number = 2".to_owned(),
            format!(
                "UPDATE audit_chains SET batches = 2, entries = 6, head = (SELECT hash FROM audit_batches WHERE \
                 tenant_id = '{tenant}' AND number = 1) WHERE tenant_id = '{tenant}'"
            ),
        ])
        .await;
    assert_eq!(json(&trail, &["verify"], 0).await["ok"], true);
    for file in [&plain, &as_json] {
        let report = json(&trail, &["verify", "--checkpoint", file.to_str().unwrap()], 3).await;
        assert_eq!(report["findings"][0]["kind"], "truncated");
        assert_eq!(report["findings"][0]["slug"], "one");
    }
    let output = run(&trail, &["verify", "--checkpoint", plain.to_str().unwrap()]).await;
    assert!(text(&output.stdout).starts_with("truncated tenant one batch 2: at "), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("THE AUDIT TRAIL IS NOT WHAT WAS SEALED"));
}

#[actix_web::test]
async fn what_cannot_be_found_out_is_another_failure() {
    let trail = Trail::start().await;
    for arguments in [&["verify", "--tenant", "nobody"][..], &["verify", "--checkpoint", "missing"]] {
        let output = run(&trail, arguments).await;
        assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
        assert!(!output.stderr.is_empty());
    }
}
