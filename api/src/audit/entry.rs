//! An entry as it is stored, and the bytes that are sealed of it.

use diesel::prelude::*;
use tenantry_types::UtcTime;

use super::merkle::{self, Digest};
use crate::schema::audit_entries;

/// An entry as it is stored. Nothing is parsed: what somebody has tampered with must be readable too.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_entries)]
pub struct StoredEntry {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// When it was recorded.
    pub occurred_at: UtcTime,
    /// What kind of actor.
    pub actor_kind: String,
    /// The actor's id.
    pub actor_id: String,
    /// The tenant of the actor, when it is another.
    pub actor_tenant_id: Option<String>,
    /// The client through which a person acted.
    pub acting_client: Option<String>,
    /// What kind of party acted in the name of the actor.
    pub acting_party_kind: Option<String>,
    /// Its id.
    pub acting_party_id: Option<String>,
    /// What was done.
    pub action: String,
    /// The kind of thing that it was done to.
    pub target_kind: String,
    /// Its id.
    pub target_id: String,
    /// What changed, as JSON.
    pub changes: String,
    /// The address that the request came from.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

/// Which encoding this is. Another one gets another number, so that no leaf can be read in two ways.
const ENCODING: u8 = 1;

impl StoredEntry {
    /// The columns in the order in which they are sealed: all of them.
    pub const COLUMNS: [&str; 15] = [
        "id",
        "tenant_id",
        "occurred_at",
        "actor_kind",
        "actor_id",
        "actor_tenant_id",
        "acting_client",
        "acting_party_kind",
        "acting_party_id",
        "action",
        "target_kind",
        "target_id",
        "changes",
        "address",
        "request_id",
    ];

    /// The bytes that are sealed: one byte for the encoding, then each column as one byte that says whether it is there
    /// (1) or NULL (0) and, when it is there, its length in four bytes (big-endian) and its text in UTF-8. The time is
    /// the decimal number of microseconds since 1970. No two entries have the same bytes.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.push(ENCODING);
        let time = self.occurred_at.unix_micros().to_string();
        let columns: [Option<&str>; Self::COLUMNS.len()] = [
            Some(&self.id),
            Some(&self.tenant_id),
            Some(&time),
            Some(&self.actor_kind),
            Some(&self.actor_id),
            self.actor_tenant_id.as_deref(),
            self.acting_client.as_deref(),
            self.acting_party_kind.as_deref(),
            self.acting_party_id.as_deref(),
            Some(&self.action),
            Some(&self.target_kind),
            Some(&self.target_id),
            Some(&self.changes),
            self.address.as_deref(),
            self.request_id.as_deref(),
        ];
        for column in columns {
            let Some(text) = column else {
                bytes.push(0);
                continue;
            };
            bytes.push(1);
            // No column holds four gigabytes; were one to, its length would still be in front of all of it.
            bytes.extend_from_slice(&u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }

    /// The leaf of this entry in the tree of its batch; `buffer` is used for its bytes.
    pub fn leaf(&self, buffer: &mut Vec<u8>) -> Digest {
        self.encode(buffer);
        merkle::leaf(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> StoredEntry {
        StoredEntry {
            id: "i".into(),
            tenant_id: "t".into(),
            occurred_at: UtcTime::from_unix_micros(1_234_567).unwrap(),
            actor_kind: "user".into(),
            actor_id: "a".into(),
            actor_tenant_id: None,
            acting_client: Some("c".into()),
            acting_party_kind: None,
            acting_party_id: None,
            action: "x.y".into(),
            target_kind: "k".into(),
            target_id: String::new(),
            changes: "{}".into(),
            address: None,
            request_id: Some("r".into()),
        }
    }

    #[test]
    fn the_encoding_is_the_documented_one() {
        let mut bytes = Vec::new();
        entry().encode(&mut bytes);
        let text = |text: &str| [&[1, 0, 0, 0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        let expected = [
            vec![1],
            text("i"),
            text("t"),
            text("1234567"),
            text("user"),
            text("a"),
            vec![0],
            text("c"),
            vec![0],
            vec![0],
            text("x.y"),
            text("k"),
            text(""),
            text("{}"),
            vec![0],
            text("r"),
        ];
        assert_eq!(bytes, expected.concat());
    }

    #[test]
    fn neighbours_cannot_lend_each_other_text() {
        let mut buffer = Vec::new();
        let one = StoredEntry { target_kind: "ab".into(), target_id: "c".into(), ..entry() };
        let two = StoredEntry { target_kind: "a".into(), target_id: "bc".into(), ..entry() };
        let empty = StoredEntry { address: Some(String::new()), ..entry() };
        assert_ne!(one.leaf(&mut buffer), two.leaf(&mut buffer));
        assert_ne!(entry().leaf(&mut buffer), empty.leaf(&mut buffer));
        assert_eq!(entry().leaf(&mut buffer), entry().leaf(&mut buffer));
    }
}
