//! The rows of the audit trail's keys. They belong to the service and not to a tenant.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError};
use tenantry_types::UtcTime;

use crate::schema::audit_keys;

/// A public key.
#[derive(Queryable, Selectable)]
#[diesel(table_name = audit_keys)]
pub(super) struct KeyRow {
    pub(super) kid: String,
    pub(super) public_jwk: String,
    pub(super) voucher: String,
}

/// A new key.
#[derive(Insertable)]
#[diesel(table_name = audit_keys, treat_none_as_default_value = false)]
pub(super) struct NewKey<'a> {
    pub(super) kid: &'a str,
    pub(super) public_jwk: String,
    pub(super) private_key: Option<String>,
    pub(super) voucher: String,
    pub(super) created_at: UtcTime,
    pub(super) retired_at: Option<UtcTime>,
}

/// More keys than this are not read: with one a day that is three years.
const MOST: i64 = 1_000;

/// The private key that signs: the newest that has not been retired.
pub(super) fn newest_private_key(conn: &mut Connection) -> Result<Option<String>, DbError> {
    let found = audit_keys::table
        .filter(audit_keys::retired_at.is_null().and(audit_keys::private_key.is_not_null()))
        .order((audit_keys::created_at.desc(), audit_keys::kid.desc()))
        .select(audit_keys::private_key)
        .first::<Option<String>>(conn)
        .optional()?;
    Ok(found.flatten())
}

/// The newest public keys.
pub(super) fn all(conn: &mut Connection) -> Result<Vec<KeyRow>, DbError> {
    Ok(audit_keys::table
        .order((audit_keys::created_at.desc(), audit_keys::kid.desc()))
        .select(KeyRow::as_select())
        .limit(MOST)
        .load(conn)?)
}

pub(super) fn insert(conn: &mut Connection, key: &NewKey<'_>) -> Result<(), DbError> {
    diesel::insert_into(audit_keys::table).values(key).execute(conn)?;
    Ok(())
}

/// Ends every key that signs, and destroys its private half.
pub(super) fn retire_all(conn: &mut Connection, now: UtcTime) -> Result<(), DbError> {
    diesel::update(audit_keys::table.filter(audit_keys::retired_at.is_null()))
        .set((audit_keys::retired_at.eq(Some(now)), audit_keys::private_key.eq(None::<String>)))
        .execute(conn)?;
    Ok(())
}
