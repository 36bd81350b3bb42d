//! The short name of a tenant.

use std::str::FromStr;

use crate::ParseError;

/// The short name of a tenant in its issuer URL: 2 to 63 of `a-z`, `0-9` and single hyphens inside.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct Slug(String);

impl Slug {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = (2..=63).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--");
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 2 to 63 lower-case letters, digits and single hyphens between them"))
        }
    }
}

crate::text_serde!(Slug);
crate::stored_as_text!(Slug);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_only_names_that_are_safe_in_a_path() {
        for good in ["demo", "a1", "acme-corp-2", &"a".repeat(63)] {
            assert!(good.parse::<Slug>().is_ok(), "{good}");
        }
        for bad in ["", "a", "-a", "a-", "a--b", "Demo", "a/b", "..", "a.b", "ä1", "a\n", &"a".repeat(64)] {
            assert!(bad.parse::<Slug>().is_err(), "{bad:?}");
        }
    }
}
