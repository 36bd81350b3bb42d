//! Request parameters.

use url::form_urlencoded;

/// The parameters of a request, each at most once.
#[derive(Debug, Clone, Default)]
pub struct Params(Vec<(String, String)>);

/// A parameter came twice (RFC 6749 §3.1, §3.2: "MUST NOT be included more than once"), or there are too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Came twice.
    #[error("the parameter '{0}' is there more than once")]
    Duplicate(String),
    /// More than anybody needs.
    #[error("there are too many parameters")]
    TooMany,
}

const MOST: usize = 64;

impl Params {
    /// Reads `application/x-www-form-urlencoded`, as it came: looked at before anything that would drop duplicates.
    pub fn parse(raw: &[u8]) -> Result<Self, ParamsError> {
        let mut params: Vec<(String, String)> = Vec::with_capacity(12);
        for (name, value) in form_urlencoded::parse(raw) {
            if params.iter().any(|(known, _)| *known == name) {
                return Err(ParamsError::Duplicate(shortened(&name)));
            }
            if params.len() == MOST {
                return Err(ParamsError::TooMany);
            }
            params.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self(params))
    }

    /// The value of a parameter; one without a value is treated as if it were not there (RFC 6749 §3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// The names of the parameters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// The parameters as they would stand in a query.
    pub fn to_query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

fn shortened(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_comes_once_or_the_request_is_refused() {
        let params = Params::parse(b"a=1&b=&c=%20x+y").unwrap();
        assert_eq!((params.get("a"), params.get("b"), params.get("c")), (Some("1"), None, Some(" x y")));
        assert_eq!(Params::parse(b"a=1&a=1").unwrap_err(), ParamsError::Duplicate("a".into()));
        assert_eq!(Params::parse(b"a=&%61=1").unwrap_err(), ParamsError::Duplicate("a".into()));
        let many: Vec<String> = (0..65).map(|i| format!("p{i}=1")).collect();
        assert_eq!(Params::parse(many.join("&").as_bytes()).unwrap_err(), ParamsError::TooMany);
    }
}
