//! OAuth scopes.

use std::collections::BTreeSet;
use std::str::FromStr;

use crate::ParseError;

/// One scope token (RFC 6749 §3.3): 1 to 128 printable ASCII characters but space, `"` and `\`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct Scope(String);

impl Scope {
    /// The token itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Scope {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        check(text)?;
        Ok(Self(text.to_owned()))
    }
}

fn check(text: &str) -> Result<(), ParseError> {
    let good = (1..=128).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e));
    if good { Ok(()) } else { Err(ParseError::new("must be a scope of RFC 6749 §3.3")) }
}

crate::text_serde!(Scope);
crate::stored_as_text!(Scope);

/// A set of scopes, 64 at most, kept as its canonical text: in order, each once, single spaces between.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct ScopeSet(String);

impl ScopeSet {
    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether the scope is one of them.
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|s| s == scope)
    }

    /// Whether all of these are among `other`.
    pub fn is_subset_of(&self, other: &Self) -> bool {
        self.iter().all(|s| other.contains(s))
    }

    /// Those that both have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.filtered(|s| other.contains(s))
    }

    /// Those that either has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.iter().chain(other.iter()).collect()
    }

    /// Those that `other` has not.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.filtered(|s| !other.contains(s))
    }

    /// Without one.
    #[must_use]
    pub fn without(&self, scope: &str) -> Self {
        self.filtered(|s| s != scope)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        self.iter().filter(|s| keep(s)).collect()
    }
}

impl<'a> FromIterator<&'a str> for ScopeSet {
    /// Only for scopes that are known to be well formed; others come in through `parse`.
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        let ordered: BTreeSet<&str> = scopes.into_iter().collect();
        let mut text = String::new();
        for scope in ordered {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(scope);
        }
        Self(text)
    }
}

impl FromStr for ScopeSet {
    type Err = ParseError;

    /// Tokens with single spaces between them; the empty text is the empty set.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        for scope in text.split(' ') {
            check(scope)?;
        }
        if text.split(' ').count() > 64 {
            return Err(ParseError::new("must be 64 scopes at most"));
        }
        Ok(text.split(' ').collect())
    }
}

crate::text_serde!(ScopeSet);
crate::stored_as_text!(ScopeSet);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_set_in_a_fixed_order() {
        let set: ScopeSet = "profile openid profile".parse().unwrap();
        assert_eq!(set.to_string(), "openid profile");
        assert!(set.contains("openid") && !set.contains("email"));
        assert!("".parse::<ScopeSet>().unwrap().is_empty());
        for bad in [" ", "a  b", " a", "a ", "a\tb", "a\"", "a\\", "ä"] {
            assert!(bad.parse::<ScopeSet>().is_err(), "{bad:?}");
        }
    }
}
