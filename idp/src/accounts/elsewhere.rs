//! Those who live in a tenant, where they are members of others: what ends at home ends there too, and these tenants hear of
//! it.

use std::collections::BTreeSet;

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{TenantId, UserId};

use crate::audit::Author;
use crate::events::{self, Event};
use crate::memberships::store;
use crate::oauth::grants::Revocation;
use crate::oauth::{codes, grants};
use crate::sessions;

/// Memberships that are seen to at once. With many more a database would rather read a whole table than look for each of
/// these people at each of their tenants.
const PIECE: i64 = 100;

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
    let (mut sessions, mut grants) = (0, 0);
    in_pieces(conn, home, user, |conn, piece| {
        // The event locks the tenants: whoever locks them first waits for nobody with less.
        tell(conn, author, piece, |user| Event::session_revoked(user, None, now))?;
        let users: Vec<UserId> = piece.iter().map(|(user, _)| *user).collect::<BTreeSet<_>>().into_iter().collect();
        let at: Vec<TenantId> = piece.iter().map(|(_, tenant)| *tenant).collect::<BTreeSet<_>>().into_iter().collect();
        sessions += sessions::store::end_elsewhere(conn, home, &users, &at, now)?;
        grants += grants::revoke_elsewhere(conn, home, &users, &at, now, because)?;
        codes::take_back_elsewhere(conn, home, &users, &at)?;
        Ok(())
    })?;
    Ok((sessions, grants))
}

/// Tells the tenants that somebody who lives in this one is a member of.
pub(super) fn tell_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    author: &Author,
    user: UserId,
    event: &Event,
) -> Result<(), DbError> {
    in_pieces(conn, home, Some(user), |conn, piece| tell(conn, author, piece, |_| event.clone()))
}

/// Goes through the memberships of somebody who lives in the tenant, or of everybody who does.
fn in_pieces(
    conn: &mut Connection,
    home: TenantScope,
    user: Option<UserId>,
    mut each: impl FnMut(&mut Connection, &[(UserId, TenantId)]) -> Result<(), DbError>,
) -> Result<(), DbError> {
    let mut after = None;
    loop {
        let piece = store::of_residents(conn, home, user, after, PIECE)?;
        let Some(last) = piece.last().copied() else { return Ok(()) };
        each(conn, &piece)?;
        after = Some(last);
    }
}

fn tell(
    conn: &mut Connection,
    author: &Author,
    piece: &[(UserId, TenantId)],
    what: impl Fn(UserId) -> Event,
) -> Result<(), DbError> {
    let events: Vec<(TenantId, Event)> = piece.iter().map(|(user, tenant)| (*tenant, what(*user))).collect();
    events::store::record_several(conn, author, &events)
}
