//! Sets of permissions, as roles have them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use tenantry_types::ParseError;

/// The longest part of a name.
const MAX_PART: usize = 64;

/// Permissions by pattern: `booking.cancel`, `booking.*` or `*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionPattern {
    /// Every permission there is and will be.
    All,
    /// Every permission on one kind of resource.
    Resource(String),
    /// One permission: resource and action.
    One(String, String),
}

/// Whether a text can be a part of a permission's name: lower-case letters, digits and underscores, a letter first.
pub fn is_name(part: &str) -> bool {
    (1..=MAX_PART).contains(&part.len())
        && part.starts_with(|c: char| c.is_ascii_lowercase())
        && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
}

impl FromStr for PermissionPattern {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("must be resource.action, resource.* or * (lower-case letters, digits and _)");
        if text == "*" {
            return Ok(Self::All);
        }
        match text.split_once('.').ok_or_else(wrong)? {
            (resource, "*") if is_name(resource) => Ok(Self::Resource(resource.to_owned())),
            (resource, action) if is_name(resource) && is_name(action) => {
                Ok(Self::One(resource.to_owned(), action.to_owned()))
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for PermissionPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Resource(resource) => write!(f, "{resource}.*"),
            Self::One(resource, action) => write!(f, "{resource}.{action}"),
        }
    }
}

/// A set of permissions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PermissionSet {
    has_all: bool,
    resources: BTreeSet<Box<str>>,
    /// By their whole names.
    single: BTreeSet<Box<str>>,
}

impl PermissionSet {
    /// Adds what a pattern stands for.
    pub fn add(&mut self, pattern: &PermissionPattern) {
        match pattern {
            PermissionPattern::All => self.has_all = true,
            PermissionPattern::Resource(resource) => {
                self.resources.insert(resource.as_str().into());
            }
            PermissionPattern::One(..) => {
                self.single.insert(pattern.to_string().into());
            }
        }
    }

    /// Adds what another set has.
    pub fn add_all(&mut self, other: &Self) {
        self.has_all |= other.has_all;
        self.resources.extend(other.resources.iter().cloned());
        self.single.extend(other.single.iter().cloned());
    }

    /// Whether the permission of this name is in the set.
    pub fn allows(&self, name: &str) -> bool {
        self.has_all
            || self.single.contains(name)
            || name.split_once('.').is_some_and(|(resource, _)| self.resources.contains(resource))
    }

    /// Whether everything that the pattern stands for is in the set.
    pub fn covers(&self, pattern: &PermissionPattern) -> bool {
        match pattern {
            PermissionPattern::All => self.has_all,
            PermissionPattern::Resource(resource) => self.has_all || self.resources.contains(resource.as_str()),
            PermissionPattern::One(..) => self.allows(&pattern.to_string()),
        }
    }

    /// The patterns of the set, those that others stand for as well.
    pub fn patterns(&self) -> Vec<String> {
        let all = self.has_all.then(|| "*".to_owned());
        let resources = self.resources.iter().map(|resource| format!("{resource}.*"));
        all.into_iter().chain(resources).chain(self.single.iter().map(ToString::to_string)).collect()
    }
}

impl<'a> FromIterator<&'a PermissionPattern> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = &'a PermissionPattern>>(patterns: I) -> Self {
        let mut set = Self::default();
        patterns.into_iter().for_each(|pattern| set.add(pattern));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(patterns: &[&str]) -> PermissionSet {
        let patterns: Vec<PermissionPattern> = patterns.iter().map(|text| text.parse().unwrap()).collect();
        patterns.iter().collect()
    }

    #[test]
    fn a_set_holds_what_its_patterns_stand_for() {
        let some = set(&["booking.*", "role.read"]);
        assert!(some.allows("booking.cancel") && some.allows("role.read"));
        assert!(!some.allows("role.update") && !some.allows("bookings.read") && !some.allows("booking"));
        assert!(set(&["*"]).allows("anything.at_all"));
        assert_eq!(some.patterns(), ["booking.*", "role.read"]);
    }

    #[test]
    fn only_the_same_or_more_covers_a_pattern() {
        let covers = |held: &[&str], wanted: &str| set(held).covers(&wanted.parse().unwrap());
        assert!(covers(&["*"], "*") && covers(&["*"], "booking.*") && covers(&["booking.*"], "booking.cancel"));
        assert!(!covers(&["booking.*", "role.*"], "*"));
        assert!(!covers(&["booking.read", "booking.cancel"], "booking.*"));
        assert!(!covers(&["booking.read"], "booking.cancel") && !covers(&[], "booking.read"));
    }

    #[test]
    fn names_are_plain() {
        for good in ["*", "booking.*", "booking.cancel", "tenant_settings.read", "x2.y_3"] {
            assert_eq!(good.parse::<PermissionPattern>().unwrap().to_string(), good);
        }
        for bad in
            ["", ".", "a.", ".b", "*.*", "*.read", "a.b.c", "A.b", "a.B", "a b.c", "аbc.read", "2a.b", "a.re*", "_a.b"]
        {
            assert!(bad.parse::<PermissionPattern>().is_err(), "{bad}");
        }
        assert!(format!("{}.read", "a".repeat(65)).parse::<PermissionPattern>().is_err());
    }
}
