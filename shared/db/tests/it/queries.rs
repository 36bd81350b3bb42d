//! What the backends say differently.

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::prelude::*;
use tenantry_db::{Db, DbError, LockRowsDsl, UpsertDsl, each, excluded, rows_after, rows_before, sum_of};
use tenantry_types::UtcTime;
use tokio::sync::Barrier;

use crate::support::{Place, PlaceId, add, databases, find, jobs, place, places, scope, time};

#[tokio::test]
async fn an_upsert_inserts_or_changes() {
    for (_database, db) in databases().await {
        let scope = scope();
        let mut hall = place(scope, "hall");
        for (visits, note) in [(1, None), (5, Some("changed".to_owned()))] {
            hall.visits = visits;
            hall.note = note;
            let row = hall.clone();
            db.write(move |c| {
                diesel::insert_into(places::table)
                    .values(&row)
                    .upsert(
                        (places::tenant_id, places::id),
                        (places::note.eq(excluded(places::note)), places::visits.eq(places::visits + row.visits)),
                    )
                    .execute(c)
                    .map_err(DbError::from)
            })
            .await
            .unwrap();
        }
        let id = hall.id;
        let found = db.read(move |c| find(c, scope, id)).await.unwrap();
        assert_eq!((found.visits, found.note.as_deref()), (6, Some("changed")), "{}", db.backend());

        // By another unique key, with values of its own; and leaving the row as it is.
        let same_name = place(scope, "hall");
        db.write(move |c| {
            diesel::insert_into(places::table)
                .values(&same_name)
                .upsert((places::tenant_id, places::name), places::open.eq(false))
                .execute(c)?;
            diesel::insert_into(places::table)
                .values(&same_name)
                .upsert((places::tenant_id, places::name), places::name.eq(places::name))
                .execute(c)?;
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        let found: Vec<Place> = db.read(|c| Ok::<_, DbError>(places::table.load(c)?)).await.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].id, found[0].open), (id, false), "{}", db.backend());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_share_a_queue_without_meeting() {
    const WORKERS: usize = 4;
    for (_database, db) in databases().await {
        let all: Vec<i64> = (0..40).collect();
        let rows = all.clone();
        db.write(move |c| {
            let rows: Vec<_> = rows.iter().map(|number| jobs::number.eq(number)).collect();
            each!(c, c => diesel::insert_into(jobs::table).values(&rows).execute(c)).map_err(DbError::from)
        })
        .await
        .unwrap();
        let start = Arc::new(Barrier::new(WORKERS));
        let workers: Vec<_> = (0..WORKERS)
            .map(|worker| {
                let (db, start) = (db.clone(), Arc::clone(&start));
                tokio::spawn(async move {
                    start.wait().await;
                    let mut done = Vec::new();
                    while let Some(number) = take_a_job(&db, i64::try_from(worker).unwrap()).await {
                        done.push(number);
                    }
                    done
                })
            })
            .collect();
        let mut done = Vec::new();
        for worker in workers {
            done.extend(worker.await.unwrap());
        }
        assert_eq!(done.len(), all.len(), "{}: a job was done twice or not at all", db.backend());
        assert_eq!(done.into_iter().collect::<BTreeSet<_>>(), all.into_iter().collect());
    }
}

async fn take_a_job(db: &Db, worker: i64) -> Option<i64> {
    db.write(move |c| {
        let number: Option<i64> = jobs::table
            .filter(jobs::worker.is_null())
            .order(jobs::number)
            .select(jobs::number)
            .limit(1)
            .lock_rows_skipping()
            .get_result(c)
            .optional()?;
        if let Some(number) = number {
            diesel::update(jobs::table.find(number)).set(jobs::worker.eq(worker)).execute(c)?;
        }
        Ok::<_, DbError>(number)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn pages_follow_each_other_without_gaps_or_repeats() {
    for (_database, db) in databases().await {
        let scope = scope();
        let mut rows: Vec<(UtcTime, PlaceId)> = Vec::new();
        for number in 0..23 {
            let mut place = place(scope, &number.to_string());
            // Several rows at one time, made out of order.
            place.created_at = time(&format!("2026-01-31T09:30:00.00000{}Z", number * 7 % 5));
            rows.push((place.created_at, place.id));
            add(&db, &place).await;
        }
        rows.sort();
        assert_eq!(pages(&db, rows[0], false).await, rows[1..], "{}", db.backend());
        let last = rows.pop().unwrap();
        rows.reverse();
        assert_eq!(pages(&db, last, true).await, rows, "{}", db.backend());
    }
}

async fn pages(db: &Db, from: (UtcTime, PlaceId), descending: bool) -> Vec<(UtcTime, PlaceId)> {
    let mut all = vec![from];
    loop {
        let &(at, id) = all.last().unwrap();
        let page: Vec<(UtcTime, PlaceId)> = db
            .read(move |c| {
                let query = places::table.select((places::created_at, places::id)).limit(4);
                let page = if descending {
                    query
                        .filter(rows_before!(places::created_at, at, places::id, id))
                        .order((places::created_at.desc(), places::id.desc()))
                        .load(c)
                } else {
                    query
                        .filter(rows_after!(places::created_at, at, places::id, id))
                        .order((places::created_at, places::id))
                        .load(c)
                };
                Ok::<_, DbError>(page?)
            })
            .await
            .unwrap();
        if page.is_empty() {
            all.remove(0);
            return all;
        }
        all.extend(page);
    }
}

#[tokio::test]
async fn many_rows_go_in_at_once_and_are_summed() {
    for (_database, db) in databases().await {
        let scope = scope();
        let rows: Vec<Place> =
            (0..500).map(|number| Place { visits: number, ..place(scope, &number.to_string()) }).collect();
        let empty: Option<i64> =
            db.read(|c| Ok::<_, DbError>(places::table.select(sum_of(places::visits)).get_result(c)?)).await.unwrap();
        assert_eq!(empty, None);
        let inserted = db
            .write(move |c| {
                each!(c, c => diesel::insert_into(places::table).values(&rows).execute(c)).map_err(DbError::from)
            })
            .await
            .unwrap();
        assert_eq!(inserted, 500);
        let sum: Option<i64> =
            db.read(|c| Ok::<_, DbError>(places::table.select(sum_of(places::visits)).get_result(c)?)).await.unwrap();
        assert_eq!(sum, Some(124_750), "{}", db.backend());
    }
}

#[tokio::test]
async fn an_update_counts_the_rows_it_found_even_when_nothing_changes() {
    for (_database, db) in databases().await {
        add(&db, &place(scope(), "hall")).await;
        for _ in 0..2 {
            let found = db
                .write(|c| diesel::update(places::table).set(places::visits.eq(7)).execute(c).map_err(DbError::from))
                .await;
            assert_eq!(found.unwrap(), 1, "{}", db.backend());
        }
    }
}
