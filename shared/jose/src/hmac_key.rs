//! Keys for tags that only we can make.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};

/// A key for message authentication codes with one purpose. It does not print.
///
/// Tags are made with the newest key of the ring; those of older keys are still good, so that a rotation does not end
/// what is under way. Clones share them.
#[derive(Clone)]
pub struct HmacKey(Arc<Ring>);

struct Ring {
    newest: Key,
    older: Vec<Key>,
}

impl HmacKey {
    /// One key for each secret, all for the purpose that `label` names.
    pub(crate) fn derive<'a>(newest: &[u8], older: impl Iterator<Item = &'a [u8]>, label: &str) -> Self {
        let key = |secret: &[u8]| Key::new(HMAC_SHA256, &hkdf_sha256(secret, SALT, label.as_bytes()));
        Self(Arc::new(Ring { newest: key(newest), older: older.map(key).collect() }))
    }

    /// HMAC-SHA256 over the parts, each with its length before it: no two lists of parts are the same message.
    pub fn tag(&self, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0.newest, parts)
    }

    /// Whether this is the tag of the parts, in a time that does not depend on where it differs.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        let matches = |key: &Key| verify_slices_are_equal(&mac(key, parts), tag).is_ok();
        matches(&self.0.newest) || self.0.older.iter().any(matches)
    }
}

impl fmt::Debug for HmacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HmacKey").finish_non_exhaustive()
    }
}

/// Keeps these keys apart from whatever else is derived from the same secret.
const SALT: &[u8] = b"tenantry hmac";

fn mac(key: &Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::with_key(key);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    thirty_two(context)
}

/// HKDF with SHA-256 for one block of output (RFC 5869 §2): extract, then the first step of expand.
fn hkdf_sha256(secret: &[u8], salt: &[u8], info: &[u8]) -> [u8; 32] {
    let mut extract = Context::with_key(&Key::new(HMAC_SHA256, salt));
    extract.update(secret);
    let mut expand = Context::with_key(&Key::new(HMAC_SHA256, &thirty_two(extract)));
    expand.update(info);
    expand.update(&[1]);
    thirty_two(expand)
}

fn thirty_two(context: Context) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.sign().as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(newest: &[u8], older: &[&[u8]], label: &str) -> HmacKey {
        HmacKey::derive(newest, older.iter().copied(), label)
    }

    /// RFC 5869, appendix A.1 and A.3: the first block of the output.
    #[test]
    fn hkdf_examples_of_the_rfc() {
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        assert_eq!(
            hkdf_sha256(&[0x0b; 22], &salt, &info),
            [
                0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0, 0x36, 0x2f, 0x2a, 0x2d,
                0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0, 0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf
            ]
        );
        assert_eq!(
            hkdf_sha256(&[0x0b; 22], b"", b""),
            [
                0x8d, 0xa4, 0xe7, 0x75, 0xa5, 0x63, 0xc1, 0x8f, 0x71, 0x5f, 0x80, 0x2a, 0x06, 0x3c, 0x5a, 0x31, 0xb8,
                0xa1, 0x1f, 0x5c, 0x5e, 0xe1, 0x87, 0x9e, 0xc3, 0x45, 0x4e, 0x5f, 0x3c, 0x73, 0x8d, 0x2d
            ]
        );
    }

    #[test]
    fn tags_are_bound_to_secret_label_and_parts() {
        let secret = [7; 32];
        let tags = [
            key(&secret, &[], "csrf").tag(&[b"ab", b"c"]),
            key(&secret, &[], "csrf").tag(&[b"a", b"bc"]),
            key(&secret, &[], "csrf").tag(&[b"abc"]),
            key(&secret, &[], "csrf").tag(&[b"ab", b"c", b""]),
            key(&secret, &[], "csrf").tag(&[]),
            key(&secret, &[], "cursor").tag(&[b"ab", b"c"]),
            key(&[8; 32], &[], "csrf").tag(&[b"ab", b"c"]),
        ];
        for (index, tag) in tags.iter().enumerate() {
            assert!(!tags[..index].contains(tag), "{index}");
        }
        assert_eq!(tags[0], key(&secret, &[], "csrf").tag(&[b"ab", b"c"]));
    }

    #[test]
    fn verifies_its_own_tags_and_those_of_older_keys_only() {
        let (old, new) = (key(&[1; 32], &[], "csrf"), key(&[2; 32], &[&[1; 32]], "csrf"));
        let tag = old.tag(&[b"session"]);
        assert!(old.verify(&[b"session"], &tag) && new.verify(&[b"session"], &tag));
        assert_ne!(new.tag(&[b"session"]), tag);
        assert!(!old.verify(&[b"session"], &new.tag(&[b"session"])));
        assert!(!new.verify(&[b"other"], &tag));
        assert!(!new.verify(&[b"session"], &tag[..31]) && !new.verify(&[b"session"], b""));
        assert_eq!(format!("{new:?}"), "HmacKey { .. }");
    }
}
