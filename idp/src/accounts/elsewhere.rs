//! Those who live in a tenant, where they are members of others: what ends at home ends there too, and these tenants hear of
//! it.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{TenantId, UserId};

use crate::audit::Author;
use crate::events::{self, Event};
use crate::memberships::store;
use crate::oauth::grants::Revocation;
use crate::oauth::{codes, grants};
use crate::sessions;

/// Memberships whose tenants are told at once.
const PIECE: i64 = 500;

/// Ends the sessions, the grants and the unused codes of somebody who lives in the tenant, or of everybody who does, at the
/// other tenants that they are members of. It is told even where nothing was open, because access tokens may be out. Gives
/// the numbers of sessions and grants.
pub fn end_access_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    author: &Author,
    user: Option<UserId>,
    because: Revocation,
) -> Result<(usize, usize), DbError> {
    let now = author.now();
    let sessions = sessions::store::end_elsewhere(conn, home, user, now)?;
    let grants = grants::revoke_elsewhere(conn, home, user, now, because)?;
    codes::take_back_elsewhere(conn, home, user)?;
    tell_elsewhere(conn, home, author, user, |user| vec![Event::session_revoked(user, None, now)])?;
    Ok((sessions, grants))
}

/// Tells the tenants that somebody who lives in this one, or everybody who does, is a member of.
fn tell_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    author: &Author,
    user: Option<UserId>,
    what: impl Fn(UserId) -> Vec<Event>,
) -> Result<(), DbError> {
    let mut after = None;
    loop {
        let piece: Vec<(UserId, TenantId)> = store::of_residents(conn, home, user, after, PIECE)?;
        let Some(last) = piece.last().copied() else { return Ok(()) };
        let events: Vec<(TenantId, Event)> =
            piece.iter().flat_map(|(user, tenant)| what(*user).into_iter().map(|event| (*tenant, event))).collect();
        events::store::record_several(conn, author, &events)?;
        after = Some(last);
    }
}
