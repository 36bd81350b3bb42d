//! Units of work: all or nothing, whatever happens.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::prelude::*;
use tenantry_db::{Backend, Connection, Db, DbError, LockRowsDsl, TenantScope};
use tokio::sync::Barrier;

use crate::support::{
    Booking, PlaceId, add, bookings, databases, find, insert, new_id, place, places, scope, server, time,
};

async fn count(db: &Db) -> i64 {
    db.read(|c| Ok::<_, DbError>(places::table.count().get_result(c)?)).await.unwrap()
}

#[tokio::test]
async fn an_error_rolls_everything_back() {
    for (_database, db) in databases().await {
        let scope = scope();
        let result: Result<(), DbError> = db
            .write(move |c| {
                insert(c, &place(scope, "one"))?;
                c.savepoint(|c| insert(c, &place(scope, "two")))?;
                Err(DbError::NotFound)
            })
            .await;
        assert!(matches!(result, Err(DbError::NotFound)));
        assert_eq!(count(&db).await, 0);
    }
}

#[tokio::test]
async fn a_nested_transaction_is_undone_alone() {
    for (_database, db) in databases().await {
        let scope = scope();
        db.write(move |c| {
            insert(c, &place(scope, "kept"))?;
            let inner: Result<(), DbError> = c.savepoint(|c| {
                insert(c, &place(scope, "undone"))?;
                Err(DbError::NotFound)
            });
            assert!(inner.is_err());
            insert(c, &place(scope, "kept too"))
        })
        .await
        .unwrap();
        assert_eq!(count(&db).await, 2);
    }
}

#[tokio::test]
async fn a_panic_is_an_error_that_rolls_back_and_poisons_nothing() {
    for (_database, db) in databases().await {
        let scope = scope();
        for _ in 0..20 {
            let result: Result<(), DbError> = db
                .write(move |c| {
                    insert(c, &place(scope, "one"))?;
                    panic!("in the middle")
                })
                .await;
            assert!(matches!(&result, Err(DbError::Panicked(said)) if said == "in the middle"), "{result:?}");
            let result: Result<(), DbError> = db.read(|_| panic!("while {}", "reading")).await;
            assert!(matches!(&result, Err(DbError::Panicked(said)) if said == "while reading"), "{result:?}");
        }
        add(&db, &place(scope, "two")).await;
        assert_eq!(count(&db).await, 1, "{}", db.backend());
    }
}

#[tokio::test]
async fn what_the_database_refuses_has_a_name() {
    for (_database, db) in databases().await {
        let scope = scope();
        let first = place(scope, "hall");
        add(&db, &first).await;

        let same_name = place(scope, "hall");
        let conflict = db.write(move |c| insert(c, &same_name)).await.unwrap_err();
        assert!(conflict.conflicts_on("name"), "{conflict}");
        let other_tenant = place(crate::support::scope(), "hall");
        add(&db, &other_tenant).await;

        // The composite key refuses a reference into another tenant.
        let across = Booking {
            tenant_id: scope.tenant_id(),
            id: new_id(),
            place_id: other_tenant.id,
            starts_at: time("2026-01-01T00:00:00Z"),
        };
        let refused = db
            .write(move |c| diesel::insert_into(bookings::table).values(&across).execute(c).map_err(DbError::from))
            .await;
        assert!(matches!(refused, Err(DbError::ForeignKey)), "{refused:?}");

        let mut negative = place(scope, "negative");
        negative.visits = -1;
        let refused = db.write(move |c| insert(c, &negative)).await;
        assert!(matches!(refused, Err(DbError::Invalid(_))), "{refused:?}");

        let missing = db.read(move |c| find(c, scope, new_id())).await;
        assert!(matches!(missing, Err(DbError::NotFound)), "{missing:?}");
    }
}

#[tokio::test]
async fn reading_refuses_to_write_on_sqlite() {
    for (_database, db) in databases().await {
        if db.backend() == Backend::Sqlite {
            let result = db.read(|c| insert(c, &place(scope(), "hall"))).await;
            assert!(matches!(result, Err(DbError::Other(_))), "{result:?}");
            assert_eq!(count(&db).await, 0);
        }
    }
}

fn visit(connection: &mut Connection, scope: TenantScope, id: PlaceId) -> Result<(), DbError> {
    let row = places::table.find((scope.tenant_id(), id));
    // Read, then written: whoever does not hold the row in between loses visits.
    let visits: i64 = row.select(places::visits).lock_rows().get_result(connection)?;
    diesel::update(row).set(places::visits.eq(visits + 1)).execute(connection)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_at_once_lose_nothing() {
    const WRITERS: i64 = 8;
    const EACH: i64 = 25;
    for (database, db) in databases().await {
        let scope = scope();
        let place = place(scope, "hall");
        let id = place.id;
        add(&db, &place).await;
        let start = Arc::new(Barrier::new(8));
        // Half of them as another process would: with a pool of its own.
        let other = database.open().await;
        let writers: Vec<_> = (0..WRITERS)
            .map(|number| {
                let (db, start) = (if number % 2 == 0 { db.clone() } else { other.clone() }, Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    for _ in 0..EACH {
                        db.write(move |c| visit(c, scope, id)).await.unwrap();
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let place = db.read(move |c| find(c, scope, id)).await.unwrap();
        assert_eq!(place.visits, WRITERS * EACH, "{}", db.backend());
    }
}

type Second = fn(&mut Connection, TenantScope, PlaceId) -> Result<(), DbError>;

/// Two transactions that take two rows in opposite order; the second thing each does is told by `second`.
async fn collide(db: &Db, second: Second) -> (Vec<Result<(), DbError>>, u32, Vec<i64>) {
    let scope = scope();
    let (one, two) = (place(scope, "one"), place(scope, "two"));
    add(db, &one).await;
    add(db, &two).await;
    let met = Arc::new(std::sync::Barrier::new(2));
    let attempts = Arc::new(AtomicU32::new(0));
    let run = |first: PlaceId, then: PlaceId| {
        let (db, met, attempts) = (db.clone(), Arc::clone(&met), Arc::clone(&attempts));
        let mut first_attempt = true;
        tokio::spawn(async move {
            db.write(move |c| {
                attempts.fetch_add(1, Ordering::SeqCst);
                visit(c, scope, first)?;
                if std::mem::take(&mut first_attempt) {
                    met.wait();
                }
                second(c, scope, then)
            })
            .await
        })
    };
    let (a, b) = (run(one.id, two.id), run(two.id, one.id));
    let results = vec![a.await.unwrap(), b.await.unwrap()];
    let mut visits = Vec::new();
    for id in [one.id, two.id] {
        visits.push(db.read(move |c| find(c, scope, id)).await.unwrap().visits);
    }
    (results, attempts.load(Ordering::SeqCst), visits)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_victim_of_a_deadlock_is_tried_again() {
    let Some((_database, db)) = server().await else { return };
    let (results, attempts, visits) = collide(&db, visit).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(visits, [2, 2]);
    assert!(attempts >= 3, "no deadlock came about");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_that_the_work_swallows_or_meets_in_a_savepoint_is_tried_again_all_the_same() {
    let Some((_database, db)) = server().await else { return };
    let swallowing = |c: &mut Connection, scope, id| {
        let _ = visit(c, scope, id);
        Ok(())
    };
    let in_savepoint = |c: &mut Connection, scope, id| c.savepoint(|c| visit(c, scope, id));
    for second in [swallowing as Second, in_savepoint] {
        let (results, attempts, visits) = collide(&db, second).await;
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(visits, [2, 2]);
        assert!(attempts >= 3, "no deadlock came about");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_on_after_the_caller_has_gone() {
    for (_database, db) in databases().await {
        let scope = scope();
        let (reached, here) = tokio::sync::oneshot::channel::<()>();
        let (go, gone) = std::sync::mpsc::channel::<()>();
        let mut reached = Some(reached);
        let caller = {
            let db = db.clone();
            tokio::spawn(async move {
                db.write(move |c| {
                    insert(c, &place(scope, "hall"))?;
                    if let Some(reached) = reached.take() {
                        reached.send(()).unwrap();
                    }
                    gone.recv().unwrap();
                    Ok::<_, DbError>(())
                })
                .await
            })
        };
        here.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        go.send(()).unwrap();
        // The same connection writes next on SQLite; on a server the row shows up when it is committed.
        db.write(|_| Ok::<_, DbError>(())).await.unwrap();
        while count(&db).await == 0 {
            tokio::task::yield_now().await;
        }
    }
}
