use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tenantry_web::health::Health;

use crate::client::get;
use crate::server::{Doors, http, setup, start, start_with};

#[actix_web::test]
async fn a_server_without_checks_is_ready() {
    let server = start();
    for path in ["/livez", "/readyz"] {
        let answer = get(server.address(), path, &[]).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"status": "ok"})));
    }
}

#[actix_web::test]
async fn what_is_not_needed_does_not_make_it_unready() {
    let mut setup = setup(http());
    setup.health = Health::builder()
        .check("keys", Duration::from_secs(5), || async { Ok::<_, String>(()) })
        .optional("redis", Duration::from_secs(5), || async { Err("redis does not answer") })
        .build();
    let server = start_with(setup, Doors::new());
    let answer = get(server.address(), "/readyz", &[]).await;
    let expected = json!({"status": "degraded", "checks": {
        "keys": {"status": "ok"}, "redis": {"status": "degraded", "detail": "redis does not answer"},
    }});
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[actix_web::test]
async fn what_fails_is_named_and_what_hangs_is_not_waited_for() {
    let broken = Arc::new(AtomicBool::new(true));
    let runs = Arc::new(AtomicUsize::new(0));
    let (is_broken, count) = (Arc::clone(&broken), Arc::clone(&runs));
    let mut setup = setup(http());
    setup.health = Health::builder()
        .check("database", Duration::from_secs(5), move || {
            count.fetch_add(1, Ordering::SeqCst);
            let result = if is_broken.load(Ordering::SeqCst) { Err("migrations are pending") } else { Ok(()) };
            async move { result }
        })
        .check("jwks", Duration::from_millis(20), || async {
            std::future::pending::<()>().await;
            Ok::<_, String>(())
        })
        .check("keys", Duration::from_secs(5), || async { Ok::<_, String>(()) })
        .build();
    let server = start_with(setup, Doors::new());
    let address = server.address();
    let expected = json!({"status": "failed", "checks": {
        "database": {"status": "failed", "detail": "migrations are pending"},
        "jwks": {"status": "failed", "detail": "no answer in 20 ms"},
        "keys": {"status": "ok"},
    }});
    let asks: Vec<_> = (0..8).map(|_| tokio::spawn(async move { get(address, "/readyz", &[]).await })).collect();
    for ask in asks {
        let answer = ask.await.unwrap();
        assert_eq!((answer.status, answer.json()), (503, expected.clone()));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1, "probes at the same time share one round of checks");
    assert_eq!(get(address, "/livez", &[]).await.status, 200, "it lives all the same");
}
