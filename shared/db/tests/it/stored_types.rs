//! Values come back as they went in.

use diesel::prelude::*;
use tenantry_db::DbError;
use tenantry_types::UtcTime;

use crate::support::{Kind, add, databases, find, place, places, scope, time};

#[tokio::test]
async fn every_type_comes_back_as_it_went_in() {
    for (_database, db) in databases().await {
        let scope = scope();
        let mut full = place(scope, "Großer Saal 🎪");
        full.kind = Kind::Field;
        full.open = false;
        full.visits = i64::MAX;
        full.note = Some("it's \"quoted\" \\ and\nmore".to_owned());
        full.closed_at = Some(UtcTime::MAX);
        let empty = place(scope, "");
        for place in [full, empty] {
            add(&db, &place).await;
            let found = db.read(move |c| find(c, scope, place.id)).await;
            assert_eq!(found.unwrap(), place, "{}", db.backend());
        }
    }
}

#[tokio::test]
async fn times_keep_their_microseconds_and_their_order() {
    let texts = [
        "2026-01-31T09:30:00Z",
        "2026-01-31T09:30:00.000001Z",
        "2026-01-31T09:30:00.001Z",
        "2026-01-31T09:30:00.5Z",
        "2026-01-31T09:30:00.500001Z",
        "2026-01-31T09:30:00.999999Z",
        "2026-01-31T09:30:01Z",
        "2026-01-31T10:00:00Z",
    ];
    for (_database, db) in databases().await {
        let scope = scope();
        for text in texts.iter().rev() {
            let mut place = place(scope, text);
            place.created_at = time(text);
            add(&db, &place).await;
        }
        let names: Vec<String> = db
            .read(move |c| Ok::<_, DbError>(places::table.order(places::created_at).select(places::name).load(c)?))
            .await
            .unwrap();
        assert_eq!(names, texts, "{}", db.backend());
        let not_later = time(texts[3]);
        let count: i64 = db
            .read(move |c| {
                Ok::<_, DbError>(places::table.filter(places::created_at.le(not_later)).count().get_result(c)?)
            })
            .await
            .unwrap();
        assert_eq!(count, 4, "{}", db.backend());
    }
}

#[tokio::test]
async fn a_text_that_is_no_value_of_its_type_is_an_error_and_not_a_panic() {
    for (_database, db) in databases().await {
        let scope = scope();
        let place = place(scope, "hall");
        add(&db, &place).await;
        db.write(|c| diesel::update(places::table).set(places::kind.eq("ocean")).execute(c).map_err(DbError::from))
            .await
            .unwrap();
        let found = db.read(move |c| find(c, scope, place.id)).await;
        assert!(matches!(&found, Err(DbError::Other(error)) if error.to_string().contains("kind")), "{found:?}");
    }
}
