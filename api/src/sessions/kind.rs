//! What policies can know of sessions.

use tenantry_types::SessionId;

use crate::access::policy::Type::{Address, Bool, Set, Text, Time};
use crate::access::policy::Value;
use crate::access::{Attributes, Kind};
use crate::idp::SessionRecord;

/// What policies can know of sessions. They are kept at the identity provider: of a list each is decided on by itself.
pub(super) const KIND: Kind = Kind {
    name: "session",
    actions: &[],
    attributes: &[
        ("id", Text, "its id: the sid of tokens"),
        ("user_id", Text, "the id of the person who is signed in"),
        ("acr", Text, "how strongly they were authenticated"),
        ("amr", Set, "the methods by which they were"),
        ("address", Address, "the address from which they signed in"),
        ("user_agent", Text, "what the browser calls itself"),
        ("authenticated_at", Time, "when they signed in"),
        ("last_used_at", Time, "when the browser was at the identity provider last"),
        ("expires_at", Time, "when it ends at the latest"),
        ("is_current", Bool, "whether the access token was issued in it"),
    ],
    kept: None,
};

/// What is known of a session, to somebody who comes with a token of this one.
pub(super) fn attributes(session: &SessionRecord, current: Option<SessionId>) -> Attributes {
    let mut known = vec![
        ("session.id", Value::text(session.id.as_str())),
        ("session.user_id", Value::text(session.user_id.as_str())),
        ("session.acr", Value::text(&session.acr)),
        ("session.amr", Value::set(&session.amr)),
        ("session.authenticated_at", Value::Time(session.authenticated_at)),
        ("session.last_used_at", Value::Time(session.last_used_at)),
        ("session.expires_at", Value::Time(session.expires_at)),
        ("session.is_current", Value::Bool(current == Some(session.id))),
    ];
    let address = session.address.as_deref().and_then(|address| address.parse().ok());
    known.extend(address.map(|address| ("session.address", Value::address(address))));
    known.extend(session.user_agent.as_deref().map(|agent| ("session.user_agent", Value::text(agent))));
    known
}
