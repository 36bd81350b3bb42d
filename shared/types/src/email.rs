//! E-mail addresses.

use std::str::FromStr;

use crate::ParseError;

/// An e-mail address that a mail server would take: one `@`, a dot-atom before it, a domain name after it
/// (RFC 5321 §4.1.2 without quoted local parts), 254 characters at most. The domain is in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The address as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which an address is looked up: the whole of it in lower case.
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }
}

fn is_atom_character(c: char) -> bool {
    c.is_alphanumeric() || (c.is_ascii() && "!#$%&'*+-/=?^_`{|}~.".contains(c))
}

impl FromStr for EmailAddress {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("must be an e-mail address like name@example.com");
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let domain = domain.to_ascii_lowercase();
        let local_good = (1..=64).contains(&local.len())
            && local.chars().all(is_atom_character)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        if local_good && text.len() <= 254 && (crate::host::is_domain_name(&domain)) {
            Ok(Self(format!("{local}@{domain}")))
        } else {
            Err(wrong())
        }
    }
}

crate::text_serde!(EmailAddress);
crate::stored_as_text!(EmailAddress);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_only_addresses() {
        let address: EmailAddress = "Ada.Lovelace+x@Example.COM".parse().unwrap();
        assert_eq!(address.as_str(), "Ada.Lovelace+x@example.com");
        assert_eq!(address.normalized(), "ada.lovelace+x@example.com");
        for bad in [
            "",
            "a",
            "@b.c",
            "a@",
            "a b@c.de",
            "a@b@c.de",
            ".a@b.de",
            "a..b@c.de",
            "a@b..de",
            "a@-b.de",
            "a@b.de\r\nBcc: x@y.z",
        ] {
            assert!(bad.parse::<EmailAddress>().is_err(), "{bad:?}");
        }
    }
}
