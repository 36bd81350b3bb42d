//! What the filter of policies costs in a list, beside the same query written by hand.
//!
//! Makes a tenant with that many people and asks for pages as the service does, once by what policies say of the caller and
//! once by a condition in the query, in turns. Both have to find the same people.

use std::time::{Duration, Instant};

use diesel::dsl::{exists, not};
use diesel::helper_types::IntoBoxed;
use diesel::prelude::*;
use serde_json::{Value, json};
use tenantry_api::access::Kinds;
use tenantry_api::access::policy::{Facts, Filter, Listing, Policy, PolicySet};
use tenantry_api::routes;
use tenantry_db::{Connection, Db, DbError, MultiBackend, insert_all, rows_after};
use tenantry_types::{Clock as _, SystemClock, SystemRandom, TenantId, UtcTime};

use crate::Failure;

diesel::table! {
    tenants (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    users (tenant_id, id) {
        id -> Text,
        tenant_id -> Text,
        home_tenant_id -> Nullable<Text>,
        username -> Nullable<Text>,
        email -> Nullable<Text>,
        email_verified -> Bool,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        metadata -> Text,
        status -> Text,
        roles_managed -> Bool,
        roles_version -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    user_groups (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    group_members (tenant_id, group_id, user_id) {
        tenant_id -> Text,
        group_id -> Text,
        user_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(users, user_groups, group_members);

/// What is shown of somebody.
#[derive(Debug, PartialEq, Queryable, Selectable)]
#[diesel(table_name = users)]
struct Person {
    id: String,
    home_tenant_id: Option<String>,
    username: Option<String>,
    email: Option<String>,
    email_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    metadata: String,
    status: String,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewPerson<'a> {
    id: String,
    tenant_id: &'a str,
    email: String,
    email_verified: bool,
    given_name: &'a str,
    family_name: String,
    metadata: &'a str,
    status: &'a str,
    roles_managed: bool,
    roles_version: i64,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = group_members, treat_none_as_default_value = false)]
struct NewMember<'a> {
    tenant_id: &'a str,
    group_id: String,
    user_id: String,
    created_at: UtcTime,
}

/// How many are written with one statement, and in one transaction.
const ROWS: usize = 500;
const PIECE: usize = 20_000;
/// How many are on a page, with the one that tells that there are more.
const PAGE: i64 = 51;
/// How long one question is asked over and over, and how often at most and at least.
const LONGEST: Duration = Duration::from_secs(6);
const MOST: usize = 400;
const LEAST: usize = 5;

const STATUSES: [&str; 4] = ["active", "suspended", "inactive", "banned"];

type People<'a> = IntoBoxed<'a, users::table, MultiBackend>;

/// A question: policies, and what they mean, written by hand.
struct Question {
    name: &'static str,
    policies: Vec<Value>,
    /// Begins after this one of the people; at the beginning without.
    after: Option<usize>,
    by_hand: fn(People<'static>) -> People<'static>,
}

fn policy(effect: &str, conditions: &Value) -> Value {
    json!({"name": "bench", "target": {"resource": "account", "action": "read"},
        "rules": {"effect": effect, "conditions": conditions}})
}

fn questions(people: usize) -> Vec<Question> {
    let active = || vec![policy("allow", &json!([{"account.status": "== \"active\""}]))];
    vec![
        Question {
            name: "those in use, the first page",
            policies: active(),
            after: None,
            by_hand: |query| query.filter(users::status.eq("active")),
        },
        Question {
            name: "those in use, a page from the middle",
            policies: active(),
            after: Some(people / 2),
            by_hand: |query| query.filter(users::status.eq("active")),
        },
        Question {
            name: "all but those of a domain and those who are banned",
            policies: vec![
                policy("allow", &json!([])),
                policy("deny", &json!([{"account.email": "ends_with \"@partner.example\""}])),
                policy("deny", &json!([{"account.status": "== \"banned\""}])),
            ],
            after: Some(people / 2),
            by_hand: |query| {
                query.filter(not(users::email.like("%@partner.example"))).filter(users::status.ne("banned"))
            },
        },
        Question {
            name: "those in a group of one in a thousand",
            policies: vec![policy("allow", &json!([{"account.groups": "contains \"Auditors\""}]))],
            after: None,
            by_hand: |query| {
                let member = group_members::table
                    .inner_join(user_groups::table.on(user_groups::id.eq(group_members::group_id)))
                    .filter(group_members::tenant_id.eq(users::tenant_id))
                    .filter(group_members::user_id.eq(users::id))
                    .filter(user_groups::name.eq("Auditors"));
                query.filter(exists(member))
            },
        },
        Question {
            name: "one in forty thousand, all rows looked at",
            policies: vec![policy(
                "allow",
                &json!([{"account.status": "== \"banned\"", "account.email_verified": "== false"}]),
            )],
            after: None,
            by_hand: |query| query.filter(users::status.eq("banned")).filter(users::email_verified.eq(false)),
        },
    ]
}

/// The medians of each question.
pub async fn measure(db: &Db, people: usize) -> Result<Value, Failure> {
    let tenant = TenantId::new(&SystemClock, &SystemRandom).to_string();
    let now = SystemClock.now();
    fill(db, &tenant, now, people).await?;

    let kinds = routes::table().kinds();
    let mut figures = Vec::new();
    for question in questions(people) {
        figures.push(ask(db, &kinds, &tenant, now, people, &question).await?);
    }
    Ok(json!({ "backend": format!("{:?}", db.backend()), "people": people, "questions": figures }))
}

fn since(now: UtcTime, people: usize, number: usize) -> UtcTime {
    now - Duration::from_secs(u64::try_from(people - number).unwrap_or_default())
}

fn id(number: usize) -> String {
    format!("0190b2c4-0000-7000-8000-{number:012}")
}

/// Makes the tenant with its people, and one more with some.
async fn fill(db: &Db, tenant: &str, now: UtcTime, people: usize) -> Result<(), DbError> {
    let other = TenantId::new(&SystemClock, &SystemRandom).to_string();
    for (tenant, people) in [(tenant.to_owned(), people), (other, people / 10)] {
        let of = tenant.clone();
        db.write(move |conn| make(conn, &of, now)).await?;
        for from in (0..people).step_by(PIECE) {
            let (of, to) = (tenant.clone(), (from + PIECE).min(people));
            let piece = move |conn: &mut Connection| {
                (from..to).step_by(ROWS).try_for_each(|at| add(conn, &of, now, people, at, (at + ROWS).min(to)))
            };
            db.write(piece).await?;
        }
    }
    Ok(())
}

fn group(tenant: &str) -> String {
    format!("{}a", &tenant[..tenant.len() - 1])
}

fn make(conn: &mut Connection, tenant: &str, now: UtcTime) -> Result<(), DbError> {
    let row = (
        tenants::id.eq(tenant),
        tenants::slug.eq(format!("t{}", &tenant[tenant.len() - 8..])),
        tenants::name.eq("Bench"),
        tenants::created_at.eq(now),
        tenants::updated_at.eq(now),
    );
    diesel::insert_into(tenants::table).values(row).execute(conn)?;
    let row = (
        user_groups::id.eq(group(tenant)),
        user_groups::tenant_id.eq(tenant),
        user_groups::name.eq("Auditors"),
        user_groups::version.eq(1_i64),
        user_groups::created_at.eq(now),
        user_groups::updated_at.eq(now),
    );
    diesel::insert_into(user_groups::table).values(row).execute(conn)?;
    Ok(())
}

fn add(
    conn: &mut Connection,
    tenant: &str,
    now: UtcTime,
    people: usize,
    from: usize,
    to: usize,
) -> Result<(), DbError> {
    let rows: Vec<NewPerson<'_>> = (from..to)
        .map(|number| {
            let domain = if number % 5 == 0 { "partner" } else { "acme" };
            let at = since(now, people, number);
            NewPerson {
                id: id(number),
                tenant_id: tenant,
                email: format!("person{number}@{domain}.example"),
                email_verified: number % 667 != 199,
                given_name: "Ada",
                family_name: format!("Person {number}"),
                metadata: "{}",
                status: if number % 20 == 19 { STATUSES[1 + (number / 20) % 3] } else { STATUSES[0] },
                roles_managed: false,
                roles_version: 0,
                version: 1,
                created_at: at,
                updated_at: at,
            }
        })
        .collect();
    insert_all!(conn, users::table, &rows[..])?;
    let members: Vec<NewMember<'_>> = (from..to)
        .filter(|number| number % 1_000 == 777)
        .map(|number| NewMember { tenant_id: tenant, group_id: group(tenant), user_id: id(number), created_at: now })
        .collect();
    Ok(insert_all!(conn, group_members::table, &members[..])?)
}

/// What the service asks for.
fn page(tenant: &str, after: Option<(UtcTime, String)>) -> People<'static> {
    let mut query = users::table.filter(users::tenant_id.eq(tenant.to_owned())).into_boxed();
    if let Some((time, id)) = after {
        query = query.filter(rows_after!(users::created_at, time, users::id, id));
    }
    query.order((users::created_at.asc(), users::id.asc())).limit(PAGE)
}

async fn ask(
    db: &Db,
    kinds: &Kinds,
    tenant: &str,
    now: UtcTime,
    people: usize,
    question: &Question,
) -> Result<Value, Failure> {
    let parse = |policy: &Value| Policy::parse(kinds.catalogue(), policy.clone());
    let policies: Result<Vec<_>, _> = question.policies.iter().map(parse).collect();
    let policies = PolicySet::new(policies.map_err(|errors| format!("{}: {errors:?}", question.name))?);
    let (_, columns) = kinds.kept("account").ok_or("there are no people")?;
    let (schema, facts) = (kinds.schema("account"), Facts::at(now));
    let visible = || {
        let listing = Listing { schema, columns, resource: "account", action: "read", facts: &facts, base: false };
        policies.filter(&listing)
    };
    if !visible().is_exact() {
        return Err(format!("{}: the database is not asked all of it", question.name).into());
    }
    let after = question.after.map(|number| (since(now, people, number), id(number)));
    let (mut filtered, mut by_hand) = (Vec::new(), Vec::new());
    let began = Instant::now();
    while by_hand.len() < LEAST || (by_hand.len() < MOST && began.elapsed() < LONGEST) {
        let (query_tenant, query_after, written) = (tenant.to_owned(), after.clone(), question.by_hand);
        let at = Instant::now();
        let expected = db.read(move |conn| found(conn, written(page(&query_tenant, query_after.clone())))).await?;
        by_hand.push(at.elapsed());

        let (query_tenant, query_after) = (tenant.to_owned(), after.clone());
        let at = Instant::now();
        let filter: Filter = visible();
        let query =
            move |conn: &mut Connection| found(conn, page(&query_tenant, query_after.clone()).filter(filter.to_sql()));
        let listed = db.read(query).await?;
        filtered.push(at.elapsed());
        if listed != expected || listed.is_empty() {
            return Err(format!("{}: {} and {} people were found", question.name, listed.len(), expected.len()).into());
        }
    }
    let (filtered, by_hand) = (median(filtered), median(by_hand));
    Ok(json!({
        "question": question.name,
        "filtered_ms": filtered.as_secs_f64() * 1_000.0,
        "by_hand_ms": by_hand.as_secs_f64() * 1_000.0,
        "ratio": filtered.as_secs_f64() / by_hand.as_secs_f64(),
    }))
}

fn found(conn: &mut Connection, query: People<'static>) -> Result<Vec<Person>, DbError> {
    Ok(query.select(Person::as_select()).load(conn)?)
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
