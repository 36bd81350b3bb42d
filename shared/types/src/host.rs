//! Domain names.

use std::str::FromStr;

use crate::ParseError;

/// A domain name in lower-case ASCII (an internationalised name in its `xn--` form), without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct DomainName(String);

impl DomainName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 1123 §2.1: labels of 1 to 63 letters, digits and inner hyphens, 253 characters in all.
pub(crate) fn is_domain_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'))
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

impl FromStr for DomainName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = text.to_ascii_lowercase();
        // The last label of a name is never a number: that would be an IPv4 address (RFC 3696 §2).
        let numeric_end = text.rsplit('.').next().is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
        if is_domain_name(&text) && text.contains('.') && !numeric_end {
            Ok(Self(text))
        } else {
            Err(ParseError::new("must be a domain name like login.example.com"))
        }
    }
}

crate::text_serde!(DomainName);
crate::stored_as_text!(DomainName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_only_names_of_hosts() {
        assert_eq!("Login.Example.COM".parse::<DomainName>().unwrap().as_str(), "login.example.com");
        for bad in
            ["", "localhost", "a..b", "a.b.", ".a.b", "-a.b", "10.0.0.1", "a.b:80", "a.b/c", "exämple.com", "[::1]"]
        {
            assert!(bad.parse::<DomainName>().is_err(), "{bad:?}");
        }
    }
}
