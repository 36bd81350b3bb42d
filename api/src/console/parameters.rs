//! Parameters of queries and forms, each at most once (RFC 6749 §3.1).

use super::ConsoleError;

/// The parameters of a request.
#[derive(Debug)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads `application/x-www-form-urlencoded` text.
    ///
    /// # Errors
    /// [`ConsoleError::Malformed`] when a name comes twice.
    pub(super) fn parse(text: &[u8]) -> Result<Self, ConsoleError> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            if pairs.iter().any(|(known, _)| *known == name) {
                return Err(ConsoleError::Malformed);
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter; one without a value counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_comes_once() {
        let parameters = Parameters::parse(b"code=a%20b&state=&iss=x").unwrap();
        assert_eq!(parameters.get("code"), Some("a b"));
        assert_eq!(parameters.get("state"), None);
        assert_eq!(parameters.get("error"), None);
        for twice in ["code=a&code=a", "code=a&%63ode=b", "x&x"] {
            assert!(matches!(Parameters::parse(twice.as_bytes()), Err(ConsoleError::Malformed)), "{twice}");
        }
    }
}
