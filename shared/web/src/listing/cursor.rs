//! Cursors that only we can make.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tenantry_jose::HmacKey;

/// The bytes of a tag that travel: 128 bits are as many as anybody can guess against.
const TAG_BYTES: usize = 16;
/// The longest cursor that is read.
const MAX_BYTES: usize = 2_048;

/// Makes and reads cursors. Clones share the key.
#[derive(Debug, Clone)]
pub struct Cursors {
    key: HmacKey,
    apart: &'static [&'static str],
}

impl Cursors {
    /// Cursors under this key.
    pub const fn new(key: HmacKey) -> Self {
        Self { key, apart: &[] }
    }

    /// The same, for lists of a service whose requests can all have these parameters, which say nothing of what is listed:
    /// whoever lets requests in looks at them.
    #[must_use]
    pub const fn apart_from(mut self, parameters: &'static [&'static str]) -> Self {
        self.apart = parameters;
        self
    }

    /// Whether a parameter says nothing of what is listed.
    pub(super) fn stand_apart(&self, parameter: &str) -> bool {
        self.apart.contains(&parameter)
    }

    /// The cursor of a row of the list that `context` names.
    pub(super) fn seal<K: Serialize>(&self, context: &[&[u8]], row: &K) -> Option<String> {
        let mut bytes = serde_json::to_vec(row).ok()?;
        let tag = self.tag(context, &bytes);
        bytes.extend_from_slice(tag.get(..TAG_BYTES)?);
        Some(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The row of a cursor; `None` when it is not one of this list.
    pub(super) fn open<K: DeserializeOwned>(&self, context: &[&[u8]], cursor: &str) -> Option<K> {
        if cursor.len() > MAX_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (row, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
        let expected = self.tag(context, row);
        // A cursor is no secret and gives no right: how long this takes tells nothing that helps to forge one of 128 bits,
        // but constant time costs nothing either.
        let same = expected.iter().zip(tag).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0;
        same.then(|| serde_json::from_slice(row).ok()).flatten()
    }

    fn tag(&self, context: &[&[u8]], row: &[u8]) -> [u8; 32] {
        let parts: Vec<&[u8]> = context.iter().copied().chain([row]).collect();
        self.key.tag(&parts)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenantry_jose::Keyring;
    use tenantry_types::SystemRandom;

    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::load_or_create(&folder.path().join("key"), &SystemRandom).unwrap();
        let cursors = Cursors::new(keyring.derive("cursors"));
        let cursor = cursors.seal(&[b"tenant", b"/users"], &("2026", 7)).unwrap();
        let open = |context: &[&[u8]], cursor: &str| cursors.open::<(String, u8)>(context, cursor);
        assert_eq!(open(&[b"tenant", b"/users"], &cursor), Some(("2026".to_owned(), 7)));
        assert_eq!(open(&[b"other", b"/users"], &cursor), None);
        assert_eq!(open(&[b"tenant/", b"users"], &cursor), None);
        for at in 0..cursor.len() {
            let mut forged = cursor.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            // The last character has bits that are not used, which the decoder insists on being zero.
            assert_eq!(open(&[b"tenant", b"/users"], &forged), None, "{forged}");
        }
        for nonsense in ["", "A", "====", &"A".repeat(5_000)] {
            assert_eq!(open(&[b"tenant", b"/users"], nonsense), None);
        }
        assert!(cursors.open::<u8>(&[b"tenant", b"/users"], &cursor).is_none(), "another kind of row");
    }
}
