//! The policy of the plan over a table, on whichever database: a row is listed where a decision over it allows.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use reqwest::Method;
use serde_json::json;
use tenantry_api::access::policy::{Column, Columns, Facts, Listing, Policy, PolicySet, Value as Known};
use tenantry_api::routes;
use tenantry_db::DbError;
use tenantry_types::{Clock as _, UtcTime};

use super::{POLICIES, premium};
use crate::support::TestApi;

diesel::table! {
    test_bookings (id) {
        id -> Text,
        scheduled_time -> Nullable<Timestamp>,
    }
}

#[actix_web::test]
async fn a_list_shows_what_a_decision_allows() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let mut saved = api.done_as(&token, Method::POST, POLICIES, &premium()).await;
    // What is kept is what was checked: it compiles as it is given back.
    for own in ["id", "version", "is_enabled", "created_at", "updated_at"] {
        saved.as_object_mut().unwrap().remove(own);
    }
    let kinds = routes::table().kinds();
    let policies = PolicySet::new(vec![Policy::parse(kinds.catalogue(), saved).unwrap()]);
    let schema = kinds.get("booking").unwrap().schema.clone();
    let now = api.clock.now();
    let times: Vec<(String, Option<UtcTime>)> = [23, 24, 25, 48]
        .into_iter()
        .map(|hours| (format!("in {hours}"), Some(now + Duration::from_secs(hours * 3_600))))
        .chain([("nobody knows".to_owned(), None)])
        .collect();
    let db = api.database.open().await;
    let rows = times.clone();
    db.write(move |conn| {
        sql_query("CREATE TABLE test_bookings (id VARCHAR(40) NOT NULL PRIMARY KEY, scheduled_time TIMESTAMP(6) NULL)")
            .execute(conn)?;
        for (id, time) in &rows {
            let row = (test_bookings::id.eq(id), test_bookings::scheduled_time.eq(time));
            diesel::insert_into(test_bookings::table).values(row).execute(conn)?;
        }
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();

    for role in ["PremiumCustomer", "member"] {
        let person = json!({ "user.role": [role] });
        let facts = Facts::from_json(&schema, now, person, "").unwrap();
        let columns =
            Columns::new(&schema, [("booking.scheduled_time", Column::Time("`test_bookings`.`scheduled_time`"))]);
        let columns = columns.unwrap();
        let listing = Listing {
            schema: &schema,
            columns: &columns,
            resource: "booking",
            action: "cancel",
            facts: &facts,
            base: false,
        };
        let filter = policies.filter(&listing);
        assert!(filter.is_exact());
        let query = move |conn: &mut tenantry_db::Connection| {
            let found = test_bookings::table.filter(filter.to_sql()).order(test_bookings::id).select(test_bookings::id);
            Ok::<Vec<String>, DbError>(found.load(conn)?)
        };
        let listed = db.read(query).await.unwrap();
        let expected: Vec<&str> = if role == "PremiumCustomer" { vec!["in 25", "in 48"] } else { Vec::new() };
        assert_eq!(listed, expected, "{role}");
        for (id, time) in &times {
            let mut facts = facts.clone();
            if let Some(time) = time {
                facts.set(schema.slot("booking.scheduled_time").unwrap(), Known::Time(*time));
            }
            let allowed = policies.decide("booking", "cancel", &facts).allows(false);
            assert_eq!(allowed, listed.contains(id), "{role} {id}");
        }
    }
}
