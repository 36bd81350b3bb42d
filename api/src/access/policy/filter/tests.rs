//! A row is found if and only if a decision over its values says so, on each database.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use tenantry_db::{Backend, Db, DbError};
use tenantry_testing::TestDatabase;
use tenantry_types::UtcTime;

mod generate;
mod known;

use generate::{a_caller, a_policy, one_of};

use super::{Column, *};
use crate::access::policy::{Attribute, Catalogue, Currency, Money, Resource, Type, Value, Verdict};

const NOW: &str = "2026-03-29T00:30:00Z";

diesel::table! {
    things (id) {
        id -> BigInt,
        owner -> Nullable<Text>,
        alias -> Nullable<Text>,
        code -> Nullable<Text>,
        guests -> Nullable<BigInt>,
        rooms -> Nullable<BigInt>,
        weight -> Nullable<BigInt>,
        length -> Nullable<BigInt>,
        paid -> Nullable<Bool>,
        open -> Nullable<Bool>,
        begins -> Nullable<Timestamp>,
        ends -> Nullable<Timestamp>,
        minor -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        limit_minor -> Nullable<BigInt>,
        limit_currency -> Nullable<Text>,
        price -> Nullable<BigInt>,
    }
}

diesel::table! {
    thing_tags (thing_id, tag) {
        thing_id -> BigInt,
        tag -> Text,
    }
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = things)]
struct Thing {
    id: i64,
    owner: Option<String>,
    alias: Option<String>,
    code: Option<String>,
    guests: Option<i64>,
    rooms: Option<i64>,
    weight: Option<i64>,
    length: Option<i64>,
    paid: Option<bool>,
    open: Option<bool>,
    begins: Option<UtcTime>,
    ends: Option<UtcTime>,
    minor: Option<i64>,
    currency: Option<String>,
    limit_minor: Option<i64>,
    limit_currency: Option<String>,
    price: Option<i64>,
    #[diesel(skip_insertion)]
    tags: Vec<String>,
    #[diesel(skip_insertion)]
    note: Option<String>,
}

/// Texts that one or the other database would take for one another, or for something else.
const TEXTS: &[&str] = &[
    "",
    "a",
    "a ",
    " a",
    "A",
    "ada",
    "Ada",
    "ad\u{430}",
    "ada\u{200b}",
    "\u{e9}",
    "e\u{301}",
    "\u{fb01}",
    "fi",
    "%",
    "_",
    "a%",
    "a_a",
    "\\",
    "\\%",
    "'",
    "\"",
    "\u{df}",
    "ss",
    "SS",
    "\u{130}",
    "i",
    "\u{1f980}",
    "a\0b",
    "a\0c",
    "1",
    "1.0",
    "01",
];
const CODES: &[&str] = &["", "a", "a ", "A", "ada", "%", "_", "1", "1.0", "a_a"];
const TIMES: &[&str] = &[
    "1970-01-01T00:00:00Z",
    "1970-01-01T00:00:00.000001Z",
    "2026-03-28T00:30:00Z",
    NOW,
    "2026-03-29T00:30:00.000001Z",
    "2026-03-29T00:59:59.999999Z",
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:00:00.500Z",
    "2026-03-30T00:30:00Z",
    "2026-10-25T00:30:00Z",
    "2026-10-25T01:30:00Z",
    "9999-12-31T23:59:58Z",
    "9999-12-31T23:59:59Z",
];
const WHOLE: &[i64] = &[
    i64::MIN,
    -9_223_372_036_855,
    -9_223_372_036_854,
    -1,
    0,
    1,
    2,
    3,
    4,
    59,
    60,
    3_600,
    86_400,
    1_000_000,
    1_500_000,
    2_500_000,
    9_223_372_036_854,
    9_223_372_036_855,
    i64::MAX,
];
const CURRENCIES: &[&str] = &["EUR", "USD", "JPY"];

fn types() -> Vec<(&'static str, Type)> {
    vec![
        ("thing.owner", Type::Text),
        ("thing.alias", Type::Text),
        ("thing.code", Type::Text),
        ("thing.note", Type::Text),
        ("thing.guests", Type::Number),
        ("thing.rooms", Type::Number),
        ("thing.weight", Type::Number),
        ("thing.length", Type::Duration),
        ("thing.paid", Type::Bool),
        ("thing.open", Type::Bool),
        ("thing.begins", Type::Time),
        ("thing.ends", Type::Time),
        ("thing.amount", Type::Money),
        ("thing.limit", Type::Money),
        ("thing.price", Type::Money),
        ("thing.tags", Type::Set),
    ]
}

fn catalogue() -> Catalogue {
    let attributes = types().into_iter().map(|(name, of)| Attribute::new(name, of, ""));
    let thing = Resource { schema: Schema::with(attributes), actions: vec!["read".into()] };
    Catalogue::new([("thing".into(), thing)])
}

const TAGS: SetColumn = SetColumn {
    before: "EXISTS (SELECT 1 FROM thing_tags WHERE thing_tags.thing_id = things.id AND",
    member: "thing_tags.tag",
    after: ")",
};

fn columns(schema: &Schema) -> Columns {
    let euro = Currency::parse("EUR").unwrap();
    // The note has no column.
    Columns::new(
        schema,
        [
            ("thing.owner", Column::Text("`things`.`owner`")),
            ("thing.alias", Column::Text("`things`.`alias`")),
            ("thing.code", Column::Text("`things`.`code`")),
            ("thing.guests", Column::Count("`things`.`guests`")),
            ("thing.rooms", Column::Count("`things`.`rooms`")),
            ("thing.weight", Column::Millionths("`things`.`weight`")),
            ("thing.length", Column::Duration("`things`.`length`", 1_000_000)),
            ("thing.paid", Column::Bool("`things`.`paid`")),
            ("thing.open", Column::Bool("`things`.`open`")),
            ("thing.begins", Column::Time("`things`.`begins`")),
            ("thing.ends", Column::Time("`things`.`ends`")),
            ("thing.amount", Column::Money("`things`.`minor`", CurrencyColumn::Column("`things`.`currency`"))),
            (
                "thing.limit",
                Column::Money("`things`.`limit_minor`", CurrencyColumn::Column("`things`.`limit_currency`")),
            ),
            ("thing.price", Column::Money("`things`.`price`", CurrencyColumn::Fixed(euro))),
            ("thing.tags", Column::Set(TAGS)),
        ],
    )
    .unwrap()
}

fn or_null<T: std::fmt::Debug + Clone>(of: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    prop_oneof![1 => Just(None), 4 => of.prop_map(Some)]
}

fn text(of: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    or_null(one_of(of).prop_map(str::to_owned))
}

fn time() -> impl Strategy<Value = Option<UtcTime>> {
    or_null(one_of(TIMES).prop_map(|text| text.parse().unwrap()))
}

fn whole() -> impl Strategy<Value = Option<i64>> {
    or_null(prop_oneof![one_of(WHOLE), -5..5_i64, prop::num::i64::ANY])
}

fn things_to_list() -> impl Strategy<Value = Vec<Thing>> {
    let texts = (text(TEXTS), text(TEXTS), text(CODES), text(TEXTS), prop::collection::btree_set(one_of(TEXTS), 0..4));
    let numbers = (whole(), whole(), whole(), whole(), whole(), whole(), whole());
    let others =
        (or_null(prop::bool::ANY), or_null(prop::bool::ANY), time(), time(), text(CURRENCIES), text(CURRENCIES));
    let thing = (texts, numbers, others).prop_map(|(texts, numbers, others)| Thing {
        id: 0,
        owner: texts.0,
        alias: texts.1,
        code: texts.2,
        note: texts.3,
        tags: texts.4.into_iter().map(str::to_owned).collect(),
        guests: numbers.0,
        rooms: numbers.1,
        weight: numbers.2,
        length: numbers.3,
        minor: numbers.4,
        limit_minor: numbers.5,
        price: numbers.6,
        paid: others.0,
        open: others.1,
        begins: others.2,
        ends: others.3,
        currency: others.4,
        limit_currency: others.5,
    });
    prop::collection::vec(thing, 150).prop_map(|mut things| {
        for (at, thing) in things.iter_mut().enumerate() {
            thing.id = i64::try_from(at).unwrap();
        }
        things
    })
}

impl Thing {
    /// What a decision over this row knows.
    fn facts(&self, schema: &Schema, caller: &Facts) -> Facts {
        let money = |minor: Option<i64>, currency: Option<&str>| {
            let currency = Currency::parse(currency?)?;
            Some(Value::Money(Money { minor: minor?, currency }))
        };
        let text = |text: &Option<String>| text.as_deref().map(Value::text);
        let mut facts = caller.clone();
        for (name, value) in [
            ("thing.owner", text(&self.owner)),
            ("thing.alias", text(&self.alias)),
            ("thing.code", text(&self.code)),
            ("thing.note", text(&self.note)),
            ("thing.guests", self.guests.and_then(Value::count)),
            ("thing.rooms", self.rooms.and_then(Value::count)),
            ("thing.weight", self.weight.map(Value::Number)),
            ("thing.length", self.length.and_then(|seconds| seconds.checked_mul(1_000_000)).map(Value::Duration)),
            ("thing.paid", self.paid.map(Value::Bool)),
            ("thing.open", self.open.map(Value::Bool)),
            ("thing.begins", self.begins.map(Value::Time)),
            ("thing.ends", self.ends.map(Value::Time)),
            ("thing.amount", money(self.minor, self.currency.as_deref())),
            ("thing.limit", money(self.limit_minor, self.limit_currency.as_deref())),
            ("thing.price", money(self.price, Some("EUR"))),
            ("thing.tags", Some(Value::set(&self.tags))),
        ] {
            if let Some(value) = value {
                facts.set(schema.slot(name).unwrap(), value);
            }
        }
        facts
    }
}

/// The table, on each database with columns that compare texts in their own ways.
async fn prepared(database: &TestDatabase, things: &[Thing]) -> Db {
    let db = database.open().await;
    let sql = match db.backend() {
        Backend::Sqlite => {
            "CREATE TABLE things (id BIGINT PRIMARY KEY, owner TEXT, alias TEXT COLLATE NOCASE, code TEXT, guests BIGINT, \
             rooms BIGINT, weight BIGINT, length BIGINT, paid BOOLEAN, open BOOLEAN, begins TIMESTAMP, ends TIMESTAMP, \
             minor BIGINT, currency CHAR(3), limit_minor BIGINT, limit_currency CHAR(3), price BIGINT); \
             CREATE TABLE thing_tags (thing_id BIGINT NOT NULL, tag TEXT NOT NULL COLLATE NOCASE)"
        }
        Backend::Mysql => {
            "CREATE TABLE things (id BIGINT PRIMARY KEY, owner VARCHAR(64), \
             alias VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, \
             code VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin, guests BIGINT, rooms BIGINT, weight BIGINT, \
             length BIGINT, paid BOOLEAN, open BOOLEAN, begins DATETIME(6), ends DATETIME(6), minor BIGINT, \
             currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin, limit_minor BIGINT, \
             limit_currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin, price BIGINT); \
             CREATE TABLE thing_tags (thing_id BIGINT NOT NULL, tag VARCHAR(64) COLLATE utf8mb4_general_ci NOT NULL)"
        }
    };
    let things = things.to_vec();
    db.write(move |connection| -> Result<(), DbError> {
        for statement in sql.split(';') {
            connection.batch_execute(statement)?;
        }
        for thing in &things {
            diesel::insert_into(things::table).values(thing).execute(connection)?;
            for tag in &thing.tags {
                let row = (thing_tags::thing_id.eq(thing.id), thing_tags::tag.eq(tag));
                diesel::insert_into(thing_tags::table).values(row).execute(connection)?;
            }
        }
        Ok(())
    })
    .await
    .unwrap();
    db
}

async fn listed(db: &Db, filter: &Filter) -> Vec<i64> {
    let rows = filter.to_sql();
    db.read(move |connection| -> Result<_, DbError> {
        let query = things::table.into_boxed().filter(things::id.ge(0)).filter(rows.clone()).order(things::id);
        Ok(query.select(things::id).load(connection)?)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_row_is_listed_if_and_only_if_it_may_be_seen() {
    let catalogue = catalogue();
    let schema = catalogue.schema(Some("thing")).unwrap();
    let columns = columns(schema);
    for database in TestDatabase::on_each_backend().await {
        let mut random = TestRunner::default();
        let things = things_to_list().new_tree(&mut random).unwrap().current();
        let db = prepared(&database, &things).await;
        let backend = db.backend();
        let (mut exact, mut partly, mut done) = (0, 0, 0);
        while done < tenantry_testing::cases(200) as usize {
            let policies = prop::collection::vec(a_policy(), 1..4).new_tree(&mut random).unwrap().current();
            // What means nothing is refused by the compiler, and there are enough others.
            let compiled: Result<Vec<_>, _> =
                policies.iter().map(|json| Policy::parse(&catalogue, json.clone())).collect();
            let Ok(compiled) = compiled else { continue };
            done += 1;
            let set = PolicySet::new(compiled);
            let caller = a_caller(schema).new_tree(&mut random).unwrap().current();
            let base = prop::bool::ANY.new_tree(&mut random).unwrap().current();
            let listing =
                Listing { schema, columns: &columns, resource: "thing", action: "read", facts: &caller, base };
            let filter = set.filter(&listing);
            let found = listed(&db, &filter).await;
            let may_see = |thing: &&Thing| match set.decide("thing", "read", &thing.facts(schema, &caller)) {
                Verdict::Denied(_) => false,
                Verdict::Allowed(_) => true,
                Verdict::Silent => base,
            };
            let expected: Vec<i64> = things.iter().filter(may_see).map(|thing| thing.id).collect();
            let is_wrong = |thing: &&Thing| {
                let (found, expected) = (found.contains(&thing.id), expected.contains(&thing.id));
                (expected && !found) || (filter.is_exact() && found && !expected)
            };
            if let Some(thing) = things.iter().find(is_wrong) {
                panic!(
                    "{backend:?}, base {base}\n{}\n{caller:?}\n{filter:?}\n{thing:?}\nmay be seen: {}",
                    serde_json::to_string(&policies).unwrap(),
                    expected.contains(&thing.id)
                );
            }
            exact += usize::from(filter.is_exact());
            partly += usize::from(!found.is_empty() && found.len() < things.len());
        }
        // The cases say something: most filters are exact, and many find some rows and not others.
        assert!(exact * 2 > done && partly * 5 > done, "{exact} exact, {partly} that choose, of {done}");
        db.close().await;
    }
}
