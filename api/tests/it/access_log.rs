//! The log of decisions, below whoever decides.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tenantry_api::access::log::{DecisionLog, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind, prune};
use tenantry_types::{Clock as _, Id, SystemClock, SystemRandom};

use crate::audit::Trail;

fn decision(number: usize) -> DecisionRecord {
    DecisionRecord {
        tenant_id: Id::new(&SystemClock, &SystemRandom),
        subject_kind: SubjectKind::User,
        subject_id: format!("somebody {number}"),
        client_id: "some-client".to_owned(),
        resource: "booking".into(),
        resource_id: None,
        action: "cancel".into(),
        decision: LoggedDecision::Deny,
        reason: "no policy allows it".into(),
        policy: None,
        context: json!({}).into(),
        request_id: None,
        address: None,
    }
}

#[allow(clippy::struct_field_names, reason = "it is what it is called")]
struct Recording {
    trail: Trail,
    log: DecisionLog,
    registry: Registry,
}

impl Recording {
    async fn start() -> Self {
        let trail = Trail::start().await;
        let mut registry = Registry::default();
        let log = DecisionLog::start(trail.db.clone(), trail.clock(), Arc::new(SystemRandom), &mut registry);
        Self { trail, log, registry }
    }

    fn metric(&self, name: &str) -> u64 {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until a metric has a value, letting the writer work.
    async fn until(&self, name: &str, reached: impl Fn(u64) -> bool) {
        let waiting = async {
            while !reached(self.metric(name)) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), waiting)
            .await
            .unwrap_or_else(|_| panic!("{}", self.metric(name)));
    }

    async fn take_the_table_away(&self) {
        self.rename("access_logs", "somewhere_else").await;
    }

    async fn bring_the_table_back(&self) {
        self.rename("somewhere_else", "access_logs").await;
    }

    async fn rename(&self, from: &str, to: &str) {
        self.trail.execute([format!("ALTER TABLE {from} RENAME TO {to}")]).await;
    }
}

#[actix_web::test]
async fn a_decision_is_kept_with_everything_that_is_known_of_it() {
    let Recording { trail, log, .. } = Recording::start().await;
    let record = DecisionRecord {
        subject_kind: SubjectKind::Client,
        resource_id: Some("b-1".to_owned()),
        decision: LoggedDecision::Allow,
        policy: Some(NamedPolicy {
            id: "0190b2c4-0000-7000-8000-000000000001".to_owned(),
            name: "Premium ✓".to_owned(),
            version: Some(3),
        }),
        context: json!({"user.role": ["PremiumCustomer"]}).into(),
        request_id: Some("request-1".to_owned()),
        address: Some("127.0.0.1".to_owned()),
        ..decision(7)
    };
    let tenant = record.tenant_id;
    log.record(record).await;
    log.record(decision(8)).await;
    log.flush().await;
    assert_eq!(trail.count("access_logs").await, 2);
    let row = "CONCAT(subject_kind, '|', subject_id, '|', client_id, '|', resource, '|', resource_id, '|', action, '|', \
               decision, '|', policy_id, '|', policy_name, '|', policy_version, '|', request_id, '|', address)";
    let found = trail.texts(format!("SELECT {row} AS value FROM access_logs WHERE tenant_id = '{tenant}'")).await;
    assert_eq!(
        found,
        ["client|somebody 7|some-client|booking|b-1|cancel|allow|0190b2c4-0000-7000-8000-000000000001|Premium ✓|3|\
          request-1|127.0.0.1"]
    );
    let context = trail.texts("SELECT context AS value FROM access_logs WHERE decision = 'allow'").await.remove(0);
    assert_eq!(serde_json::from_str::<Value>(&context).unwrap(), json!({"user.role": ["PremiumCustomer"]}));
}

#[actix_web::test]
async fn whatever_is_in_a_decision_it_fits() {
    let Recording { trail, log, .. } = Recording::start().await;
    let long = "ü\u{0}\u{1f600}'".repeat(300);
    let record = DecisionRecord {
        subject_id: long.clone(),
        client_id: long.clone(),
        resource: long.clone().into(),
        resource_id: Some(long.clone()),
        action: long.clone().into(),
        reason: long.clone().into(),
        policy: Some(NamedPolicy { id: long.clone(), name: long.clone(), version: Some(i64::MIN) }),
        context: json!({ "long": long.repeat(100) }).into(),
        request_id: Some(long.clone()),
        address: Some(long),
        ..decision(0)
    };
    log.record(record).await;
    log.flush().await;
    assert_eq!(trail.count("access_logs").await, 1);
}

#[actix_web::test]
async fn what_the_database_does_not_take_is_tried_again() {
    let log = Recording::start().await;
    log.take_the_table_away().await;
    for number in 0..3 {
        log.log.record(decision(number)).await;
    }
    log.until("access_log_failures_total", |failures| failures >= 2).await;
    assert_eq!(log.metric("access_log_waiting"), 3);
    log.bring_the_table_back().await;
    log.log.flush().await;
    assert_eq!(log.trail.count("access_logs").await, 3);
    assert_eq!((log.metric("access_log_written_total"), log.metric("access_log_waiting")), (3, 0));
    assert_eq!(log.metric("access_log_lost_total"), 0);
}

#[actix_web::test]
async fn when_too_many_wait_the_next_waits_too() {
    const MANY: usize = 10_000;
    let log = Recording::start().await;
    log.take_the_table_away().await;
    let recording = actix_web::rt::spawn({
        let log = log.log.clone();
        async move {
            for number in 0..MANY {
                log.record(decision(number)).await;
            }
        }
    });
    // What the writer has in hand, what is queued, and the one that waits.
    log.until("access_log_waiting", |waiting| waiting > 8_192 + 500).await;
    log.until("access_log_failures_total", |failures| failures >= 1).await;
    assert!(!recording.is_finished());
    assert_eq!(log.metric("access_log_waiting"), 8_192 + 500 + 1);
    log.bring_the_table_back().await;
    recording.await.unwrap();
    log.log.close().await;
    assert_eq!(log.trail.count("access_logs").await, i64::try_from(MANY).unwrap());
    assert_eq!(log.trail.count("(SELECT DISTINCT subject_id FROM access_logs) x").await, i64::try_from(MANY).unwrap());
}

#[actix_web::test]
async fn decisions_go_when_their_time_is_over() {
    const DAY: Duration = Duration::from_secs(86_400);
    let Recording { trail, log, .. } = Recording::start().await;
    // One tenant has more than go at once, others one each.
    let busy = decision(0).tenant_id;
    for number in 0..1_200 {
        let record = decision(number);
        log.record(if number < 1_100 { DecisionRecord { tenant_id: busy, ..record } } else { record }).await;
        trail.clock.advance(Duration::from_millis(1));
    }
    trail.clock.advance(10 * DAY);
    log.record(DecisionRecord { tenant_id: busy, ..decision(0) }).await;
    log.record(decision(0)).await;
    log.flush().await;
    trail.clock.advance(DAY);
    let pruned = |days| prune(&trail.db, trail.clock.now(), days);
    assert_eq!((pruned(0).await.unwrap(), pruned(12).await.unwrap()), (0, 0));
    assert_eq!(pruned(10).await.unwrap(), 1_200);
    assert_eq!(trail.count("access_logs").await, 2);
    assert_eq!(trail.count(&format!("access_logs WHERE tenant_id = '{busy}'")).await, 1);
}
