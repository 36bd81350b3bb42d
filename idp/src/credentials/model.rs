//! What a password must be.

use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use tenantry_types::ParseError;

/// A password that somebody chose: 8 to 256 characters of any kind (NIST SP 800-63B-4 §3.1.1.2). It does not print.
#[derive(Debug, Clone)]
pub struct NewPassword(SecretString);

/// What is cut off before it costs anything: nobody signs in with more.
pub const MAX_PASSWORD_BYTES: usize = 1024;

impl NewPassword {
    /// The password, to be hashed.
    pub fn into_secret(self) -> SecretString {
        self.0
    }

    /// The password, to be shown once to whom it was made for.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl FromStr for NewPassword {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let characters = text.chars().count();
        if characters < 8 {
            Err(ParseError::new("must have 8 characters or more"))
        } else if characters > 256 || text.len() > MAX_PASSWORD_BYTES {
            Err(ParseError::new("must have 256 characters or fewer"))
        } else if text.contains(['\0', '\r', '\n']) {
            Err(ParseError::new("must be one line"))
        } else {
            Ok(Self(text.to_owned().into()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_the_only_rule() {
        assert!("correct horse battery staple".parse::<NewPassword>().is_ok());
        assert!("пароль-пароль".parse::<NewPassword>().is_ok());
        assert!("short".parse::<NewPassword>().is_err());
        assert!("x".repeat(257).parse::<NewPassword>().is_err());
        assert!("two\nlines here".parse::<NewPassword>().is_err());
        assert!(!format!("{:?}", "super secret".parse::<NewPassword>().unwrap()).contains("super"));
    }
}
