//! Merkle trees as of RFC 9162 §2.1, over SHA-256.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenantry_types::ParseError;

/// A SHA-256 digest; as text base64url without padding (43 characters).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The plain digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        hash(&[bytes])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 43];
        // 32 bytes are 43 characters, all of them ASCII.
        let length = URL_SAFE_NO_PAD.encode_slice(self.0, &mut text).unwrap_or_default();
        f.write_str(std::str::from_utf8(&text[..length]).unwrap_or_default())
    }
}

impl FromStr for Digest {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let decoded = URL_SAFE_NO_PAD.decode(text).ok().filter(|_| text.len() == 43);
        decoded
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or(ParseError::new("must be a SHA-256 digest in base64url"))
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

fn hash(parts: &[&[u8]]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    Digest(bytes)
}

/// The hash of a leaf: what begins with 0x00 can never be taken for a node (RFC 9162 §2.1.1).
pub fn leaf(data: &[u8]) -> Digest {
    hash(&[&[0x00], data])
}

fn node(left: &Digest, right: &Digest) -> Digest {
    hash(&[&[0x01], &left.0, &right.0])
}

/// A tree that grows leaf by leaf and knows its root; it keeps one digest for each level.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    size: u64,
    /// The roots of the perfect trees that the leaves make up, the largest first.
    peaks: Vec<Digest>,
}

impl Tree {
    /// Adds a leaf on the right.
    pub fn push(&mut self, leaf: Digest) {
        let mut merged = leaf;
        // As many perfect trees of the same size are there as the old size ends in ones.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                merged = node(&left, &merged);
            }
        }
        self.peaks.push(merged);
        self.size += 1;
    }

    /// How many leaves there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root; that of no leaves is the digest of nothing.
    pub fn root(&self) -> Digest {
        let mut peaks = self.peaks.iter().rev().copied();
        let last = peaks.next().unwrap_or_else(|| Digest::of(&[]));
        peaks.fold(last, |right, left| node(&left, &right))
    }
}

impl FromIterator<Digest> for Tree {
    fn from_iter<I: IntoIterator<Item = Digest>>(leaves: I) -> Self {
        let mut tree = Self::default();
        leaves.into_iter().for_each(|leaf| tree.push(leaf));
        tree
    }
}

/// The inclusion proof of a leaf (RFC 9162 §2.1.3.1), from the leaf upwards; `None` when there is no such leaf.
pub fn proof(leaves: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaves.len() {
        return None;
    }
    let mut path = Vec::new();
    let (mut part, mut index) = (leaves, index);
    while part.len() > 1 {
        // The largest power of two that is less than the size.
        let half = part.len().next_power_of_two() / 2;
        let (left, right) = part.split_at(half);
        let sibling;
        (part, index, sibling) = if index < half { (left, index, right) } else { (right, index - half, left) };
        path.push(sibling.iter().copied().collect::<Tree>().root());
    }
    path.reverse();
    Some(path)
}

/// The root that a proof leads to (RFC 9162 §2.1.3.2): the leaf is in the tree when it is the tree's. `None` when the
/// proof does not have the form that it should.
pub fn root_of_proof(leaf: Digest, index: u64, size: u64, path: &[Digest]) -> Option<Digest> {
    if index >= size {
        return None;
    }
    let (mut at, mut last, mut root) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if at & 1 == 1 || at == last {
            root = node(sibling, &root);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            root = node(&root, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(root)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: u8) -> Vec<Digest> {
        (0..count).map(|byte| leaf(&[byte])).collect()
    }

    /// The definition of RFC 9162 §2.1.1, word for word.
    fn defined(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(&[]),
            [one] => *one,
            _ => {
                let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
                node(&defined(left), &defined(right))
            }
        }
    }

    #[test]
    fn hashes_are_those_of_known_trees() {
        // RFC 6962 implementations share these values.
        let empty = URL_SAFE_NO_PAD.encode([
            0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae,
            0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
        ]);
        assert_eq!(Tree::default().root().to_string(), empty);
        let of_nothing = URL_SAFE_NO_PAD.encode([
            0x6e, 0x34, 0x0b, 0x9c, 0xff, 0xb3, 0x7a, 0x98, 0x9c, 0xa5, 0x44, 0xe6, 0xbb, 0x78, 0x0a, 0x2c, 0x78, 0x90,
            0x1d, 0x3f, 0xb3, 0x37, 0x38, 0x76, 0x85, 0x11, 0xa3, 0x06, 0x17, 0xaf, 0xa0, 0x1d,
        ]);
        assert_eq!(leaf(&[]).to_string(), of_nothing);
    }

    #[test]
    fn a_tree_that_grows_has_the_root_of_the_definition() {
        for count in 0..70 {
            let leaves = leaves(count);
            assert_eq!(leaves.iter().copied().collect::<Tree>().root(), defined(&leaves), "{count}");
        }
    }

    #[test]
    fn proofs_lead_to_the_root_and_nowhere_else() {
        for count in 1..40_u8 {
            let leaves = leaves(count);
            let root = defined(&leaves);
            for (index, one) in leaves.iter().enumerate() {
                let path = proof(&leaves, index).unwrap();
                let lead = |leaf, index: usize, path: &[Digest]| {
                    root_of_proof(leaf, index as u64, u64::from(count), path) == Some(root)
                };
                assert!(lead(*one, index, &path), "{index} of {count}");
                assert!(!lead(Digest::of(b"another"), index, &path));
                for other in (0..usize::from(count)).filter(|other| *other != index) {
                    assert!(!lead(*one, other, &path), "{index} of {count} at {other}");
                }
                assert!(path.is_empty() || !lead(*one, index, &path[1..]));
                assert!(!lead(*one, index, &[&path[..], &[root]].concat()));
            }
            assert_eq!(proof(&leaves, leaves.len()), None);
        }
    }

    #[test]
    fn digests_have_one_text() {
        let digest = Digest::of(b"x");
        let text = digest.to_string();
        assert_eq!((text.len(), text.parse()), (43, Ok(digest)));
        for bad in ["", "A", &text[..42], &format!("{text}A"), &format!("{text}="), &text.replace(&text[42..], "B")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
