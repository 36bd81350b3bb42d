//! Connections that die: a server that restarts, a proxy that cuts, an operator who kills.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_db::{Connection, Db, DbError};
use tenantry_testing::TestDatabase;

use crate::support::{insert, place, places, scope, server};

#[derive(QueryableByName)]
struct Process {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Ends every connection to the database but the one that does it.
async fn kill_all(database: &TestDatabase) -> usize {
    let url = database.url().clone();
    let kill = move || {
        let mut connection = Connection::connect(&url).unwrap();
        let others: Vec<Process> = diesel::sql_query(
            "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .load(&mut connection)
        .unwrap();
        for Process { id } in &others {
            connection.batch_execute(&format!("KILL {id}")).unwrap();
        }
        others.len()
    };
    tokio::task::spawn_blocking(kill).await.unwrap()
}

/// As many connections as there may be, all of them used just now.
async fn fill(db: &Db) {
    let together = Arc::new(std::sync::Barrier::new(8));
    let reads: Vec<_> = (0..8)
        .map(|_| {
            let (db, together) = (db.clone(), Arc::clone(&together));
            tokio::spawn(async move {
                db.read(move |c| {
                    together.wait();
                    Ok::<_, DbError>(places::table.count().get_result::<i64>(c)?)
                })
                .await
            })
        })
        .collect();
    for read in reads {
        read.await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_were_killed_are_not_noticed_by_anyone() {
    let Some((database, db)) = server().await else { return };
    for round in 0..5 {
        fill(&db).await;
        assert_eq!(kill_all(&database).await, 8);
        let units: Vec<_> = (0..20)
            .map(|number| {
                let db = db.clone();
                tokio::spawn(async move {
                    if (number + round) % 2 == 0 {
                        db.read(|c| Ok::<_, DbError>(places::table.count().get_result::<i64>(c)?)).await.map(drop)
                    } else {
                        db.write(move |c| insert(c, &place(scope(), "hall"))).await
                    }
                })
            })
            .collect();
        for unit in units {
            unit.await.unwrap().unwrap();
        }
    }
    let count = db.read(|c| Ok::<_, DbError>(places::table.count().get_result::<i64>(c)?)).await;
    assert_eq!(count.unwrap(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transaction_whose_connection_dies_before_the_commit_runs_again() {
    let Some((database, db)) = server().await else { return };
    let (reached, here) = tokio::sync::oneshot::channel();
    let (go, killed) = std::sync::mpsc::channel::<()>();
    let attempts = Arc::new(AtomicU32::new(0));
    let unit = {
        let (db, attempts) = (db.clone(), Arc::clone(&attempts));
        let mut reached = Some(reached);
        tokio::spawn(async move {
            db.write(move |c| {
                attempts.fetch_add(1, Ordering::SeqCst);
                let scope = scope();
                insert(c, &place(scope, "one"))?;
                if let Some(reached) = reached.take() {
                    reached.send(()).unwrap();
                    killed.recv().unwrap();
                }
                insert(c, &place(scope, "two"))
            })
            .await
        })
    };
    here.await.unwrap();
    kill_all(&database).await;
    go.send(()).unwrap();
    unit.await.unwrap().unwrap();
    assert_eq!(attempts.load(Ordering::SeqCst), 2);
    let count = db.read(|c| Ok::<_, DbError>(places::table.count().get_result::<i64>(c)?)).await;
    assert_eq!(count.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_dies_at_the_commit_leaves_the_outcome_open() {
    let Some((database, db)) = server().await else { return };
    let (reached, here) = tokio::sync::oneshot::channel();
    let (go, killed) = std::sync::mpsc::channel::<()>();
    let unit = {
        let db = db.clone();
        let mut reached = Some(reached);
        tokio::spawn(async move {
            db.write(move |c| {
                insert(c, &place(scope(), "one"))?;
                reached.take().unwrap().send(()).unwrap();
                killed.recv().unwrap();
                Ok::<_, DbError>(())
            })
            .await
        })
    };
    here.await.unwrap();
    kill_all(&database).await;
    go.send(()).unwrap();
    let result = unit.await.unwrap();
    assert!(matches!(result, Err(DbError::OutcomeUnknown(_))), "{result:?}");
    db.ping().await.unwrap();
}
