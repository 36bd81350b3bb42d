//! The tables of these tests, and rows to put into them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel_migrations::embed_migrations;
use tenantry_db::{Connection, Db, DbError, Migrations, TenantScope};
use tenantry_testing::TestDatabase;
use tenantry_types::{Id, JsonText, SystemClock, SystemRandom, TenantId, UtcTime, text_enum};

pub static MIGRATIONS: Migrations = Migrations {
    sqlite: embed_migrations!("tests/migrations/sqlite"),
    mysql: embed_migrations!("tests/migrations/mysql"),
};

diesel::table! {
    places (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        name -> Text,
        kind -> Text,
        open -> Bool,
        visits -> BigInt,
        note -> Nullable<Text>,
        settings -> Text,
        created_at -> Timestamp,
        closed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    bookings (tenant_id, id) {
        tenant_id -> Text,
        id -> Text,
        place_id -> Text,
        starts_at -> Timestamp,
    }
}

diesel::table! {
    jobs (number) {
        number -> BigInt,
        worker -> Nullable<BigInt>,
    }
}

#[derive(Debug)]
pub enum PlaceMarker {}
pub type PlaceId = Id<PlaceMarker>;

text_enum! {
    /// What a place is.
    pub enum Kind {
        /// One with walls.
        Room = "room",
        /// One without.
        Field = "field",
    }
}

#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = places, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct Place {
    pub tenant_id: TenantId,
    pub id: PlaceId,
    pub name: String,
    pub kind: Kind,
    pub open: bool,
    pub visits: i64,
    pub note: Option<String>,
    pub settings: JsonText<BTreeMap<String, u32>>,
    pub created_at: UtcTime,
    pub closed_at: Option<UtcTime>,
}

#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = bookings, treat_none_as_default_value = false)]
pub struct Booking {
    pub tenant_id: TenantId,
    pub id: PlaceId,
    pub place_id: PlaceId,
    pub starts_at: UtcTime,
}

pub fn new_id<E>() -> Id<E> {
    Id::new(&SystemClock, &SystemRandom)
}

pub fn scope() -> TenantScope {
    TenantScope::system(new_id(), "test")
}

pub fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

pub fn place(scope: TenantScope, name: &str) -> Place {
    Place {
        tenant_id: scope.tenant_id(),
        id: new_id(),
        name: name.to_owned(),
        kind: Kind::Room,
        open: true,
        visits: 0,
        note: None,
        settings: JsonText::new(BTreeMap::from([("seats".to_owned(), 4)])).unwrap(),
        created_at: time("2026-01-31T09:30:00.123456Z"),
        closed_at: None,
    }
}

pub fn insert(connection: &mut Connection, place: &Place) -> Result<(), DbError> {
    diesel::insert_into(places::table).values(place).execute(connection)?;
    Ok(())
}

pub fn find(connection: &mut Connection, scope: TenantScope, id: PlaceId) -> Result<Place, DbError> {
    Ok(places::table.find((scope.tenant_id(), id)).first(connection)?)
}

pub async fn add(db: &Db, place: &Place) {
    let place = place.clone();
    db.write(move |c| insert(c, &place)).await.unwrap();
}

/// Each backend, with the tables.
pub async fn databases() -> Vec<(TestDatabase, Db)> {
    let mut databases = Vec::new();
    for database in TestDatabase::on_each_backend().await {
        let db = database.open().await;
        db.migrate(&MIGRATIONS).await.unwrap();
        databases.push((database, db));
    }
    databases
}

/// The server alone, with the tables, for what SQLite does not have.
pub async fn server() -> Option<(TestDatabase, Db)> {
    let database = TestDatabase::on_server().await?;
    let db = database.open().await;
    db.migrate(&MIGRATIONS).await.unwrap();
    Some((database, db))
}
